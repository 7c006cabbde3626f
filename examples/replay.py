"""Rollout, replay buffer and learner in a page: Q-learning on CliffWalking, a bank of rollouts.

A round is one tag. The table goes to all rollouts, which step their envs at the same time; the
buffer takes what they saw in the order of the bank and draws a batch; the learner learns from it.
The one delay, `after=0`, is the staleness of the algorithm. Every number of workers gives the same
table. `parallel_dqn.py` is this with a network.
"""

import gymnasium as gym
import numpy as np

import reactorrl as rr


class Rollout(rr.Reactor):
    table, steps = rr.Input(), rr.Output()

    @rr.reaction(rr.startup)
    def make_env(self):
        self.env = gym.make("CliffWalking-v1", max_episode_steps=200)
        self.obs, _ = self.env.reset(seed=self.bank_index)

    @rr.reaction(table, effects=steps)
    def play(self):
        rows = []
        for _ in range(50):
            action = int(self.table.value[self.obs].argmax())
            if self.rng.random() < 0.2:
                action = int(self.rng.integers(4))
            obs, reward, terminated, truncated, _ = self.env.step(action)
            rows.append((self.obs, action, reward, obs, terminated))
            self.obs = self.env.reset()[0] if terminated or truncated else obs
        self.steps.set(np.array(rows))


class ReplayBuffer(rr.Reactor):
    steps, batch = rr.Input(width="n"), rr.Output()

    def __init__(self, n):
        self.n, self.memory = n, np.empty((0, 5))

    @rr.reaction(steps, effects=batch)
    def remember(self):
        arrived = [channel.value for channel in self.steps.present()]
        self.memory = np.concatenate([self.memory, *arrived])[-20_000:]
        self.batch.set(self.memory[self.rng.integers(len(self.memory), size=400)])


class Learner(rr.Reactor):
    batch, table = rr.Input(), rr.Output()

    def __init__(self, rounds):
        self.rounds, self.current = rounds, np.zeros((48, 4))

    @rr.reaction(rr.startup, batch, effects=table)
    def learn(self):
        self.current = self.current.copy()  # the old one has been sent
        for obs, action, reward, next_obs, terminated in self.batch.get(()):
            target = reward + (not terminated) * self.current[int(next_obs)].max()
            cell = int(obs), int(action)
            self.current[cell] += 0.3 * (target - self.current[cell])
        self.rounds -= 1
        self.table.set(self.current) if self.rounds else self.request_stop()


class Train(rr.Reactor):
    def __init__(self, n, rounds):
        self.rollouts = rr.Bank(n, Rollout)
        self.replay, self.learner = ReplayBuffer(n), Learner(rounds)
        self.connect(self.learner.table, self.rollouts.table, broadcast=True, after=0)
        self.connect(self.rollouts.steps, self.replay.steps)
        self.connect(self.replay.batch, self.learner.batch)


def greedy_return(table):
    env = gym.make("CliffWalking-v1", max_episode_steps=200)
    (obs, _), total, is_over = env.reset(seed=0), 0, False
    while not is_over:
        obs, reward, terminated, truncated, _ = env.step(int(table[obs].argmax()))
        total, is_over = total + reward, terminated or truncated
    return total


if __name__ == "__main__":
    for workers in (1, 2):
        report = rr.run(main := Train(4, rounds=150), workers=workers, fast=True, seed=1)
        best = greedy_return(main.learner.current)
        print(f"{workers} workers: greedy return {best}, the optimum is -13; {report.trace_hash}")
