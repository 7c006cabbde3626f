"""A device with memory of its own, as torch sees one, on the CPU: `install()`, then device "sim".

Its tensors keep their numbers in a tensor of the CPU that only this module sees. Every operation is
computed there by the CPU's own kernel; so results are equal to those of the CPU, and what a GPU
refuses is refused: an operation on tensors of both devices, and `numpy()`. `counts` says how often
each operation ran, moving tensors included.
"""

from collections import Counter

import torch
from torch.utils._pytree import tree_flatten, tree_map_only, tree_unflatten
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

DEVICE = "sim"
counts = Counter()
_aten = torch.ops.aten
_MAY_MIX = {_aten.copy_.default, _aten._copy_from.default}


class OnDevice(torch.Tensor):
    """A tensor that says it is on the device; `numbers` is on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, numbers):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=torch.device(DEVICE, 0),
        )

    def __init__(self, numbers):
        self.numbers = numbers

    @property
    def data(self):
        return torch.Tensor.data.__get__(self)

    @data.setter
    def data(self, value):
        torch.Tensor.data.__set__(self, value)
        self.numbers = value.numbers  # torch itself knows nothing of them

    def tolist(self):
        """Refused for subclasses; a GPU gives one."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _compute(operation, *args, **(kwargs or {}))

    def __repr__(self, *, tensor_contents=None):
        return f"OnDevice({self.numbers})"


def _compute(operation, *args, **kwargs):
    """What `operation` gives, computed on the CPU."""
    values, spec = tree_flatten((args, kwargs))
    ours = [value for value in values if isinstance(value, OnDevice)]
    others = [
        value
        for value in values
        if isinstance(value, torch.Tensor) and not isinstance(value, OnDevice)
    ]
    if ours and operation not in _MAY_MIX and any(other.dim() for other in others):
        raise RuntimeError(
            f"{operation}: expected all tensors to be on the same device, but found {DEVICE} and"
            " cpu"
        )
    is_result_ours = bool(ours)
    if isinstance(kwargs.get("device"), torch.device):
        is_result_ours = kwargs["device"].type == DEVICE
    counts[str(operation)] += 1
    arguments = [value.numbers if isinstance(value, OnDevice) else value for value in values]
    arguments = [
        torch.device("cpu") if isinstance(value, torch.device) else value for value in arguments
    ]
    inner_args, inner_kwargs = tree_unflatten(arguments, spec)
    if operation is _aten._copy_from.default:
        source, target = inner_args[:2]
        target.copy_(source)
        return args[1]
    found = operation(*inner_args, **inner_kwargs)

    def outer(result):
        for value in values:
            if result is value or (isinstance(value, OnDevice) and result is value.numbers):
                return value  # what was written into
        return OnDevice(result) if is_result_ours else result

    return tree_map_only(torch.Tensor, outer, found)


def install():
    """Make the device known to torch; once in a process. The result has to be kept."""
    _setup_privateuseone_for_python_backend(DEVICE)
    every = torch.library.Library("_", "IMPL")
    every.fallback(_compute, "PrivateUse1")
    # `torch.tensor` hides subclasses from what it calls, and there the fallback is not found.
    aten = torch.library.Library("aten", "IMPL")
    copy_from = _aten._copy_from.default
    aten.impl("_copy_from", lambda *args, **kw: _compute(copy_from, *args, **kw), "PrivateUse1")
    return every, aten
