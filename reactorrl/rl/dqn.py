"""`DQN`: synchronous parallel deep Q-learning as a reactor program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import reactorrl as rr

from .algorithm import Algorithm, EpisodeLog, Gate, Options
from .envs import Spaces, env_maker, probe
from .learner import Learner
from .networks import (
    Flat,
    MakeNetwork,
    QNetwork,
    load_weights,
    q_forward,
)
from .policy import EpsilonGreedy, Greedy, LinearSchedule
from .prioritized import Priorities, PrioritizedReplayBuffer
from .replay import Batch, ReplayBuffer
from .rollout import Rollout
from .torch_setup import prepare_worker, torch
from .trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class DQNOptions(Options):
    """Options of `DQN`.

    A round is `num_envs * num_steps` env steps, then `gradient_steps` gradient steps. CleanRL's
    `train_frequency` is `num_envs * num_steps` here.

    Raises:
        ValueError: A number is out of its range, or learning would never start.
    """

    total_timesteps: int = 400_000
    """Env steps of all envs together; rounded up to whole rounds."""
    learning_rate: float = 5e-4
    """Of Adam."""
    num_envs: int = 6
    """Envs that are stepped side by side."""
    num_steps: int = 128
    """Steps of each env per round."""
    gradient_steps: int = 24
    """Gradient steps per round."""
    buffer_size: int = 30_000
    """Transitions that are remembered."""
    learning_starts: int = 1_500
    """Transitions that are collected before the first gradient step."""
    batch_size: int = 128
    """Transitions per gradient step."""
    target_network_frequency: int = 1
    """Env steps between two updates of the target network, at the start of a round."""
    tau: float = 1.0
    """Share of the online network in an update of the target network."""
    start_e: float = 1.0
    """Probability of a random action at the start."""
    end_e: float = 0.05
    """Probability of a random action at the end of exploration."""
    exploration_fraction: float = 0.3
    """Share of the env steps over which it falls, linearly."""
    max_grad_norm: float = 10.0
    """Gradients with a larger 2-norm are scaled down to it."""
    loss: Literal["mse", "huber"] = "mse"
    """Of the temporal-difference error; `huber` is linear from 1 on."""
    hidden_sizes: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers; images have a network of their own."""
    double: bool = False
    """Whether the online network chooses the action that the target network values."""
    dueling: bool = False
    """Whether the network splits into the state's value and the actions' advantages."""
    n_step: int = 1
    """Rewards summed before the value of a later state is trusted."""
    prioritized: bool = False
    """Whether transitions with a larger error are replayed more often."""
    alpha: float = 0.6
    """How much more often; 0: not at all."""
    beta: float = 0.4
    """How far the bias of it is corrected at the start; it goes to 1 at the end."""
    overlap: bool = False
    """Whether rollouts, replay and learning run side by side, on what the round before has made."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (
            "buffer_size",
            "gradient_steps",
            "batch_size",
            "target_network_frequency",
            "n_step",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least 1")
        for name in ("start_e", "end_e", "tau", "alpha", "beta", "gamma"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}={getattr(self, name)}: must be from 0 to 1")
        if not 0 < self.exploration_fraction <= 1:
            raise ValueError(f"exploration_fraction={self.exploration_fraction}: must be in (0, 1]")
        if min(self.hidden_sizes, default=1) < 1:
            raise ValueError(f"hidden_sizes={self.hidden_sizes}: each must be at least 1")
        if self.loss not in ("mse", "huber"):
            raise ValueError(f"loss={self.loss!r}: must be 'mse' or 'huber'")
        if self.learning_starts >= self.total_timesteps:
            raise ValueError(
                f"learning_starts={self.learning_starts}: not below the total_timesteps of"
                f" {self.total_timesteps}, so learning would never start"
            )
        remembered = (self.rounds - 2) * self.steps_per_round
        if self.overlap and max(self.learning_starts, 1) > remembered:
            raise ValueError(
                f"learning_starts={self.learning_starts}: with overlap nothing is learned from the"
                f" last two of {self.rounds} rounds, and those before have {max(remembered, 0)} env"
                " steps, so learning would never start"
            )


class DQN(Algorithm):
    """Rollouts, a replay buffer and a learner: one round per microstep.

    The learner's weights reach every rollout one microstep later; within that tag the rollouts run
    in parallel, the buffer gathers their trajectories in order of the bank, and the learner learns.
    With `overlap` the gate keeps trajectories and batch for a round, so that all three run beside
    each other; what the last two rounds have seen is then not learned from.

    Args:
        options: See `DQNOptions`.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning, Algorithm 1;
        double: van Hasselt et al. (2016); dueling: Wang et al. (2016); prioritized: Schaul et al.
        (2016).

    Deviations:
        1. Several envs are stepped for `num_steps` steps with the weights of the round before, and
           then learned from; the paper has one env and learns every fourth step of its agent.
        2. The batches of a round are drawn at once, with the priorities of the round before.
        3. With `overlap` what a round has seen can be learned from two rounds later, and the
           priorities of a batch are there a round later.
        4. Those of `QLearner`.
    """

    options: DQNOptions
    spaces: Spaces
    make_network: MakeNetwork
    rollouts: rr.Bank[Rollout]
    replay: ReplayBuffer | PrioritizedReplayBuffer
    learner: QLearner
    episodes: EpisodeLog
    gate: Gate

    def __init__(self, options: DQNOptions = DQNOptions()) -> None:
        self.options = options
        n, per_rollout = options.rollouts, options.num_envs // options.rollouts
        make_env = env_maker(options.env_id)
        spaces = self.spaces = probe(make_env)
        make_network = self.make_network = partial(
            QNetwork, spaces, options.hidden_sizes, options.dueling
        )
        epsilon = LinearSchedule(
            options.start_e,
            options.end_e,
            options.exploration_fraction * options.total_timesteps / options.num_envs,
        )
        self.rollouts = rr.Bank(
            n,
            Rollout,
            make_env,
            lambda: EpsilonGreedy(self._forward(), spaces.n_actions, epsilon),
            num_envs=per_rollout,
            steps=options.num_steps,
            seed=options.seed,
        )
        buffer: dict[str, Any] = {
            "obs_shape": spaces.obs_shape,
            "obs_dtype": spaces.obs_dtype,
            "frame_stack": spaces.is_image,
            "num_envs": per_rollout,
            "capacity": options.buffer_size,
            "batch_rows": options.gradient_steps * options.batch_size,
            "learning_starts": options.learning_starts,
            "seed": options.seed,
            "n_step": options.n_step,
            "gamma": options.gamma,
        }
        if options.prioritized:
            beta = LinearSchedule(options.beta, 1.0, options.total_timesteps)
            self.replay = PrioritizedReplayBuffer(n, alpha=options.alpha, beta=beta, **buffer)
        else:
            self.replay = ReplayBuffer(n, **buffer)
        self.learner = QLearner(make_network, options)
        self.episodes = EpisodeLog(n)
        if options.overlap:
            first = self.replay.memory.sample(0, self.replay.generator)
            self.gate = PipelineGate(n, first)
            self.connect(self.rollouts.trajectory, self.gate.seen)
            self.connect(self.gate.trajectories, self.replay.trajectories)
            self.connect(self.replay.batch, self.gate.drawn)
            self.connect(self.gate.batch, self.learner.batch)
        else:
            self.gate = Gate()
            self.connect(self.rollouts.trajectory, self.replay.trajectories)
            self.connect(self.replay.batch, self.learner.batch)
        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        if options.prioritized:
            self.connect(self.learner.priorities, self.replay.priorities, after=0)
            self.connect(self.replay.prioritized, self.gate.done)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)

    def _forward(self) -> Any:
        return q_forward(self.spaces, self.options.dueling, self.make_network)

    def greedy_policy(self) -> Greedy:
        """Return a policy without exploration, to evaluate with the learner's weights."""
        return Greedy(self._forward())


