"""Types of the compiled module: the border between Python and csrc/kernels/screen.c."""

from typing import final

import numpy as np
from numpy.typing import NDArray

@final
class FrameStack:
    """Screens of palette indices in, a stack of the last small grey frames out. Not thread-safe.

    Args:
        screen_shape: rows and columns of a screen.
        frame_shape: rows and columns of a frame; not larger.
        n_frames: how many frames the stack has.

    Raises:
        ValueError: a screen cannot be averaged exactly to such frames, or `n_frames` is below 1.
    """

    screen: NDArray[np.uint8]  # `screen_shape`: the caller writes a screen here, then calls `see`
    frames: NDArray[np.uint8]  # `(n_frames, *frame_shape)`, oldest first; changed by `push`

    def __init__(
        self, screen_shape: tuple[int, int], frame_shape: tuple[int, int], n_frames: int
    ) -> None: ...
    def see(self) -> bool:
        """Take `screen` as the newest one; False, and nothing taken, if a colour is not known."""

    def learn(self, grey: NDArray[np.uint8]) -> None:
        """Remember the grey level, 0 to 255, of each colour in `screen`.

        Raises:
            ValueError: `grey` has another shape than a screen.
        """

    def push(self, newest_only: bool = False) -> None:
        """Move the frames up and append a new one.

        It is, pixel by pixel, the brighter of the last two screens seen, or the newest one alone,
        averaged over areas and rounded to even.
        """
