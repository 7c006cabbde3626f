"""One environment in one reactor: episodes of CartPole, an env step for each event.

The logical action is the loop: each body makes one env step and schedules the next. With a delay of
20 ms, which is what CartPole simulates, logical time is the time of the pole; run it without
`fast=True` and it takes as long as a real one would.
"""

import gymnasium as gym

import reactorrl as rr


class Pole(rr.Reactor):
    """Pushes towards the side to which the pole falls."""

    step = rr.LogicalAction(rr.msec(20))

    def __init__(self, episodes):
        self.episodes, self.returns = episodes, []

    @rr.reaction(rr.startup, effects=step)
    def begin(self):
        self.env = gym.make("CartPole-v1")
        self.obs, _ = self.env.reset(seed=int(self.rng.integers(2**31)))
        self.total = 0.0
        self.step.schedule()

    @rr.reaction(step, effects=step)
    def push(self):
        _, _, angle, falls = self.obs
        self.obs, reward, terminated, truncated, _ = self.env.step(int(angle + falls > 0))
        self.total += reward
        if terminated or truncated:
            self.returns.append(self.total)
            self.obs, self.total = self.env.reset()[0], 0.0
        if len(self.returns) < self.episodes:
            self.step.schedule()


if __name__ == "__main__":
    report = rr.run(main := Pole(episodes=5), fast=True, seed=1)
    print("returns:", main.returns)
    print(f"{report.stop_tag.time / rr.sec(1):.2f} s of the pole's time in {report.tags} tags")
