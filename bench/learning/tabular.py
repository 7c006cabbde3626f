"""Tabular Q-learning against exact optima, and the small network of the paper on Blackjack.

The learned table's greedy policy is evaluated twice: exactly, through the env's own model to its
step limit, and by episodes, with the confidence interval that these leave.
"""

from functools import partial

import gymnasium as gym
import numpy as np

from reactorrl import rl

from .case import Case, Outcome, mean_and_interval, trained

EPISODES = 1_000
NO_LIMIT = 200
"""Steps after which an episode is cut off where the env has no limit: CliffWalking's."""

SETTINGS = {
    "FrozenLake-v1": {},
    "FrozenLake8x8-v1": {"total_timesteps": 3_000_000, "gamma": 0.999, "end_e": 1.0},
    "CliffWalking-v1": {"total_timesteps": 30_000, "gamma": 1.0, "step_decay": 0.0},
    "Taxi-v4": {"total_timesteps": 500_000, "step_decay": 0.0},
}
"""What differs from the defaults of `QLearningOptions`."""


def sampled_returns(env_id: str, actions: np.ndarray, seed: int) -> list[float]:
    """Returns of episodes in which every state has its one action."""
    env, returns = gym.make(env_id), []
    for episode in range(EPISODES):
        state, _ = env.reset(seed=seed if episode == 0 else None)
        total, steps, is_over = 0.0, 0, False
        while not is_over and steps < NO_LIMIT:
            state, reward, terminated, truncated, _ = env.step(int(actions[state]))
            total, steps, is_over = total + float(reward), steps + 1, terminated or truncated
        returns.append(total)
    env.close()
    return returns


def train(env_id: str, seed: int) -> Outcome:
    """Train with a seed and evaluate the greedy policy."""
    options = rl.QLearningOptions(env_id=env_id, seed=seed, **SETTINGS[env_id])
    algorithm = rl.QLearning(options)
    seconds = trained(algorithm)
    actions = algorithm.learner.latest["q"].argmax(axis=1)
    model = rl.TabularModel.of(env_id)
    exact = model.return_of(actions, model.steps or NO_LIMIT)
    mean, half = mean_and_interval(sampled_returns(env_id, actions, seed))
    note = f"{EPISODES} episodes give {mean:.4f} ± {half:.4f} (95 %)"
    return Outcome(exact, algorithm.episodes.env_steps, seconds, note)


def train_network(seed: int) -> Outcome:
    """500 rounds of 16 rollouts with 100 steps each, a gradient step each, as in the paper."""
    options = rl.QLearningOptions(
        env_id="Blackjack-v1",
        kind="network",
        seed=seed,
        total_timesteps=500 * 16 * 100,
        num_rollouts=16,
        gamma=1.0,
    )
    algorithm = rl.QLearning(options)
    seconds = trained(algorithm)
    returns = algorithm.evaluate(algorithm.learner.latest, episodes=10_000, seed=seed)
    mean, half = mean_and_interval(returns)
    note = f"± {half:.4f} (95 %)"
    return Outcome(mean, algorithm.episodes.env_steps, seconds, note)


def case(env_id: str, measure: str, optimum: float, bar: float, *, is_quick: bool = False) -> Case:
    """A row whose reference is an optimum worked out here."""
    return Case(
        name=f"q-{env_id}",
        experiment=f"tabular Q-learning, {env_id}",
        measure=f"{measure} of the greedy policy, exact",
        reference=f"{optimum} (exact, value iteration)",
        bar=bar,
        train=partial(train, env_id),
        is_quick=is_quick,
    )


CASES = [
    case("CliffWalking-v1", "return", -13.0, -13.0, is_quick=True),
    case("FrozenLake-v1", "success", 0.7402, 0.74, is_quick=True),
    case("FrozenLake8x8-v1", "success", 0.8857, 0.88),
    case("Taxi-v4", "return", 7.93, 7.92),
    Case(
        name="q-network-Blackjack-v1",
        experiment="Q-learning with an MLP 3-32-2, Blackjack-v1",
        measure="return of 10 000 greedy episodes",
        reference="none; random play loses 0.39",
        bar=-0.1,
        train=train_network,
    ),
]
