"""`Envs`: single envs, their batch, and the jobs that threads do with some of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from .batch import Batch
from .pool import Job, Seat

_LINE_BYTES = 64  # of a cache
_clock = time.perf_counter_ns


class Envs:
    """Envs and the results of their latest calls.

    A job is called with a seat and the indices of some envs; jobs for different envs may run at
    once. What an env gives is written into its row of the arrays, or left with the seat.

    Attributes:
        envs: The envs; `None` for one that has not been made.
        batch: The observations; set it before `bind`.
        rewards, terminations, truncations: Shape `(n,)`; float64, bool, bool.
        is_over: By index, whether the latest step ended the episode.
        actions: By index, what the next step takes.
        seeds: By index, that of the latest `begin_reset`.
    """

    batch: Batch

    def __init__(self, env_fns: Sequence[Callable[[], Any]], *, is_timed: bool) -> None:
        n = len(env_fns)
        self._env_fns = env_fns
        self._is_timed = is_timed
        self.envs: list[Any] = [None] * n
        # Each reward in a cache line of its own: threads that write into one wait for each other.
        self.rewards: NDArray[np.float64] = np.zeros((n, _LINE_BYTES // 8), dtype=np.float64)[:, 0]
        self.terminations: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self.truncations: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self.is_over: list[bool] = [False] * n
        self.actions: Any = [None] * n
        self.seeds: list[int | None] = [None] * n
        self._closed: set[int] = set()
        self._mask: Any = None
        self._options: dict[str, Any] | None = None
        self._calls: list[Any] = [None] * n  # step, reset, write

    def stepping(self, mode: AutoresetMode) -> Job:
        """The job that steps envs in this mode; `(index, info)` of each is left with the seat."""
        return {
            AutoresetMode.NEXT_STEP: self._step_or_reset,
            AutoresetMode.SAME_STEP: self._step_and_reset,
            AutoresetMode.DISABLED: self._step_or_reset,
        }[mode]

    def begin_reset(
        self, mask: Any, seeds: Sequence[int | None], options: dict[str, Any] | None
    ) -> None:
        """What the next `reset` does: the envs of a bool array, with these seeds and options."""
        self._mask, self._options = mask, options
        for index in np.flatnonzero(mask):
            self._end(index, False, False)
            self.seeds[index] = seeds[index]

    # ---- jobs ----------------------------------------------------------------------------------

    def make(self, seat: Seat, indices: Iterable[int]) -> None:
        """Makes the envs."""
        for index in indices:
            seat.at = index
            self.envs[index] = self._env_fns[index]()

    def bind(self, seat: Seat, indices: Iterable[int]) -> None:
        """Makes what steps need, on the thread that will count its references."""
        for index in indices:
            env = self.envs[index]
            self._calls[index] = (env.step, env.reset, self.batch.writer(index))

    def reset(self, seat: Seat, indices: Iterable[int]) -> None:
        """Resets those that `begin_reset` named; leaves `(index, info)`."""
        for index in indices:
            if self._mask[index]:
                seat.at = index
                if self._is_timed:
                    seat.since_ns = _clock()
                _, reset, write = self._calls[index]
                obs, info = reset(seed=self.seeds[index], options=self._options)
                write(obs)
                if info:
                    seat.found.append((index, info))

    def _step_or_reset(self, seat: Seat, indices: Iterable[int]) -> None:
        """NEXT_STEP: the step after an end is a reset. DISABLED: nobody steps one that is over."""
        calls, actions, rewards, is_over = self._calls, self.actions, self.rewards, self.is_over
        is_timed = self._is_timed
        for index in indices:
            seat.at = index
            if is_timed:
                seat.since_ns = _clock()
            step, reset, write = calls[index]
            if is_over[index]:
                obs, info = reset()
                rewards[index] = 0.0
                self._end(index, False, False)
            else:
                obs, rewards[index], terminated, truncated, info = step(actions[index])
                if terminated or truncated:
                    self._end(index, terminated, truncated)
            write(obs)
            if info:
                seat.found.append((index, info))

    def _step_and_reset(self, seat: Seat, indices: Iterable[int]) -> None:
        """SAME_STEP: a reset follows an end at once."""
        calls, actions, rewards, is_over = self._calls, self.actions, self.rewards, self.is_over
        is_timed = self._is_timed
        for index in indices:
            seat.at = index
            if is_timed:
                seat.since_ns = _clock()
            step, reset, write = calls[index]
            obs, rewards[index], terminated, truncated, info = step(actions[index])
            if terminated or truncated:
                # A copy, as the env may use the same memory for its next observation.
                final = {"final_obs": deepcopy(obs), "final_info": info}
                seat.found.append((index, final))
                obs, info = reset()
                self._end(index, terminated, truncated)
            elif is_over[index]:
                self._end(index, False, False)
            write(obs)
            if info:
                seat.found.append((index, info))

    def _end(self, index: int, terminated: Any, truncated: Any) -> None:
        """Notes how the env's latest step ended; the flags are only written where they change."""
        self.terminations[index] = terminated
        self.truncations[index] = truncated
        self.is_over[index] = bool(terminated or truncated)

    def close(self, seat: Seat, indices: Iterable[int]) -> None:
        """Closes the envs that were made, each once; leaves the errors."""
        for index in indices:
            if self.envs[index] is None or index in self._closed:
                continue
            self._closed.add(index)
            seat.at = index
            try:
                self.envs[index].close()
            except Exception as error:
                seat.found.append(error)
