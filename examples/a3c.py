"""A3C in a page: actor-learners that do not wait for each other, and yet the same bits every time.

Each actor-learner is an enclave with a time line of its own: it sends a gradient, and goes on when
the server's answer comes. Meanwhile others have changed the weights; how many times is decided by
tags, not by how long the bodies take. `reactorrl.rl.A3C` is the same program with torch.
"""

import random
import time

import gymnasium as gym
import numpy as np

import reactorrl as rr

N, STEPS, GAMMA = 4, 20, 0.98


def features(obs):
    """What the critic is linear in; the actor is linear in `obs`."""
    return np.concatenate([obs, obs**2, [1.0]])


class ActorLearner(rr.Reactor):
    weights, gradient = rr.Input(), rr.Output()
    computed = rr.LogicalAction()

    @rr.reaction(rr.startup)
    def make_env(self):
        self.env = gym.make("CartPole-v1")
        self.obs, _ = self.env.reset(seed=self.bank_index)
        self.age = 0

    @rr.reaction(weights, effects=computed)
    def differentiate(self):
        actor, critic = np.split(self.weights.value, [4])
        steps, lengths = [], []
        for _ in range(STEPS):
            chance = 1 / (1 + np.exp(-self.obs @ actor))
            push_right = int(self.rng.random() < chance)
            next_obs, reward, terminated, truncated, _ = self.env.step(push_right)
            follows = 0.0 if terminated else features(next_obs) @ critic
            ended = terminated or truncated
            steps.append((self.obs, push_right - chance, reward, follows, ended))
            self.obs, self.age = next_obs, self.age + 1
            if ended:
                lengths.append(self.age)
                self.obs, self.age = self.env.reset()[0], 0
        gradient = np.zeros(13)
        following = follows
        for obs, surprise, reward, follows, ended in reversed(steps):
            following = reward + GAMMA * (follows if ended else following)
            advantage = following - features(obs) @ critic
            gradient += advantage * np.concatenate([surprise * obs, features(obs)])
        time.sleep(random.uniform(0, 0.002))  # nobody's generator: when, not what
        self.computed.schedule((gradient, lengths), delay=int(self.rng.integers(rr.usec(250))))

    @rr.reaction(computed, effects=gradient)
    def send(self):
        self.gradient.set(self.computed.value)


class Server(rr.Reactor):
    gradients, weights = rr.Input(width=N), rr.Output(width=N)

    def __init__(self, updates):
        self.updates = updates
        self.current, self.squares = np.zeros((2, 13))
        self.sent_at, self.lags, self.lengths = [0] * N, [], []

    @rr.reaction(rr.startup, effects=weights)
    def start(self):
        for port in self.weights:
            port.set(self.current)

    @rr.reaction(gradients, effects=weights)
    def apply(self):
        for port in self.gradients.present():
            gradient, lengths = port.value
            self.lags.append(len(self.lags) - self.sent_at[port.index])
            self.lengths += lengths
            self.squares = 0.99 * self.squares + 0.01 * gradient**2
            self.current = self.current + 0.01 * gradient / np.sqrt(self.squares + 0.1)
            self.sent_at[port.index] = len(self.lags)
            self.weights[port.index].set(self.current)
        if len(self.lags) >= self.updates:
            self.request_stop()


class A3C(rr.Reactor):
    def __init__(self, updates):
        self.actors, self.server = rr.enclave(rr.Bank(N, ActorLearner)), Server(updates)
        self.connect(self.actors.gradient, self.server.gradients, after=rr.msec(1))
        self.connect(self.server.weights, self.actors.weights, after=0)


if __name__ == "__main__":
    for _ in range(2):
        main = A3C(updates=1500)
        report = rr.run(main, fast=True, seed=1)
        lags, lengths = main.server.lags, main.server.lengths
        print(
            f"a gradient was {np.mean(lags):.2f} updates late, at most {max(lags)}; episodes"
            f" lasted {np.mean(lengths[:50]):.0f} steps, in the end {np.mean(lengths[-50:]):.0f};"
            f" trace {report.trace_hash}"
        )
