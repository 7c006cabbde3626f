"""Four actors and a learner that do not wait for each other: each an enclave with its own time.

An actor pulls the arms of a bandit every millisecond of logical time, with the newest policy that
has reached it; the learner takes far longer over each update than an actor over its pull. The
actors run ahead of the learner as far as the delays of the connections allow, and yet every run
gives the same bits, however long the bodies happen to take.
"""

import random
import time

import numpy as np

import reactorrl as rr

ARMS = np.array([0.1, 0.5, 0.8, 0.3])  # chance of a reward


class Actor(rr.Reactor):
    policy, result = rr.Input(), rr.Output()
    tick = rr.Timer(0, rr.msec(1))

    def __init__(self):
        self.chances = np.full(len(ARMS), 1 / len(ARMS))

    @rr.reaction(policy)
    def take_over(self):
        self.chances = self.policy.value

    @rr.reaction(tick, effects=result)
    def pull(self):
        arm = self.rng.choice(len(ARMS), p=self.chances)
        self.result.set((arm, self.rng.random() < ARMS[arm]))


class Learner(rr.Reactor):
    results, policy = rr.Input(width=4), rr.Output()

    def __init__(self):
        self.preferences, self.n_updates = np.zeros(len(ARMS)), 0

    @rr.reaction(results, effects=policy)
    def learn(self):
        for port in self.results.present():
            arm, is_rewarded = port.value
            self.preferences[arm] += 0.2 * (is_rewarded - 0.4)
            self.n_updates += 1
        time.sleep(random.uniform(0, 0.002))  # nobody's generator: when, not what
        chances = np.exp(self.preferences - self.preferences.max())
        self.policy.set(chances / chances.sum())
        if self.n_updates >= 400:
            self.request_stop()


class Bandit(rr.Reactor):
    def __init__(self):
        self.actors = rr.enclave(rr.Bank(4, Actor))
        self.learner = rr.enclave(Learner())
        self.connect(self.actors.result, self.learner.results, after=rr.msec(1))
        self.connect(self.learner.policy, self.actors.policy, broadcast=True, after=rr.msec(10))


if __name__ == "__main__":
    for _ in range(3):
        main = Bandit()
        report = rr.run(main, workers=1, fast=True, seed=1)
        best = int(np.argmax(main.learner.preferences))
        print(f"arm {best} is best, stopped at {report.stop_tag}, trace {report.trace_hash}")
