"""What the programs share: options, the way of the weights, the log of the episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import reactorrl as rr

from .evaluate import evaluate
from .policy import Policy, Weights
from .rollout import Rollout
from .trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of every program; names are CleanRL's where it has one.

    Raises:
        ValueError: A number is out of its range, or `num_rollouts` does not divide `num_envs`.
    """

    env_id: str = "CartPole-v1"
    """Gymnasium env; `ALE/...` is an Atari game."""
    seed: int = 1
    """Of everything random: envs, exploration, replay, initial weights."""
    total_timesteps: int = 500_000
    """Env steps of all envs together; rounded up to whole rounds."""
    learning_rate: float = 2.5e-4
    """Of the optimizer."""
    gamma: float = 0.99
    """Discount of the reward of the next env step."""
    num_envs: int = 4
    """Envs that are stepped side by side."""
    num_steps: int = 128
    """Steps of each env per round."""
    num_rollouts: int = 0
    """Rollout reactors that share the envs evenly; 0: the largest divisor of `num_envs` up to 4."""
    max_grad_norm: float = 0.5
    """Gradients with a larger 2-norm are scaled down to it."""
    cuda: bool = True
    """Whether to learn on a GPU if torch sees one."""

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("total_timesteps", 1), ("num_envs", 1), ("num_steps", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least {least}")
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}={getattr(self, name)}: must be positive")
        if self.num_rollouts < 0 or self.num_envs % self.rollouts:
            raise ValueError(
                f"num_rollouts={self.num_rollouts}: must divide num_envs={self.num_envs}"
            )

    @property
    def rollouts(self) -> int:
        """Rollout reactors."""
        if self.num_rollouts:
            return self.num_rollouts
        return next(n for n in (4, 3, 2, 1) if self.num_envs % n == 0)

    @property
    def steps_per_round(self) -> int:
        """Env steps of all envs in one round."""
        return self.num_envs * self.num_steps

    @property
    def rounds(self) -> int:
        """Rounds until `total_timesteps` are reached."""
        return -(-self.total_timesteps // self.steps_per_round)

    @property
    def device(self) -> str:
        """Where to learn, as torch names it."""
        import torch  # noqa: PLC0415 - options need none

        return "cuda" if self.cuda and torch.cuda.is_available() else "cpu"


class Algorithm(rr.Reactor):
    """A program that learns: rollouts, a learner, and what passes between them.

    A round is one tag, a microstep after the one before. The learner's weights go through `gate` to
    the rollouts; these step their envs in parallel; what they saw goes to the learner and to
    `episodes`. Nothing depends on the number of workers. Run it with `fast=True`.

    Attributes:
        options: As given.
        rollouts: The bank of rollouts.
        learner: Its `latest` weights are the result.
        episodes: The `EpisodeLog` of the run, readable at any time.
        gate: Where the round begins; see `Gate`.
        ends_between_rounds: Whether the state is also complete when a user has stopped the program;
            not so if messages are under way between rounds.
    """

    ends_between_rounds = True

    options: Options
    rollouts: rr.Bank[Rollout]
    learner: Any
    episodes: EpisodeLog
    gate: Gate

    def greedy_policy(self) -> Policy:
        """Return a policy without exploration, to evaluate with the learner's weights."""
        raise NotImplementedError

    def evaluate(self, weights: Weights, *, episodes: int, seed: int) -> list[float]:
        """Return the undiscounted returns of so many episodes without exploration.

        Args:
            weights: To act with.
            episodes: At least 1.
            seed: Of everything random in them.
        """
        make_env = self.rollouts[0].make_env
        return evaluate(self.greedy_policy(), weights, make_env, episodes=episodes, seed=seed)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every part; between rounds, or after the end of the program."""
        return {name: part.state_dict() for name, part in self._parts()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that an equal program had; before this one starts.

        Raises:
            KeyError: A part has no state there.
        """
        for name, part in self._parts():
            part.load_state_dict(state[name])

    def _parts(self) -> Iterator[tuple[str, Any]]:
        for name, child in vars(self).items():
            if isinstance(child, rr.Bank):
                for index, member in enumerate(child):
                    if hasattr(member, "state_dict"):
                        yield f"{name}[{index}]", member
            elif isinstance(child, rr.Reactor) and hasattr(child, "state_dict"):
                yield name, child


class Gate(rr.Reactor):
    """Where every round begins: the weights pass through here on their way to the rollouts.

    All reactions of the round before have finished, and those of this one wait for the weights, so
    `hook` may read every other reactor of the program, as a checkpoint does. What else arrives with
    the weights is to be done with before; who does it is connected to `done`.

    Attributes:
        hook: Called before each round; None does nothing. Set it before the program starts.
    """

    weights_in: Final = rr.Input[Weights]()
    done: Final = rr.Input[Any]()
    weights: Final = rr.Output[Weights]()

    def __init__(self) -> None:
        self.hook: Callable[[], None] | None = None

    @rr.reaction(weights_in, uses=done, effects=weights)
    def begin_round(self) -> None:
        """Call the hook, then let the weights pass."""
        if self.hook is not None:
            self.hook()
        self.weights.set(self.weights_in.value)


class ScalarSink(Protocol):
    """Where the numbers of a run go: a file, an event log."""

    def write(self, env_steps: int, scalars: dict[str, float]) -> None:
        """Take scalars by name, at this number of env steps of all envs."""


class EpisodeLog(rr.Reactor):
    """Keeps the return of every episode, by round, then by rollout, then in order of their ends.

    Episodes, the learner's metrics and an evaluator's also go to `sinks`.

    Args:
        n: Width of `trajectories`.

    Attributes:
        env_steps: Of all rollouts so far.
        returns: Undiscounted, of every ended episode.
        lengths: Their env steps.
        ended_at: For each of them, `env_steps` at the end of its round.
        metrics_now: The learner's newest.
        sinks: Each is given every scalar; set them before the program starts.
    """

    trajectories: Final = rr.Input[Trajectory](width="n")
    metrics: Final = rr.Input[Any]()
    evaluation: Final = rr.Input[Any]()

    def __init__(self, n: int) -> None:
        self.n = n
        self.env_steps: int = 0
        self.returns: list[float] = []
        self.lengths: list[int] = []
        self.ended_at: list[int] = []
        self.metrics_now: dict[str, float] = {}
        self.sinks: list[ScalarSink] = []

    @rr.reaction(evaluation)
    def record_evaluation(self) -> None:
        """Hand on how good the weights are that this round acts with: those of the one before."""
        self._write(self.evaluation.value)

    @rr.reaction(trajectories)
    def record(self) -> None:
        """Append what ended at this tag."""
        arrived = [channel.value for channel in self.trajectories.present()]
        self.env_steps += sum(map(len, arrived))
        for trajectory in arrived:
            ended = trajectory.episode_returns.tolist(), trajectory.episode_lengths.tolist()
            self.ended_at += [self.env_steps] * len(ended[0])
            self.returns += ended[0]
            self.lengths += ended[1]
            for episode_return, length in zip(*ended, strict=True):
                self._write(
                    {"charts/episodic_return": episode_return, "charts/episodic_length": length}
                )

    @rr.reaction(metrics)
    def record_metrics(self) -> None:
        """Hand the learner's metrics on."""
        self.metrics_now = dict(self.metrics.value)
        self._write(self.metrics_now)

    def _write(self, scalars: dict[str, float]) -> None:
        for sink in self.sinks:
            sink.write(self.env_steps, scalars)

    def mean_return(self, last: int = 100) -> float:
        """Return the mean over the last episodes, NaN before the first has ended."""
        returns = self.returns[-last:]
        return sum(returns) / len(returns) if returns else float("nan")

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on."""
        return {
            "env_steps": self.env_steps,
            "returns": list(self.returns),
            "lengths": list(self.lengths),
            "ended_at": list(self.ended_at),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state."""
        self.env_steps = state["env_steps"]
        self.returns = list(state["returns"])
        self.lengths = list(state["lengths"])
        self.ended_at = list(state["ended_at"])
