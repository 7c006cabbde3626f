"""torch on free-threaded CPython: the GIL stays off, and each worker is torch's only thread."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import warnings

try:
    import torch
except ImportError as _error:
    raise ImportError(
        "this part of reactorrl.rl needs torch: pip install 'reactorrl[torch]'"
    ) from _error

_worker = threading.local()


def import_dynamo() -> None:
    """Import `torch._dynamo`, as the first optimizer would, without the GIL coming back.

    dynamo imports triton where it can, and triton's extension does not declare that it works
    without the GIL, so that a free-threaded interpreter turns it on for good. Optimizers do not
    need triton; dynamo is content without it. It takes some seconds, once. Called when
    `reactorrl.rl.learner` is imported.

    Warns:
        RuntimeWarning: The GIL came back all the same; the text names the cure.
    """
    if "torch._dynamo" in sys.modules:
        return
    was_off = not _gil_is_enabled()
    hides = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and "triton" not in sys.modules
    if hides:
        sys.modules["triton"] = None  # type: ignore[assignment]
    try:
        import torch._dynamo  # noqa: F401, PLC0415
    finally:
        if hides:
            del sys.modules["triton"]
    if was_off and _gil_is_enabled():
        warnings.warn(
            "reactorrl: importing torch._dynamo turned the GIL on, so reactions take turns now;"
            " CPython's own warning names the module. Uninstall or update it, or set PYTHON_GIL=0"
            " to run it unlocked at your own risk",
            RuntimeWarning,
            stacklevel=2,
        )


def prepare_worker() -> None:
    """Make torch compute the same bits on this thread as on any other; cheap when called again.

    torch's number of threads belongs to each thread that asks for it, and how it splits a sum
    depends on that number. A body that uses torch calls this first, as it may run on any worker.
    """
    if not hasattr(_worker, "is_prepared"):
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        _worker.is_prepared = True


def prepare_gpu() -> None:
    """Let matrix products on a GPU be deterministic; before torch takes its first of this process.

    Up to torch 2.9 `torch.use_deterministic_algorithms` lets cuBLAS compute only with a workspace
    of a known size. A setting of the user's stays.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _gil_is_enabled() -> bool:
    check = getattr(sys, "_is_gil_enabled", None)
    return True if check is None else check()
