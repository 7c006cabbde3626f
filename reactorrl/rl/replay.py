"""Replay of past transitions: the memory, and the reactor that keeps one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Required, TypedDict, Unpack

import numpy as np
from numpy.typing import DTypeLike, NDArray

import reactorrl as rr

from ._n_step import STEP, NStep
from .observations import FrameRing, ObservationRing
from .trajectory import Trajectory

Lanes = NDArray[np.int64]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Transitions drawn from a memory: copies, owned by whoever received them.

    What `actions` are worth in `obs` is `rewards + discounts * V(next_obs)`, of whatever value V.

    Attributes:
        obs: `(rows, *obs_shape)`, in the observations' dtype.
        actions: `(rows, *action_shape)`, in the actions' dtype.
        rewards: `(rows,)` float32, discounted sums of up to n steps.
        next_obs: `(rows, *obs_shape)`, what the last of these steps led to: where an episode ended,
            its final observation.
        discounts: `(rows,)` float32: gamma to the power of the number of steps; 0 where the episode
            terminated, and only there. So one that was truncated is bootstrapped.
        indices: `(rows,)` int64, names for `PrioritizedReplayMemory.update`; None if the memory has
            no priorities.
        weights: `(rows,)` float32 in (0, 1], of the rows' losses: what makes up for drawing them
            with unequal probabilities; None if the memory has no priorities.
    """

    obs: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[np.float32]
    next_obs: NDArray[Any]
    discounts: NDArray[np.float32]
    indices: NDArray[np.int64] | None = None
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.rewards)


class MemoryOptions(TypedDict, total=False):
    """What a memory keeps, and how; the arguments of `ReplayMemory` but for the lanes."""

    capacity: Required[int]
    obs_shape: Required[Sequence[int]]
    obs_dtype: DTypeLike
    action_shape: Sequence[int]
    action_dtype: DTypeLike
    frame_stack: bool
    n_step: int
    gamma: float


