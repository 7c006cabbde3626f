"""`ReactorVectorEnv`: a Gymnasium vector env whose envs are stepped by several threads."""

from __future__ import annotations

import operator
import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import Space
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import iterate

from ..errors import PhaseError
from ..interrupts import warn_if_gil_is_enabled
from ..placement import place
from .arguments import checked_fns, checked_ids, checked_mask, checked_seeds
from .batch import make_batch
from .exchange import Exchange
from .infos import merged
from .pool import Job, Pool, Seat, TaskError, TaskTimeout
from .spaces import ARRAY_SPACES, action_spaces, observation_spaces
from .stepping import Envs

_CLOSE_GRACE_S = 5.0  # for envs that have not returned yet
_RESET_GRACE_S = 1.0


class ReactorVectorEnv(VectorEnv[Any, Any, Any]):
    """Steps Python envs side by side on threads; element for element equal to `SyncVectorEnv`.

    The calling thread does its share, so `workers=1` makes no thread at all. Each env is made and,
    as a rule, stepped by the same thread; one that has finished takes over from others. No env is
    entered by two threads at once. Results do not depend on `workers` as long as envs share no
    state, the global random generators of NumPy and Python included.

    On free-threaded Python the envs run in parallel; with a GIL they take turns, except where they
    wait or release it.

    An env that raises: the batch is finished, then the error of the first such env is raised, with
    its own traceback and a note that names the env, its seed and the step. After that, as after
    Ctrl-C in a call and after a `step_timeout`, `reset` begins anew. The child of a fork can only
    `close`.

    Args:
        env_fns: Functions that make the envs. They are called one after the other, each on the
            thread that will step the env.
        copy: Whether observations are the caller's; without, the next call changes them.
        observation_mode: `"same"`: all observation spaces are equal. `"different"`: they share
            shape and dtype. Or a tuple of the batched space and the single one.
        autoreset_mode: When an env that is over is reset; `gymnasium.vector.AutoresetMode` or its
            value.
        workers: Threads that step envs, the calling one included; `None` for the usable cores.
            More than these help envs that wait for something.
        step_timeout: Longest time, in seconds, that an env may take for a reset or a step. With it,
            all envs are on threads other than the calling one, which costs tens of microseconds.

    Attributes:
        envs: The envs, in order.
        workers: How many threads step them.

    Raises:
        TypeError: An argument or a space is of the wrong type.
        ValueError: An option has a wrong value, or there is no env.
        RuntimeError: The spaces of the envs differ.

    Source:
        `gymnasium.vector.SyncVectorEnv` 1.4, which says what every result is.

    Deviations:
        1. `options` is left as it was; there, `"reset_mask"` is taken out of the caller's dict.
        2. `infos["final_obs"]` holds copies; there, an env that reuses its memory changes them.
        3. An env that raises does not keep those after it from being stepped.
    """

    observation_space: Space[Any]
    single_observation_space: Space[Any]
    action_space: Space[Any]
    single_action_space: Space[Any]

    def __init__(
        self,
        env_fns: Iterable[Callable[[], gym.Env[Any, Any]]],
        *,
        copy: bool = True,
        observation_mode: str | tuple[Space[Any], Space[Any]] = "same",
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        workers: int | None = None,
        step_timeout: float | None = None,
    ) -> None:
        super().__init__()
        self.env_fns: list[Callable[[], gym.Env[Any, Any]]] = checked_fns(env_fns)
        self.num_envs: int = len(self.env_fns)
        self.copy = copy
        self.observation_mode = observation_mode
        self.autoreset_mode: AutoresetMode = AutoresetMode(autoreset_mode)
        self.workers: int = min(place(None, workers)[0], self.num_envs)
        if step_timeout is not None and not step_timeout > 0:
            raise ValueError(f"step_timeout={step_timeout!r}: give a positive number of seconds")
        self.step_timeout = step_timeout
        if self.workers > 1:
            warn_if_gil_is_enabled()
        self._all = Envs(self.env_fns, is_timed=step_timeout is not None)
        self.envs: list[gym.Env[Any, Any]] = self._all.envs
        self._n_steps = 0  # since all envs were reset
        self._failed: str | None = None
        self._exchange: Exchange | None = None
        self._pool = self._new_pool()
        try:
            self._run(self._all.make, "env_fns", in_order=True)
            self.single_observation_space, self.observation_space = observation_spaces(
                self.envs, observation_mode
            )
            self.single_action_space, self.action_space = action_spaces(self.envs)
            self._all.batch = make_batch(self.single_observation_space, self.num_envs)
            self._run(self._all.bind, "env_fns", in_order=True)
        except BaseException:
            self.close()
            raise
        self.metadata: dict[str, Any] = {
            **self.envs[0].metadata,
            "autoreset_mode": self.autoreset_mode,
        }
        self.render_mode: str | None = self.envs[0].render_mode
        self._takes_arrays = isinstance(self.single_action_space, ARRAY_SPACES)
        self._is_autoreset = self.autoreset_mode is not AutoresetMode.DISABLED
        self._step_job = self._all.stepping(self.autoreset_mode)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seeds of the envs' generators."""
        return self.get_attr("np_random_seed")

    @property
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The envs' generators."""
        return self.get_attr("np_random")

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the envs, all or some of them.

        Args:
            seed: An int from which env i gets `seed + i`; or for each env an int or `None`.
            options: For each env, but for `"reset_mask"`, a bool array of shape `(num_envs,)`: the
                envs to reset.

        Returns:
            The observations of all envs, and the infos of those that were reset.

        Raises:
            TypeError, ValueError: An argument is wrong.
            ClosedEnvironmentError: It has been closed.
            PhaseError: Some envs cannot be reset alone now, or this is the child of a fork.
            TimeoutError: An env takes longer than `step_timeout`, or is still in such a call.
        """
        seeds = checked_seeds(seed, self.num_envs)
        mask = np.ones(self.num_envs, dtype=np.bool_)
        is_partial = options is not None and "reset_mask" in options
        if options is not None and is_partial:
            mask = checked_mask(options["reset_mask"], self.num_envs)
            options = {key: value for key, value in options.items() if key != "reset_mask"}
        if not is_partial and not self.closed:
            self._begin_anew()
        self._check("reset")
        self._all.begin_reset(mask, seeds, options)
        found = self._run(self._all.reset, "reset")
        return self._all.batch.all(self.copy), merged(found, self.num_envs)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step each env with its action.

        Args:
            actions: One for each env, in the form of `action_space`.

        Returns:
            Observations; rewards, float64; terminations and truncations, bool; infos. Each array
            has shape `(num_envs, ...)` and is the caller's, the observations if `copy`.

        Raises:
            ValueError: There are not as many actions as envs.
            ResetNeeded: In mode DISABLED an env is over.
            ClosedEnvironmentError: It has been closed.
            PhaseError: After a failure, `reset` must come first; or `recv` after `send`.
            TimeoutError: An env takes longer than `step_timeout`.
        """
        self._check("step")
        envs = self._all
        if not self._is_autoreset:
            self._check_over(range(self.num_envs))
        envs.actions = self._split(actions)
        self._n_steps += 1
        found = self._run(self._step_job, "step")
        return (
            envs.batch.all(self.copy),
            envs.rewards.copy(),
            envs.terminations.copy(),
            envs.truncations.copy(),
            merged(found, self.num_envs) if found else {},
        )

    def send(self, actions: Any, env_ids: Sequence[int] | None = None) -> None:
        """Begin to step some envs and return at once; `recv` returns what they give.

        Not deterministic: which envs come back together depends on how long each takes. Each by
        itself does what it would do in `step`.

        Args:
            actions: One for each of `env_ids`, in this order; for all envs in the form of
                `action_space`.
            env_ids: Indices of envs that are not under way, each once; `None` for all.

        Raises:
            ValueError: An index is wrong or there twice, or there are not as many actions.
            ResetNeeded, ClosedEnvironmentError: As for `step`.
            PhaseError: An env is under way, or `reset` must come first.
        """
        self._check("send")
        if env_ids is None:
            ids, given = list(range(self.num_envs)), list(self._split(actions))
        else:
            ids, given = checked_ids(env_ids, self.num_envs), list(actions)
        if len(given) != len(ids):
            raise ValueError(f"send() got {len(given)} actions for {len(ids)} envs")
        if self._exchange is None:
            limit_ns = round((self.step_timeout or 0) * 1e9)
            self._exchange = Exchange(self.workers, limit_ns)
            weakref.finalize(self, Exchange.stop, self._exchange)
        busy = sorted(self._exchange.under_way.intersection(ids))
        if busy:
            raise PhaseError(f"send(): envs {busy} are under way; recv() returns them")
        if not self._is_autoreset:
            self._check_over(ids)
        if not isinstance(self._all.actions, list):
            self._all.actions = [None] * self.num_envs
        for index, action in zip(ids, given, strict=True):
            self._all.actions[index] = action
        self._n_steps += 1
        self._exchange.send(self._step_job, ids)

    def recv(
        self, n: int | None = None, *, timeout: float | None = None
    ) -> tuple[Any, Any, Any, Any, Any, dict[str, Any]]:
        """Wait until `n` of the envs sent are done; return those that were first.

        Args:
            n: How many; `None` for all that are under way.
            timeout: Longest time to wait, in seconds.

        Returns:
            The indices of the envs, int64, ascending, shape `(n,)`; then what `step` returns, with
            row k for the k-th of these envs. All is the caller's.

        Raises:
            ValueError: There are not as many under way.
            TimeoutError: There are not as many in time, which loses nothing; or an env takes longer
                than `step_timeout`.
            ClosedEnvironmentError, PhaseError: As for `step`.
        """
        self._check("recv")
        exchange = self._exchange
        n_under_way = 0 if exchange is None else len(exchange.under_way)
        n = n_under_way if n is None else operator.index(n)
        if exchange is None or not 1 <= n <= n_under_way:
            raise ValueError(f"recv({n}): {n_under_way} envs are under way; send() some")
        try:
            ids, found = exchange.recv(n, timeout)
        except (TaskError, TaskTimeout) as failure:
            error = self._failure(failure, "step")
        except TimeoutError as late:
            text = f"recv({n}): after {timeout} s envs {late} are still under way"
            raise TimeoutError(text) from None
        else:
            row_of = {index: row for row, index in enumerate(ids)}
            return (
                np.array(ids, dtype=np.int64),
                self._all.batch.some(ids),
                self._all.rewards[ids],
                self._all.terminations[ids],
                self._all.truncations[ids],
                merged([(row_of[index], info) for index, info in found], n),
            )
        raise error

    def render(self) -> tuple[Any, ...]:
        """Return the frame of each env."""
        return self._of_each(lambda index: self.envs[index].render(), "render")

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Call a method of each env, or of a wrapper around it, and return the results in order.

        The envs are called side by side. What is no method is returned as it is.
        """

        def call_one(index: int) -> Any:
            found = self.envs[index].get_wrapper_attr(name)
            return found(*args, **kwargs) if callable(found) else found

        return self._of_each(call_one, "call")

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return an attribute of each env, or of a wrapper around it."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Set an attribute of each env, in the wrapper that has it.

        Args:
            name: The attribute.
            values: A list or tuple with a value for each env, or one value for all.

        Raises:
            ValueError: There are not as many values as envs.
        """
        if not isinstance(values, list | tuple):
            values = [values] * self.num_envs
        if len(values) != self.num_envs:
            raise ValueError(
                f"set_attr() got {len(values)} values of {name!r} for {self.num_envs} envs"
            )
        self._of_each(lambda k: self.envs[k].set_wrapper_attr(name, values[k]), "set_attr")

    def close_extras(self, **kwargs: Any) -> None:
        """Close the envs and end the threads; `close` calls it.

        An env that is in a call and does not return within seconds is left there with its thread,
        and a RuntimeWarning says so.
        """
        stuck = set() if self._exchange is None else set(self._exchange.stop(_CLOSE_GRACE_S))
        errors = []
        if self._pool.problem is None and not stuck:
            errors = self._run(self._all.close, "close", in_order=True)
        stuck.update(self._pool.stop(_CLOSE_GRACE_S))
        seat = Seat(range(0))
        self._all.close(seat, [index for index in range(self.num_envs) if index not in stuck])
        for index in sorted(stuck):
            text = f"{self} is closed, but {self._name_of(index)} has not returned and is left"
            warnings.warn(text, RuntimeWarning, stacklevel=3)
        for error in errors + seat.found:
            raise error

    # ---- under the surface ---------------------------------------------------------------------

    def _new_pool(self) -> Pool:
        pool = Pool(self.num_envs, self.workers, self.step_timeout)
        weakref.finalize(self, Pool.stop, pool)
        return pool

    def _check(self, call: str) -> None:
        """Whether the call is allowed now."""
        exchange = self._exchange
        if self.closed:
            raise ClosedEnvironmentError(f"{call}(): {self} has been closed")
        if self._pool.problem is not None:
            way_out = "" if self._pool.is_forked else "; reset() begins anew"
            raise PhaseError(f"{call}(): {self} {self._pool.problem}{way_out}")
        if self._failed is not None and call in ("step", "send", "recv", "reset"):
            raise PhaseError(f"{call}(): {self._failed}; reset() of all envs begins anew")
        if exchange is not None and exchange.under_way and call not in ("send", "recv"):
            busy = sorted(exchange.under_way)
            raise PhaseError(f"{call}(): envs {busy} are under way; recv() returns them")

    def _begin_anew(self) -> None:
        """What stands in the way after a failure is put away."""
        if self._pool.is_forked:
            return
        stuck = []
        if self._failed is not None and self._exchange is not None:
            stuck = self._exchange.stop(_RESET_GRACE_S)
            self._exchange = self._exchange if stuck else None
        if self._pool.problem is not None:
            stuck += self._pool.stop(_RESET_GRACE_S)
        for index in stuck:
            raise TimeoutError(f"reset(): {self._name_of(index)} is still in an earlier call")
        if self._pool.problem is not None:
            self._pool = self._new_pool()
        self._failed = None
        self._n_steps = 0

    def _run(self, job: Job, call: str, *, in_order: bool = False) -> list[Any]:
        try:
            return self._pool.run_in_order(job) if in_order else self._pool.run(job)
        except (TaskError, TaskTimeout) as failure:
            error = self._failure(failure, call)
        raise error

    def _failure(self, failure: TaskError | TaskTimeout, call: str) -> BaseException:
        """The error for the user."""
        name = self._name_of(failure.task)
        when = f", {self._n_steps} steps after the reset of all" if call == "step" else ""
        if isinstance(failure, TaskTimeout):
            text = f"{name} has not returned from {call} after {self.step_timeout} s{when}"
            self._failed = text
            return TimeoutError(text)
        if call in ("step", "reset"):
            self._failed = f"{name} raised {type(failure.error).__name__}"
        failure.error.add_note(f"in {call} of {name}{when}")
        return failure.error

    def _name_of(self, index: int) -> str:
        return f"env {index} of {self.num_envs} (seed {self._all.seeds[index]})"

    def _of_each(self, function: Callable[[int], Any], call: str) -> tuple[Any, ...]:
        self._check(call)
        results: list[Any] = [None] * self.num_envs

        def job(seat: Seat, indices: Iterable[int]) -> None:
            for index in indices:
                seat.at = index
                results[index] = function(index)

        self._run(job, call)
        return tuple(results)

    def _split(self, actions: Any) -> Any:
        """What has the action of env i at index i."""
        if not (self._takes_arrays and type(actions) is np.ndarray and actions.ndim):
            actions = list(iterate(self.action_space, actions))
        if len(actions) != self.num_envs:
            raise ValueError(f"got {len(actions)} actions for {self.num_envs} envs")
        return actions

    def _check_over(self, indices: Iterable[int]) -> None:
        over = [index for index in indices if self._all.is_over[index]]
        if over:
            raise ResetNeeded(
                f"envs {over} are over, and nothing resets them in mode DISABLED: call"
                ' reset(options={"reset_mask": mask}) with a bool array that names them'
            )