class PipelineGate(Gate):
    """A gate that keeps what a round has made, and lets it pass when the next one begins.

    One reaction sets all that rollouts, replay and learner wait for, so that they are on the same
    level, and run side by side. What is kept belongs to its state; delayed connections would have
    it under way between rounds, where no checkpoint finds it.

    Args:
        n: Width of `seen` and `trajectories`.
        first: What is learned from until there are batches: one without rows.
    """

    seen: Final = rr.Input[Trajectory](width="n")
    drawn: Final = rr.Input[Batch]()
    trajectories: Final = rr.Output[Trajectory](width="n")
    batch: Final = rr.Output[Batch]()

    def __init__(self, n: int, first: Batch) -> None:
        super().__init__()
        self.n = n
        self.kept_trajectories: list[Trajectory] = []
        self.kept_batch: Batch = first

    @rr.reaction(Gate.weights_in, uses=Gate.done, effects=(Gate.weights, trajectories, batch))
    def begin_round(self) -> None:
        """As of any gate; and let pass what the round before has made."""
        super().begin_round()
        for index, trajectory in enumerate(self.kept_trajectories):
            self.trajectories[index].set(trajectory)
        self.batch.set(self.kept_batch)

    @rr.reaction(seen)
    def keep_trajectories(self) -> None:
        """Keep what this round's rollouts have seen."""
        self.kept_trajectories = [channel.value for channel in self.seen.present()]

    @rr.reaction(drawn)
    def keep_batch(self) -> None:
        """Keep the batch that was drawn in this round."""
        self.kept_batch = self.drawn.value

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on."""
        return {
            "trajectories": [dict(vars(trajectory)) for trajectory in self.kept_trajectories],
            "batch": dict(vars(self.kept_batch)),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state."""
        self.kept_trajectories = [Trajectory(**each) for each in state["trajectories"]]
        self.kept_batch = Batch(**state["batch"])


