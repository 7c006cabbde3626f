"""`Rollout`: a reactor that steps envs of its own and hands over what happened."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, Final

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .env_state import restore_env, states_of
from .envs import MakeEnv, score_of, spaces_of
from .policy import Policy, Weights
from .trajectory import Trajectory


class Rollout(rr.Reactor):
    """Steps its envs `steps` times at every tag at which weights arrive.

    Episodes go on from one tag to the next. The random numbers come from a generator of its own,
    seeded from `(seed, 1 + bank_index)`, and from the envs', of which the i-th of all is seeded
    with `seed + i`.

    Args:
        make_env: Makes one env; its observations are vectors or images, its actions `Discrete`.
        make_policy: Makes what chooses the actions.
        num_envs: Envs of this rollout, acted for in one forward pass.
        steps: Env steps of each per trajectory.
        seed: Of the program; members of a bank differ by their index.

    Attributes:
        at: `(step, env)` of the call of an env under way, None while no env is called. For a watch
            on another thread: an env that hangs stays there.

    Raises:
        TypeError: In the startup reaction, if the env has other spaces.
    """

    weights: Final = rr.Input[Weights]()
    trajectory: Final = rr.Output[Trajectory]()

    _kept: ClassVar = ("env_steps", "obs", "episode_returns", "episode_lengths")

    def __init__(
        self,
        make_env: MakeEnv,
        make_policy: Callable[[], Policy],
        *,
        num_envs: int,
        steps: int,
        seed: int,
    ) -> None:
        self.make_env = make_env
        self.policy: Policy = make_policy()
        self.num_envs = num_envs
        self.steps = steps
        self.seed = seed
        self.envs: list[gym.Env[Any, Any]] = []
        self.env_steps: int = 0
        self.episode_returns: list[float] = [0.0] * num_envs
        self.episode_lengths: list[int] = [0] * num_envs
        self.at: tuple[int, int] | None = None
        self._saved: dict[str, Any] | None = None

    @rr.reaction(rr.startup)
    def make_envs(self) -> None:
        """Make the envs and reset them, for the only time with a seed; or go on from a state."""
        first = self.bank_index * self.num_envs
        # Not (seed, 0): that is the generator of an env which is seeded with `seed`.
        self.generator: np.random.Generator = np.random.default_rng(
            (self.seed, 1 + self.bank_index)
        )
        self.seeds: list[int] = [self.seed + first + index for index in range(self.num_envs)]
        index = 0
        try:
            for index in range(self.num_envs):
                self.at = 0, index
                self.envs.append(self.make_env())
            self._lay_out()
            for index, seed in enumerate(self.seeds):
                self.at = 0, index
                self._reset(index, seed)
        except Exception as error:
            self._name_env(error, 0, index)
            raise
        self.at = None
        if self._saved is not None:
            self._restore(self._saved)

    @rr.reaction(weights, effects=trajectory)
    def sample(self) -> None:
        """Set the trajectory of the next `steps` env steps under the new weights."""
        self.trajectory.set(self.roll_out(self.weights.value))

    @rr.reaction(rr.shutdown)
    def close_envs(self) -> None:
        """Close the envs; `state_dict` still gives the state they had."""
        if len(self.envs) == self.num_envs and hasattr(self, "obs"):
            self._saved = self.state_dict()
        for env in self.envs:
            env.close()
        self.envs = []

    def roll_out(self, weights: Weights) -> Trajectory:
        """Step the envs `steps` times, return fresh arrays; for the reactor's own reactions only.

        Raises:
            Exception: What an env raised, with a note that names the env, its seed and its step.
        """
        steps = self.steps
        shape = steps, self.num_envs
        observed = np.empty((steps + 1, *self.obs.shape), self.obs.dtype)
        actions = np.empty(shape, np.int64)
        rewards = np.empty(shape, np.float32)
        ends = np.zeros((2, *shape), np.bool_)
        final_obs: list[Any] = []
        returns: list[float] = []
        lengths: list[int] = []

        policy, first_action = self.policy, self.first_action
        running, so_far = self.episode_returns, self.episode_lengths
        take = [env.step for env in self.envs]
        obs_shape = self.obs.shape[1:]
        policy.start(weights, shape, self.env_steps, self.generator)
        observed[0] = self.obs
        step = index = 0
        try:
            for step in range(steps):
                actions[step] = policy.act(step, observed[step])
                for index, action in enumerate(actions[step].tolist()):
                    self.at = step, index
                    obs, reward, terminated, truncated, info = take[index](first_action + action)
                    rewards[step, index] = reward
                    running[index] += float(reward)
                    so_far[index] += 1
                    if terminated or truncated:
                        ends[:, step, index] = terminated, truncated
                        final_obs.append(np.array(obs, observed.dtype))
                        score = score_of(info, running[index], so_far[index], terminated=terminated)
                        if score is not None:
                            returns.append(score[0])
                            lengths.append(score[1])
                            running[index], so_far[index] = 0.0, 0
                        obs, _ = self.envs[index].reset()
                    if type(obs) is not np.ndarray or obs.shape != obs_shape:
                        obs = self._checked(obs)
                    observed[step + 1, index] = obs
        except Exception as error:
            self._name_env(error, step, index)
            raise

        self.at = None
        self.obs = observed[steps]
        self.env_steps += steps
        return Trajectory(
            obs=observed[:steps],
            actions=actions,
            rewards=rewards,
            terminated=ends[0],
            truncated=ends[1],
            last_obs=observed[steps],
            final_obs=np.array(final_obs, observed.dtype).reshape(-1, *self.obs.shape[1:]),
            episode_returns=np.array(returns, np.float64),
            episode_lengths=np.array(lengths, np.int64),
        )

    def _lay_out(self) -> None:
        """Make room for what the envs, which are there but not yet reset, will show."""
        spaces = spaces_of(self.envs[0])
        self.first_action: int = spaces.first_action
        self.obs: NDArray[Any] = np.empty((self.num_envs, *spaces.obs_shape), spaces.obs_dtype)

    def _reset(self, index: int, seed: int | None = None) -> None:
        """Begin an episode of an env."""
        obs, _ = self.envs[index].reset(seed=seed)
        self.obs[index] = self._checked(obs)
        self.episode_returns[index], self.episode_lengths[index] = 0.0, 0

    def _name_env(self, error: Exception, step: int, index: int) -> None:
        error.add_note(
            f"env {self.bank_index * self.num_envs + index} of {self.path}, seeded with"
            f" {self.seeds[index]}, at its step {self.env_steps + step}"
        )

    def _checked(self, obs: Any) -> NDArray[Any]:
        """Return it as an array; NumPy would spread one of another shape over the right one."""
        array = np.asarray(obs)
        if array.shape != self.obs.shape[1:]:
            raise ValueError(
                f"an observation of shape {array.shape}, where the env's observation space says"
                f" {self.obs.shape[1:]}"
            )
        return array

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on bit for bit; see `reactorrl.rl.checkpoint`."""
        if not self.envs and self._saved is not None:
            return self._saved
        return {
            **{name: deepcopy(getattr(self, name)) for name in self._kept},
            "generator": self.generator.bit_generator.state,
            **states_of(self.envs),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state at the start of the program."""
        self._saved = state

    def _restore(self, state: dict[str, Any]) -> None:
        for name in self._kept:
            setattr(self, name, deepcopy(state[name]))
        self.generator.bit_generator.state = state["generator"]
        for index, saved in enumerate(state["envs"]):
            if saved is None:
                self._begin_anew(index)
            else:
                restore_env(self.envs[index], saved)

    def _begin_anew(self, index: int) -> None:
        """Begin an episode of an env that could not be saved, with another seed than at first."""
        entropy = (self.seed, self.bank_index * self.num_envs + index, self.env_steps)
        self.seeds[index] = int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)
        self._reset(index, self.seeds[index])
