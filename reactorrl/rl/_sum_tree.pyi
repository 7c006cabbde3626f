"""Types of the compiled module: the border between Python and csrc/kernels/sum_tree.c."""

from typing import final

import numpy as np
from numpy.typing import NDArray

MIN_VALUE: float
MAX_VALUE: float

@final
class SumTree:
    """Draws indices in proportion to their values. Not thread-safe.

    What is drawn depends on the values of the leaves alone, not on the order in which they were
    set.

    Raises:
        ValueError: `n_leaves` is below 1 or above 2**40.

    Source:
        Schaul et al. (2016), Prioritized experience replay, appendix B.2.1.
    """

    n_leaves: int
    total: float  # the sum of all leaves
    minimum: float  # of the leaves that are not 0; infinity where all are
    leaves: NDArray[np.float64]  # `(n_leaves,)`, a view: to be written by `set` only

    def __init__(self, n_leaves: int) -> None: ...
    def set(self, leaves: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Set leaves, `(n,)` each, contiguous; of one named twice the last value stays.

        Raises:
            ValueError: There is no such leaf, or a value is neither 0 nor between `MIN_VALUE` and
                `MAX_VALUE`. Then nothing has changed.
        """
    def sample(
        self, uniforms: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Draw one leaf from each of n equal parts of the total, in their order.

        Args:
            uniforms: `(n,)` float64 in [0, 1): where in its part.

        Returns:
            The leaves, `(n,)` int64, ascending, and their values, `(n,)` float64.

        Raises:
            ValueError: All leaves are 0.
        """
