"""Rings of observations: what a replay memory keeps of what the agent saw.

A ring holds a *lane* for each env. A lane's *rows* are numbered through, from the first to the
newest; when a lane is full, its oldest rows are overwritten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .trajectory import Trajectory

Rows = NDArray[np.int64]


class ObservationRing:
    """Keeps each observation once, the final ones of episodes among the others.

    Args:
        n_lanes: Number of envs.
        capacity: Rows of a lane.
        obs_shape: Of one observation.
        dtype: Of one observation.

    Attributes:
        array: `(n_lanes * capacity, *obs_shape)`, lane by lane.
        counts: `(n_lanes,)` int64, rows of each lane until now, overwritten ones too.
    """

    depth = 1  # rows of an observation

    def __init__(
        self, n_lanes: int, capacity: int, obs_shape: Sequence[int], dtype: DTypeLike
    ) -> None:
        self.capacity = capacity
        self.array: NDArray[Any] = np.zeros((n_lanes * capacity, *obs_shape), dtype)
        self.counts: Rows = np.zeros(n_lanes, np.int64)

    def is_newest(self, lanes: Rows, obs: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each observation is, byte for byte, the newest one of its lane.

        Args:
            lanes: `(n,)`, each with at least one row.
            obs: `(n, *obs_shape)`.
        """
        kept = self.gather(lanes, self.counts[lanes] - 1)
        given = np.ascontiguousarray(obs, kept.dtype)
        return (as_bytes(kept) == as_bytes(given)).all(axis=1)

    def add(
        self, lanes: Rows, trajectory: Trajectory, continues: NDArray[np.bool_]
    ) -> tuple[Rows, Rows]:
        """Append a trajectory's observations to their lanes, in order of time.

        Args:
            lanes: `(n,)`, of its envs, all different.
            trajectory: Of n envs, T steps each.
            continues: `(n,)`, where the first observation is the newest one of its lane already.

        Returns:
            `(T, n)` each: the row of every observation, and of the one that its step led to.
        """
        ended, n_steps = trajectory.ended, len(trajectory.obs)
        ends = np.cumsum(ended, axis=0)
        first = self.counts[lanes] - continues
        rows = first + np.arange(n_steps)[:, None] + ends - ended
        last = first + n_steps + ends[-1]
        self.array[self._places(lanes, rows)] = trajectory.obs
        self.array[self._places(lanes, rows + 1)[ended]] = trajectory.final_obs
        self.array[self._places(lanes, last)] = trajectory.last_obs
        self.counts[lanes] = last + 1
        return rows, rows + 1

    def oldest(self, lanes: Rows) -> Rows:
        """Return the lowest row of each lane at which a whole observation ends; `(n,)`."""
        return self.counts[lanes] - self.capacity + self.depth - 1

    def gather(self, lanes: Rows, rows: Rows) -> NDArray[Any]:
        """Return copies of observations, `(n, *obs_shape)`, for `(n,)` lanes and rows."""
        return self.array.take(self._places(lanes, rows), axis=0)

    def _places(self, lanes: Rows, rows: Rows) -> Rows:
        return lanes * self.capacity + rows % self.capacity

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on, without rows that were never written.

        The rows, which may be gigabytes, are a view: it changes with the ring.
        """
        return {"counts": self.counts.copy(), "rows": self._filled(self.counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what another ring of the same lanes, capacity and shapes had."""
        self.counts[:] = state["counts"]
        self._filled(self.counts)[:] = state["rows"]

    def _filled(self, counts: Rows) -> NDArray[Any]:
        """A view of the rows in use, `(n_lanes, at most capacity, ...)`."""
        lanes = self.array.reshape(len(counts), self.capacity, *self.array.shape[1:])
        return lanes[:, : counts.max()]


class FrameRing(ObservationRing):
    """Keeps the frames of stacked observations, each once.

    An observation is a stack of `depth` frames, the newest last. Of one that goes on where the
    newest of its lane stopped, only the frames that are new are stored; how many that are is found
    by comparing, so that every stack comes out as it went in, whatever an env does when it is
    reset.

    Args:
        n_lanes: Number of envs.
        capacity: Frames of a lane.
        obs_shape: `(depth, *frame_shape)`.
        dtype: Of a pixel.

    Attributes:
        array: `(n_lanes * capacity, *frame_shape)`, lane by lane.
    """

    depth: int

    def __init__(
        self, n_lanes: int, capacity: int, obs_shape: Sequence[int], dtype: DTypeLike
    ) -> None:
        self.depth, *frame_shape = obs_shape
        super().__init__(n_lanes, capacity, frame_shape, dtype)
        self._newest = np.zeros((n_lanes, *obs_shape), dtype)
        # How many frames may be new, the most frequent number first.
        self._numbers_new = (1, 0, *range(2, self.depth))

    def add(
        self, lanes: Rows, trajectory: Trajectory, continues: NDArray[np.bool_]
    ) -> tuple[Rows, Rows]:
        """Append a trajectory's observations to their lanes, as in the base class."""
        obs, ended, final_obs = trajectory.obs, trajectory.ended, trajectory.final_obs
        rows, next_rows = np.empty((2, *ended.shape), np.int64)
        number = np.cumsum(ended).reshape(ended.shape) - 1
        for env, lane in enumerate(lanes.tolist()):
            for step, is_end in enumerate(ended[:, env].tolist()):
                if step or not continues[env]:
                    self._append(lane, obs[step, env])
                rows[step, env] = self.counts[lane] - 1
                if is_end:
                    self._append(lane, final_obs[number[step, env]])
                    next_rows[step, env] = self.counts[lane] - 1
            self._append(lane, trajectory.last_obs[env])
            going = ~ended[:, env]
            following = np.append(rows[1:, env], self.counts[lane] - 1)
            next_rows[going, env] = following[going]
        return rows, next_rows

    def _append(self, lane: int, stack: NDArray[Any]) -> None:
        count, depth, newest = int(self.counts[lane]), self.depth, self._newest[lane]
        n_new = depth
        if count:
            for n in self._numbers_new:
                if np.array_equal(stack[: depth - n], newest[n:]):
                    n_new = n
                    break
        for row in range(count, count + n_new):
            place = lane * self.capacity + row % self.capacity
            self.array[place] = stack[depth - n_new + row - count]
        newest[:] = stack
        self.counts[lane] = count + n_new

    def gather(self, lanes: Rows, rows: Rows) -> NDArray[Any]:
        """Return copies of stacks, `(n, depth, *frame_shape)`, for `(n,)` lanes and rows."""
        frames = rows[:, None] + np.arange(1 - self.depth, 1)
        return self.array.take(self._places(lanes[:, None], frames), axis=0)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what another ring of the same lanes, capacity and shapes had."""
        super().load_state_dict(state)
        lanes = np.flatnonzero(self.counts)
        self._newest[lanes] = self.gather(lanes, self.counts[lanes] - 1)


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """View a contiguous array as `(len(array), n_bytes)`."""
    return array.reshape(len(array), math.prod(array.shape[1:])).view(np.uint8)
