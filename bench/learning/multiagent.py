"""PPO of several agents on the traffic junction.

Published success rates are of agents that talk to each other and see less, so they are no
reference; what a car does that never looks is one.
"""

from functools import partial

from reactorrl import rl

from .case import Case, Outcome, trained

EPISODES = 500

SETTINGS = {
    "TrafficJunction-easy": {"total_timesteps": 100_000, "learning_rate": 1e-3},
    "TrafficJunction-medium": {"total_timesteps": 300_000, "learning_rate": 1e-3},
}
"""What differs from the defaults of `MultiAgentPPOOptions`."""


class Gas:
    """Never brakes."""

    def start(self, weights, shape, env_steps, rng):
        """Nothing is needed."""

    def act(self, step, obs):
        """Return 0 for every agent."""
        return (obs[:, 0] * 0).astype(int)


def success(policy, weights, env_id: str) -> float:
    """The share of episodes without a collision."""
    make_env = rl.parallel_env_maker(env_id)
    _, successes = rl.evaluate_agents(policy, weights, make_env, episodes=EPISODES, seed=1)
    return sum(successes) / EPISODES


def train(env_id: str, seed: int) -> Outcome:
    """Train with a seed and evaluate the greedy policy."""
    options = rl.MultiAgentPPOOptions(env_id=env_id, seed=seed, **SETTINGS[env_id])
    algorithm = rl.MultiAgentPPO(options)
    seconds = trained(algorithm)
    value = success(algorithm.greedy_policy(), algorithm.learner.latest, env_id)
    note = f"always gas: {success(Gas(), {}, env_id):.3f}"
    return Outcome(value, algorithm.episodes.env_steps, seconds, note)


def case(env_id: str, bar: float) -> Case:
    """A row without a published figure."""
    return Case(
        name=f"marl-{env_id}",
        experiment=f"multi-agent PPO, {env_id}",
        measure=f"episodes without a collision, of {EPISODES}, greedy",
        reference="none for these observations",
        bar=bar,
        train=partial(train, env_id),
    )


CASES = [case("TrafficJunction-easy", 0.85), case("TrafficJunction-medium", 0.5)]
