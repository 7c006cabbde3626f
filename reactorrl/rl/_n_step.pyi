"""Types of the compiled module: the border between Python and csrc/kernels/n_step.c."""

from typing import final

import numpy as np
from numpy.typing import NDArray

STEP: np.dtype[np.void]
"""One step: `row` of the observation in its lane and `row_step` from there to what followed,
`reward`, `terminated` (no value follows), `ended` (one way or the other)."""

@final
class NStep:
    """Puts n-step returns together from the steps of a replay memory, whose arrays it looks at.

    Args:
        steps: `(n_slots,)` of `STEP`, all lanes one after the other.
        written: `(n_lanes,)` positions until now.
        n: Steps of a return.
        gamma: Discount of the reward of the next step.
    """

    def __init__(
        self, steps: NDArray[np.void], written: NDArray[np.int64], n: int, gamma: float
    ) -> None: ...
    def gather(
        self, slots: NDArray[np.int64]
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.int64],
    ]:
        """Return what begins at these slots, each of which holds a step.

        A return ends with its episode, and at the newest step of its lane.

        Returns:
            `(len(slots),)` each: the sum of rewards; the discount of the value that follows; lane;
            index, which is position * n_lanes + lane; row of the observation; and of the one that
            the last step led to.
        """
    def advance(
        self, first: NDArray[np.int64], lanes: NDArray[np.int64], oldest: NDArray[np.int64]
    ) -> None:
        """Move `first` of these lanes to the first step whose row is not older than `oldest`.

        Args:
            first: `(n_lanes,)` positions; written.
            lanes: `(n,)`.
            oldest: `(n,)` rows.
        """
