"""Parallel DQN in a page: six rollouts act at once, one learner learns, the next round begins.

The result is the same for any number of workers. `reactorrl.rl.DQN` is the same program with torch.
"""

import gymnasium as gym
import numpy as np

import reactorrl as rr


def q_values(weights, obs):
    hidden = np.maximum(obs @ weights[0] + weights[1], 0)
    return hidden, hidden @ weights[2] + weights[3]


class Rollout(rr.Reactor):
    weights = rr.Input()
    trajectory = rr.Output()

    def __init__(self, env_id, steps, seed):
        self.env_id, self.steps, self.seed = env_id, steps, seed
        self.epsilon = 1.0

    @rr.reaction(rr.startup)
    def make_env(self):
        self.env = gym.make(self.env_id)
        self.obs, _ = self.env.reset(seed=self.seed + self.bank_index)

    @rr.reaction(weights, effects=trajectory)
    def sample(self):
        rows = []
        for _ in range(self.steps):
            action = int(q_values(self.weights.value, self.obs)[1].argmax())
            if self.rng.random() < self.epsilon:
                action = int(self.rng.integers(2))
            next_obs, reward, terminated, truncated, _ = self.env.step(action)
            rows.append((self.obs, action, reward, next_obs, terminated))
            self.obs = self.env.reset()[0] if terminated or truncated else next_obs
        self.epsilon = max(0.05, self.epsilon - 0.02)
        self.trajectory.set([np.array(column) for column in zip(*rows, strict=True)])


class Learner(rr.Reactor):
    trajectories = rr.Input(width="n")
    weights = rr.Output()

    def __init__(self, n, rounds):
        self.n, self.rounds = n, rounds
        self.memory = []

    @rr.reaction(rr.startup, effects=weights)
    def start(self):
        shapes = (4, 64), (64,), (64, 2), (2,)
        self.current = [self.rng.uniform(-0.3, 0.3, shape) for shape in shapes]
        self.weights.set(self.current)

    @rr.reaction(trajectories, effects=weights)
    def learn(self):
        arrived = [channel.value for channel in self.trajectories.present()]
        self.memory = (self.memory + arrived)[-120:]
        columns = map(np.concatenate, zip(*self.memory, strict=True))
        obs, actions, rewards, next_obs, terminated = columns
        targets = rewards + 0.98 * ~terminated * q_values(self.current, next_obs)[1].max(axis=1)
        for rows in self.rng.integers(len(targets), size=(40, 64)):
            self.descend(obs[rows], actions[rows], targets[rows])
        self.weights.set(self.current)
        self.rounds -= 1
        if self.rounds == 0:
            self.request_stop()

    def descend(self, obs, actions, targets):
        """One step down the squared error; into new arrays, as the old ones have been sent."""
        hidden, values = q_values(self.current, obs)
        errors = (values - targets[:, None]) * (actions[:, None] == (0, 1)) / len(obs)
        back = errors @ self.current[2].T * (hidden > 0)
        gradients = obs.T @ back, back.sum(0), hidden.T @ errors, errors.sum(0)
        self.current = [w - 0.03 * g for w, g in zip(self.current, gradients, strict=True)]


class Train(rr.Reactor):
    def __init__(self, env_id, n, rounds):
        self.rollouts = rr.Bank(n, Rollout, env_id, steps=64, seed=1)
        self.learner = Learner(n, rounds)
        self.connect(self.learner.weights, self.rollouts.weights, broadcast=True, after=0)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)


def mean_episode(trajectories):
    """Env steps per end of an episode."""
    ends = np.concatenate([terminated for *_, terminated in trajectories])
    return len(ends) / max(ends.sum(), 1)


if __name__ == "__main__":
    for workers in (1, 2):
        main = Train("CartPole-v1", 6, rounds=80)
        report = rr.run(main, workers=workers, fast=True, seed=1)
        steps = mean_episode(main.learner.memory)
        print(f"{workers} workers: {report.wall_time_s:.1f} s, trace {report.trace_hash},")
        print(f"  in the last 20 rounds an episode lasted {steps:.0f} steps; untrained, about 20")
