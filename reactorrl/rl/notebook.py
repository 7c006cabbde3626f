"""Training in a notebook: the returns of the episodes, drawn while the program runs."""

from __future__ import annotations

import io
import time
from typing import Any

import reactorrl as rr

from .algorithm import Algorithm
from .plot import draw_returns, import_figure

_PERIOD = rr.msec(500)
_PAUSES = 9  # of a picture's drawing time, so that drawing takes at most a tenth of the time
_DPI = 90


def watch_returns(
    main: Algorithm, *, title: str = "", goal: float | None = None, **options: Any
) -> rr.RunReport:
    """Run a program as `reactorrl.run` does, and show the return of every episode meanwhile.

    The picture is in the cell that calls; it is drawn anew at most twice a second, on this thread,
    and the last one stays. Ctrl-C, or ■, stops the program orderly.

    Args:
        main: What learns, not run yet.
        title: Above the picture; empty for the name of the program's class and its env.
        goal: Drawn as a line.
        **options: Of `reactorrl.Program`; `fast` is True unless given.

    Raises:
        ImportError: IPython or matplotlib is not installed.
        KeyboardInterrupt: The user has interrupted; the program has ended.
        ReactionError: A body raised.
    """
    Image, display = _import_display()  # noqa: N806 - a class
    import_figure()
    title = title or f"{type(main).__name__} on {main.options.env_id}"

    def picture() -> Any:
        png = io.BytesIO()
        draw_returns(main.episodes, png, title=title, goal=goal, dpi=_DPI)
        return Image(data=png.getvalue(), format="png")

    program = rr.Program(main, **{"fast": True, **options})
    shown = display(picture(), display_id=True)
    try:
        with program:
            program.start()
            pause = _PERIOD
            while (report := program.join(timeout=pause)) is None:
                began = time.perf_counter_ns()
                shown.update(picture())
                pause = max(_PERIOD, _PAUSES * (time.perf_counter_ns() - began))
        return report
    finally:
        shown.update(picture())


def _import_display() -> tuple[Any, Any]:
    try:
        from IPython.display import Image, display  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError("a notebook needs IPython: pip install 'reactorrl[notebook]'") from None
    return Image, display