class QLearner(Learner):
    """Learns the values of actions from batches of transitions.

    A batch is cut into minibatches of `batch_size` rows, in order, one gradient step for each. The
    targets of the whole batch are computed before its first step. A batch without rows only
    publishes.

    Args:
        make_network: Makes a `QNetwork`.
        options: Of the program.

    Deviations:
        1. The loss is by default the plain squared error, and the norm of the gradient is clipped,
           where Mnih et al. clip each error to +-1: CartPole's returns reach 500, and clipped
           errors learn them slowly.
        2. Adam in place of RMSProp.
        3. The target network is updated between rounds only, so it is constant within one.
        4. A truncated episode is bootstrapped from its final observation; the paper has no
           truncation.
    """

    batch: Final = rr.Input[Batch]()
    priorities: Final = rr.Output[Priorities]()

    def __init__(self, make_network: MakeNetwork, options: DQNOptions) -> None:
        super().__init__(
            make_network, rounds=options.rounds, seed=options.seed, device=options.device
        )
        self.options = options
        # So that the first round sets it.
        self.since_target: int = options.target_network_frequency
        self._sent: Priorities | None = None

    @rr.reaction(rr.startup, effects=(Learner.weights, priorities))
    def start(self) -> None:
        """As of any learner; the priorities of a state may not have arrived: twice does no harm."""
        super().start()
        if self._sent is not None:
            self.priorities.set(self._sent)

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Make Adam, and the target network."""
        self.target: torch.nn.Module = self.make_network(torch.Generator()).to(self.device)
        load_weights(self.target, self.flat.weights())
        self.flat_target: Flat = Flat(self.target)
        return torch.optim.Adam([self.flat.vector], self.options.learning_rate, fused=True)

    @rr.reaction(batch, effects=(Learner.weights, Learner.metrics, priorities))
    def learn(self) -> None:
        """Learn from the batch, then publish."""
        prepare_worker()
        if self.since_target >= self.options.target_network_frequency:
            self.update_target()
            self.since_target = 0
        self.since_target += self.options.steps_per_round
        self.finish_round(self.update(self.batch.value) if len(self.batch.value) else {})

    @torch.no_grad()
    def update_target(self) -> None:
        """Move the target network towards the online one."""
        self.flat_target.vector.lerp_(self.flat.vector, self.options.tau)

    def update(self, batch: Batch) -> dict[str, float]:
        """Take one gradient step for each minibatch; only for the reactor's own reactions."""
        options = self.options
        # torch.tensor copies into memory of torch's own alignment, on which the rounding of a sum
        # may depend.
        obs, next_obs, rewards, discounts, actions = (
            torch.tensor(array, device=self.device)
            for array in (batch.obs, batch.next_obs, batch.rewards, batch.discounts, batch.actions)
        )
        chooser = self.network if options.double else None
        targets = td_targets(self.target, chooser, rewards, next_obs, discounts)
        weights = None if batch.weights is None else torch.tensor(batch.weights).to(self.device)
        actions = actions.unsqueeze(1)
        found = []
        for first in range(0, len(batch), options.batch_size):
            rows = slice(first, first + options.batch_size)
            values = self.network(obs[rows])
            chosen = values.detach().gather(1, actions[rows]).squeeze(1)
            errors = chosen - targets[rows]
            # The loss is the mean of losses of the errors; written out, as that of PPO is.
            by_errors = 2 * errors if options.loss == "mse" else errors.clamp(-1.0, 1.0)
            if weights is not None:
                by_errors = by_errors * weights[rows]
            by_values = torch.zeros_like(values)
            by_values.scatter_(1, actions[rows], (by_errors / len(errors)).unsqueeze(1))
            self.flat.vector.grad = self.flat.gradient(options.max_grad_norm, [values], [by_values])
            self.optimizer.step()
            found.append(torch.stack((errors, chosen)))
        errors, chosen = torch.cat(found, dim=1)
        if batch.indices is not None:
            self._sent = Priorities(batch.indices, errors.abs().cpu().numpy())
            self.priorities.set(self._sent)
        losses = errors.square()
        if options.loss == "huber":
            losses = torch.where(losses <= 1.0, losses / 2, errors.abs() - 0.5)
        if weights is not None:
            losses = losses * weights
        td_loss, q_values = torch.stack((losses.mean(), chosen.mean())).tolist()
        return {"losses/td_loss": td_loss, "losses/q_values": q_values}

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on bit for bit."""
        return {
            **super().state_dict(),
            "target": dict(self.flat_target.weights()),
            "since_target": self.since_target,
            "priorities": None if self._sent is None else dict(vars(self._sent)),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Bring everything made by `start` into a state."""
        super().restore(state)
        load_weights(self.target, state["target"])
        self.since_target = state["since_target"]
        if state["priorities"] is not None:
            self._sent = Priorities(**state["priorities"])


@torch.no_grad()
def td_targets(
    target: torch.nn.Module,
    chooser: torch.nn.Module | None,
    rewards: torch.Tensor,
    next_obs: torch.Tensor,
    discounts: torch.Tensor,
) -> torch.Tensor:
    """Return what the chosen actions should be worth: r + discount * Q_target(next_obs, a).

    Args:
        target: Gives the value of the action that follows.
        chooser: Gives the values by which it is chosen, as double Q-learning does; None: `target`.
        rewards: `(batch,)` float32, of one step or the discounted sum of several.
        next_obs: `(batch, ...)`.
        discounts: `(batch,)` float32; 0 where the episode terminated, and only there: a truncated
            episode would have gone on.

    Returns:
        `(batch,)` float32, without gradients.
    """
    values = target(next_obs)
    if chooser is None:
        best = values.amax(dim=1)
    else:
        best = values.gather(1, chooser(next_obs).argmax(dim=1, keepdim=True)).squeeze(1)
    return rewards + discounts * best
