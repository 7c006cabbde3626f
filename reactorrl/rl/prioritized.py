"""Prioritized replay: a transition is drawn the more often, the more there is to learn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Unpack

import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from ._sum_tree import SumTree
from .policy import LinearSchedule
from .replay import Batch, Buffer, MemoryOptions, ReplayMemory
from .trajectory import Trajectory


@dataclass(frozen=True)
class Priorities:
    """What a learner found out about the rows of a batch.

    Attributes:
        indices: `(rows,)` int64, the batch's own.
        values: `(rows,)` float, not negative: usually the absolute TD errors.
    """

    indices: NDArray[np.int64]
    values: NDArray[np.floating]


class PrioritizedReplayMemory(ReplayMemory):
    """A `ReplayMemory` that draws a transition with probability (priority + eps) ** alpha / sum.

    A new transition has the highest priority that there ever was, 1 at first, so that it is drawn
    soon.

    Args:
        alpha: How much priorities count; 0 is uniform.
        eps: Added to priorities, so that none is 0.
        n_lanes: Number of envs.
        options: As for `ReplayMemory`.

    Attributes:
        max_priority: The highest priority until now, `eps` included.

    Raises:
        ValueError: An argument is out of range, or nothing fits.

    Source:
        Schaul et al. (2016), Prioritized experience replay, the proportional variant.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.6,
        eps: float = 1e-6,
        n_lanes: int = 1,
        **options: Unpack[MemoryOptions],
    ) -> None:
        super().__init__(n_lanes=n_lanes, **options)
        if not alpha >= 0 or not eps > 0:
            raise ValueError(f"alpha={alpha}, eps={eps}: not negative, and positive")
        self.alpha = alpha
        self.eps = eps
        self.max_priority: float = 1.0
        self._tree = SumTree(len(self._steps))  # by slot: priority ** alpha; 0: not there

    def add(self, trajectory: Trajectory, first_lane: int = 0) -> None:
        """Copy all transitions in, over the oldest ones, as `ReplayMemory.add`."""
        first, written = self._first.copy(), self._written.copy()
        super().add(trajectory, first_lane)
        gone = self._slots_between(first, np.minimum(self._first, written))
        new = self._slots_between(np.maximum(self._first, written), self._written)
        self._tree.set(gone, np.zeros(len(gone)))
        self._tree.set(new, np.full(len(new), self.max_priority**self.alpha))

    def sample(self, batch_size: int, rng: np.random.Generator, beta: float = 1.0) -> Batch:
        """Draw transitions by their priorities, with replacement.

        The sum of all priorities is cut into `batch_size` equal parts, and one transition drawn
        from each; they come in random order.

        Args:
            batch_size: Rows of the batch; 0 is allowed.
            rng: Source of the random numbers, advanced by the call.
            beta: How much the weights make up for unequal probabilities, 0 to 1. They are
                (N * probability) ** -beta, divided by the largest that any transition would have.

        Returns:
            Copies, owned by the caller.

        Raises:
            ValueError: The memory is empty and `batch_size` is not 0.
        """
        slots, values = self._tree.sample(rng.random(batch_size))
        order = rng.permutation(batch_size)
        weights = (self._tree.minimum / values[order]) ** beta
        return self._gather(slots[order], weights.astype(np.float32))

    def update(self, priorities: Priorities) -> int:
        """Give transitions other priorities; of one that is named twice the last one counts.

        Returns:
            How many of them were still there. Those that were overwritten meanwhile are left out.

        Raises:
            ValueError: A priority is negative or not finite, or an index was never given out. Then
                nothing has changed.
        """
        values = np.asarray(priorities.values, np.float64)
        highest = float(values.max(initial=0.0))
        if not (values >= 0).all() or highest == np.inf:
            raise ValueError(
                "priorities must be finite and not negative; look at the learner's loss"
            )
        positions, lanes = np.divmod(priorities.indices, self.n_lanes)
        if (positions < 0).any() or (positions >= self._written[lanes]).any():
            raise ValueError("indices that this memory never gave out")
        there = positions >= self._first[lanes]
        if not there.all():
            values, positions, lanes = values[there], positions[there], lanes[there]
        self._tree.set(self._slots_at(lanes, positions), (values + self.eps) ** self.alpha)
        self.max_priority = max(self.max_priority, highest + self.eps)
        return len(values)

    def _slots_between(
        self, begins: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The slots of positions from `begins` to below `ends`, `(n_lanes,)` each."""
        n = np.maximum(ends - begins, 0)
        lanes = np.repeat(np.arange(self.n_lanes), n)
        within = np.arange(len(lanes)) - np.repeat(np.cumsum(n) - n, n)
        return self._slots_at(lanes, begins[lanes] + within)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, as `ReplayMemory.state_dict`."""
        return {
            **super().state_dict(),
            "max_priority": self.max_priority,
            "leaves": self._used(self._tree.leaves),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the memory was that gave this state; ValueError if it was another kind."""
        super().load_state_dict(state)
        self.max_priority = state["max_priority"]
        leaves = np.zeros(self._tree.n_leaves)
        self._used(leaves)[:] = state["leaves"]
        self._tree.set(np.arange(len(leaves)), leaves)


class PrioritizedReplayBuffer(Buffer):
    """A `ReplayBuffer` whose batches are drawn by priorities that the learner sends back.

    At a tag with both, `priorities` count before the batch is drawn. They name rows of any earlier
    batch; transitions that were overwritten meanwhile are left out.

    Args:
        n: Width of `trajectories`.
        num_envs: Of each rollout.
        batch_rows: Rows of a batch.
        learning_starts: Transitions to wait for.
        seed: Of the generator that draws the batches.
        alpha: How much priorities count; 0 is uniform.
        beta: How much the weights make up for it, over the transitions added.
        eps: Added to priorities, so that none is 0.
        options: `capacity`, `obs_shape` and others of `ReplayMemory`.

    Raises:
        ValueError: As `PrioritizedReplayMemory`.

    Source:
        Schaul et al. (2016), Prioritized experience replay, the proportional variant.
    """

    memory: PrioritizedReplayMemory
    priorities: Final = rr.Input[Priorities]()
    prioritized: Final = rr.Output[int]()

    def __init__(
        self,
        n: int,
        *,
        num_envs: int = 1,
        batch_rows: int,
        learning_starts: int,
        seed: int,
        beta: LinearSchedule,
        alpha: float = 0.6,
        eps: float = 1e-6,
        **options: Unpack[MemoryOptions],
    ) -> None:
        super().__init__(
            PrioritizedReplayMemory(alpha=alpha, eps=eps, n_lanes=n * num_envs, **options),
            n=n,
            num_envs=num_envs,
            batch_rows=batch_rows,
            learning_starts=learning_starts,
            seed=seed,
        )
        self.beta = beta

    @rr.reaction(priorities, effects=prioritized)
    def prioritize(self) -> None:
        """Take what the learner found out; set how many of the transitions were still there."""
        self.prioritized.set(self.memory.update(self.priorities.value))

    @rr.reaction(Buffer.trajectories, effects=Buffer.batch)
    def remember(self) -> None:
        """Take all trajectories in and draw the round's batch."""
        rows = self.add_all()
        beta = float(self.beta(np.int64(self.memory.added)))
        self.batch.set(self.memory.sample(rows, self.generator, beta))