class ReplayMemory:
    """The newest transitions of several envs, in preallocated rings.

    Each env has a *lane* of its own, in which the transition after another is the next one in time;
    so every observation is stored once, and n-step returns are put together when they are drawn. A
    return ends with the episode: at its termination nothing follows, where it was truncated the
    value of its final observation does. At the newest transition of a lane it ends too, with the
    steps that there are. If a trajectory does not begin with the observation that the one before it
    in its lane ended with, then the episode counts as truncated there.

    Not thread-safe: one reactor owns it.

    Args:
        capacity: Observations to keep, shared out evenly among the lanes. A transition takes one,
            the end of an episode one more. With `frame_stack` it is frames: a transition takes one,
            the end of an episode one more and the first observation of the next up to a whole
            stack.
        obs_shape: Of one observation.
        obs_dtype: Of one observation.
        action_shape: Of one action.
        action_dtype: Of one action.
        n_lanes: Number of envs.
        frame_stack: Observations are stacks of frames, `(depth, *frame_shape)`, the newest last:
            each frame is stored once. What is drawn is equal to what was added, also around resets.
        n_step: Steps of a return.
        gamma: Discount of the reward of the next step.

    Raises:
        ValueError: An argument is out of range, or nothing fits.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning; n-step returns
        as in Hessel et al. (2018), Rainbow.
    """

    def __init__(
        self,
        capacity: int,
        *,
        obs_shape: Sequence[int],
        obs_dtype: DTypeLike = np.float32,
        action_shape: Sequence[int] = (),
        action_dtype: DTypeLike = np.int64,
        n_lanes: int = 1,
        frame_stack: bool = False,
        n_step: int = 1,
        gamma: float = 0.99,
    ) -> None:
        if n_lanes < 1 or n_step < 1:
            raise ValueError(f"n_lanes={n_lanes}, n_step={n_step}: both must be at least 1")
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma={gamma}: must be between 0 and 1")
        if frame_stack and (len(obs_shape) < 2 or obs_shape[0] > np.iinfo(np.uint8).max):
            raise ValueError(
                f"obs_shape={tuple(obs_shape)}: not (frames, ...), at most 255 of them"
            )
        self._per_lane = capacity // n_lanes
        ring = FrameRing if frame_stack else ObservationRing
        self._obs = ring(n_lanes, max(self._per_lane, 0), obs_shape, obs_dtype)
        # The newest transition is always there: it, a final observation, and what follows.
        if self._per_lane < 3 * self._obs.depth:
            raise ValueError(
                f"capacity={capacity}: each of {n_lanes} lanes needs at least {3 * self._obs.depth}"
            )
        self.capacity = capacity
        self.obs_shape: tuple[int, ...] = tuple(obs_shape)
        self.n_lanes = n_lanes
        size = n_lanes * self._per_lane
        # By slot: lane * _per_lane + position % _per_lane, where a position counts the transitions
        # of its lane. Those from _first to below _written can be drawn.
        self._actions = np.zeros((size, *action_shape), action_dtype)
        self._steps = np.zeros(size, STEP)
        self._first = np.zeros(n_lanes, np.int64)
        self._written = np.zeros(n_lanes, np.int64)
        self._returns = NStep(self._steps, self._written, n_step, gamma)

    def __len__(self) -> int:
        """Transitions that can be drawn."""
        return int((self._written - self._first).sum())

    @property
    def added(self) -> int:
        """Transitions ever added."""
        return int(self._written.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, which are allocated when the memory is made."""
        return self._obs.array.nbytes + self._actions.nbytes + self._steps.nbytes

    def add(self, trajectory: Trajectory, first_lane: int = 0) -> None:
        """Copy all transitions in, over the oldest ones.

        Args:
            trajectory: Of n envs.
            first_lane: Of the trajectory's env 0; the others follow.

        Raises:
            ValueError: The trajectory's shapes are not those of the memory, or it does not fit.
        """
        n_steps, n_envs = trajectory.rewards.shape
        self._check(trajectory, first_lane)
        lanes = np.arange(first_lane, first_lane + n_envs)

        begun = self._written[lanes] > 0
        continues = np.zeros(n_envs, np.bool_)
        continues[begun] = self._obs.is_newest(lanes[begun], trajectory.obs[0, begun])
        cut = lanes[begun & ~continues]
        self._steps["ended"][self._slots_at(cut, self._written[cut] - 1)] = True

        rows, next_rows = self._obs.add(lanes, trajectory, continues)
        at = self._slots_at(lanes, self._written[lanes] + np.arange(n_steps)[:, None])
        self._actions[at] = trajectory.actions
        steps = np.zeros(at.shape, STEP)
        steps["row"], steps["row_step"] = rows, next_rows - rows
        steps["reward"] = trajectory.rewards
        steps["terminated"], steps["ended"] = trajectory.terminated, trajectory.ended
        self._steps[at] = steps
        self._written[lanes] += n_steps
        # What was overwritten is forgotten: the oldest transitions of each lane.
        self._returns.advance(self._first, lanes, self._obs.oldest(lanes))

    def _check(self, trajectory: Trajectory, first_lane: int) -> None:
        n_steps, n_envs = trajectory.rewards.shape
        if not 0 <= first_lane <= self.n_lanes - n_envs:
            raise ValueError(
                f"{n_envs} envs from lane {first_lane} on: the memory has {self.n_lanes} lanes"
            )
        if not n_steps:
            raise ValueError("a trajectory without steps")
        rows, actions, shape = self._obs.array, self._actions, self.obs_shape
        n_final = len(trajectory.final_obs)
        for name, given, kept, expected in (
            ("observations", trajectory.obs, rows, (n_steps, n_envs, *shape)),
            ("final observations", trajectory.final_obs, rows, (n_final, *shape)),
            ("last observations", trajectory.last_obs, rows, (n_envs, *shape)),
            ("actions", trajectory.actions, actions, (n_steps, n_envs, *actions.shape[1:])),
        ):
            if given.shape != expected or not np.can_cast(given.dtype, kept.dtype, "same_kind"):
                raise ValueError(
                    f"{name} are {given.dtype} {given.shape}: the memory was made for {kept.dtype}"
                    f" {expected}"
                )
        n_ends = np.count_nonzero(trajectory.ended, axis=0)
        if n_final != n_ends.sum():
            raise ValueError(f"{n_final} final observations for {n_ends.sum()} ended episodes")
        needed = n_steps + int(n_ends.max(initial=0)) + self._obs.depth
        if needed > self._per_lane:
            raise ValueError(
                f"{n_steps} steps of an env do not fit: they take {needed} observations, and a lane"
                f" has room for {self._per_lane} ({self.capacity} among {self.n_lanes})"
            )

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """Draw transitions uniformly, with replacement.

        Args:
            batch_size: Rows of the batch; 0 is allowed.
            rng: Source of the random numbers, advanced by the call.

        Returns:
            Copies, owned by the caller.

        Raises:
            ValueError: The memory is empty and `batch_size` is not 0.
        """
        if not len(self) and batch_size:
            raise ValueError("the memory is empty: there is nothing to sample")
        ends = np.cumsum(self._written - self._first)
        drawn = rng.integers(max(len(self), 1), size=batch_size)
        lanes = np.searchsorted(ends, drawn, side="right")
        positions = self._written[lanes] - (ends[lanes] - drawn)
        return self._gather(self._slots_at(lanes, positions))

    def _slots_at(self, lanes: Lanes, positions: Positions) -> NDArray[np.int64]:
        return lanes * self._per_lane + positions % self._per_lane

    def _gather(
        self, slots: NDArray[np.int64], weights: NDArray[np.float32] | None = None
    ) -> Batch:
        """Copy the transitions in these slots, and name them if they have weights."""
        rewards, discounts, lanes, indices, rows, next_rows = self._returns.gather(slots)
        return Batch(
            obs=self._obs.gather(lanes, rows),
            actions=self._actions.take(slots, axis=0),
            rewards=rewards,
            next_obs=self._obs.gather(lanes, next_rows),
            discounts=discounts,
            indices=None if weights is None else indices,
            weights=weights,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on: the arrays, as far as they are in use.

        They may be gigabytes and are views: what is to outlive the next `add` has to be copied.
        """
        return {
            "layout": self._layout(),
            "first": self._first.copy(),
            "written": self._written.copy(),
            "actions": self._used(self._actions),
            "steps": {name: self._used(self._steps[name]) for name in STEP.names},
            "obs": self._obs.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the memory was that gave this state.

        Raises:
            ValueError: It was a memory of another capacity, of other lanes or shapes.
        """
        if state["layout"] != self._layout():
            raise ValueError(
                f"the state is of a memory of {state['layout']}; this one has {self._layout()}"
            )
        self._first[:] = state["first"]
        self._written[:] = state["written"]
        self._used(self._actions)[:] = state["actions"]
        for name in STEP.names:
            self._used(self._steps[name])[:] = state["steps"][name]
        self._obs.load_state_dict(state["obs"])

    def _layout(self) -> str:
        actions, rows = self._actions, self._obs.array
        return (
            f"capacity {self.capacity}, {self.n_lanes} lanes, observations {self.obs_shape}"
            f" {rows.dtype} in rows of {rows.shape[1:]}, actions {actions.shape[1:]}"
            f" {actions.dtype}"
        )

    def _used(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of the slots in use, `(n_lanes, at most _per_lane, ...)`."""
        lanes = array.reshape(self.n_lanes, self._per_lane, *array.shape[1:])
        return lanes[:, : self._written.max()]


class Buffer(rr.Reactor):
    """Takes the trajectories of `n` rollouts into a memory; a subclass draws the batches.

    Args:
        memory: With a lane for each env.
        others: As for `ReplayBuffer`.
    """

    trajectories: Final = rr.Input[Trajectory](width="n")
    batch: Final = rr.Output[Batch]()

    def __init__(
        self,
        memory: ReplayMemory,
        *,
        n: int,
        num_envs: int,
        batch_rows: int,
        learning_starts: int,
        seed: int,
    ) -> None:
        self.memory = memory
        self.n = n
        self.num_envs = num_envs
        self.batch_rows = batch_rows
        self.learning_starts = learning_starts
        # The rollouts have (seed, 1) and on.
        self.generator: np.random.Generator = np.random.default_rng((seed, n + 1))

    def add_all(self) -> int:
        """Add what arrived; return how many rows the round's batch has.

        Raises:
            ValueError: As `ReplayMemory.add`, or a trajectory is not of `num_envs` envs.
        """
        for channel in self.trajectories.present():
            n_envs = channel.value.rewards.shape[1]
            if n_envs != self.num_envs:
                raise ValueError(
                    f"channel {channel.index}: {n_envs} envs, but num_envs={self.num_envs}"
                )
            self.memory.add(channel.value, channel.index * self.num_envs)
        return self.batch_rows if self.memory.added >= self.learning_starts else 0

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, as `ReplayMemory.state_dict`."""
        return {
            "memory": self.memory.state_dict(),
            "generator": self.generator.bit_generator.state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the buffer was that gave this state; ValueError if it was another kind."""
        self.memory.load_state_dict(state["memory"])
        self.generator.bit_generator.state = state["generator"]


class ReplayBuffer(Buffer):
    """Remembers the trajectories of `n` rollouts and answers each tag of theirs with one batch.

    Trajectories enter in the order of their channels, so that the memory does not depend on which
    of them was done first. The batch has the rows of all minibatches of one round; it has none
    before `learning_starts` transitions were there.

    Args:
        n: Width of `trajectories`.
        num_envs: Of each rollout.
        batch_rows: Rows of a batch.
        learning_starts: Transitions to wait for.
        seed: Of the generator that draws the batches.
        options: `capacity`, `obs_shape` and others of `ReplayMemory`.

    Raises:
        ValueError: As `ReplayMemory`.
    """

    def __init__(
        self,
        n: int,
        *,
        num_envs: int = 1,
        batch_rows: int,
        learning_starts: int,
        seed: int,
        **options: Unpack[MemoryOptions],
    ) -> None:
        super().__init__(
            ReplayMemory(n_lanes=n * num_envs, **options),
            n=n,
            num_envs=num_envs,
            batch_rows=batch_rows,
            learning_starts=learning_starts,
            seed=seed,
        )

    @rr.reaction(Buffer.trajectories, effects=Buffer.batch)
    def remember(self) -> None:
        """Take all trajectories in and draw the round's batch."""
        self.batch.set(self.memory.sample(self.add_all(), self.generator))
