"""A small program of the RL layer, for tests of what is around programs: one gradient step a round.

It uses all that a checkpoint has to bring back: an optimizer with a state, a generator of the
learner's, generators of the rollouts, envs in the middle of an episode.
"""

from dataclasses import dataclass

import reactorrl as rr
from reactorrl import rl
from reactorrl.rl.learner import Learner
from reactorrl.rl.networks import ActorCritic, actor_forward, torch
from reactorrl.rl.torch_setup import prepare_worker


@dataclass(frozen=True, kw_only=True)
class TinyOptions(rl.Options):
    """Options of `Tiny`."""

    total_timesteps: int = 640
    """Env steps of all envs together."""
    learning_rate: float = 1e-2
    """Of Adam."""
    num_steps: int = 16
    """Steps of each env per round."""
    hidden_sizes: tuple[int, ...] = (8,)
    """Widths of the hidden layers."""
    diverge_at: int = 0
    """Round whose loss is not a number; 0: none."""


class TinyLearner(Learner):
    trajectories = rr.Input(width="n")

    def __init__(self, n, make_network, options):
        super().__init__(make_network, rounds=options.rounds, seed=options.seed)
        self.n = n
        self.options = options

    def make_optimizer(self):
        return torch.optim.Adam(self.network.parameters(), self.options.learning_rate)

    @rr.reaction(trajectories, effects=(Learner.weights, Learner.metrics))
    def learn(self):
        prepare_worker()
        loss = torch.zeros(())
        for channel in self.trajectories:
            trajectory = channel.value
            obs = torch.tensor(trajectory.obs).flatten(0, 1)
            logits, values = self.network(obs)
            rewards = torch.tensor(trajectory.rewards).flatten()
            actions = torch.tensor(trajectory.actions).flatten()
            chosen = logits.log_softmax(1).gather(1, actions[:, None]).squeeze(1)
            noise = torch.rand(len(rewards), generator=self.generator)
            loss = (
                loss + ((values - rewards - noise) ** 2).mean() - 0.01 * (chosen * rewards).mean()
            )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        is_now = self.round + 1 == self.options.diverge_at
        self.finish_round({"losses/value_loss": float("nan") if is_now else loss.item()})


class Tiny(rl.Algorithm):
    """A learner that takes one gradient step a round.

    Args:
        options: See `TinyOptions`.
    """

    def __init__(self, options=TinyOptions()):
        self.options = options
        make_env = rl.env_maker(options.env_id)
        spaces = rl.probe(make_env)

        def make_network(generator):
            return ActorCritic(spaces, options.hidden_sizes, generator)

        self.make_policy = lambda kind, *more: kind(actor_forward(spaces, make_network), *more)
        n = options.rollouts
        self.rollouts = rr.Bank(
            n,
            rl.Rollout,
            make_env,
            lambda: self.make_policy(rl.Categorical, spaces.n_actions),
            num_envs=options.num_envs // n,
            steps=options.num_steps,
            seed=options.seed,
        )
        self.learner = TinyLearner(n, make_network, options)
        self.episodes = rl.EpisodeLog(n)
        self.gate = rl.Gate()
        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)

    def greedy_policy(self):
        return self.make_policy(rl.Greedy)
