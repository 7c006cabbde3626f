"""Modes in a page: a robot that explores, goes to charge when it must, and takes up where it was.

Each mode has reactions and timers of its own. While a mode is not active its time stands still:
entered again by history, exploring goes on in the middle of its second; entered by reset, charging
begins anew each time.
"""

import reactorrl as rr


class Robot(rr.Reactor):
    """Its battery lasts for five steps."""

    exploring, charging = rr.Mode(initial=True), rr.Mode()

    def __init__(self):
        self.battery, self.steps = 5, 0

    with exploring:
        step = rr.Timer(0, rr.sec(1))

        @rr.reaction(step, effects=rr.reset(charging))
        def explore(self):
            self.steps += 1
            self.battery -= 1
            if self.battery == 0:
                print(f"{self.seconds():.1f} s: {self.steps} steps, battery empty")
                self.charging.set()

    with charging:
        plug_in, full = rr.Timer(), rr.Timer(rr.msec(2500))

        @rr.reaction(plug_in)
        def begin(self):
            print(f"{self.seconds():.1f} s: charging")

        @rr.reaction(full, effects=rr.history(exploring))
        def end(self):
            self.battery = 5
            self.exploring.set()

    def seconds(self):
        return self.tag.time / rr.sec(1)


if __name__ == "__main__":
    rr.run(Robot(), fast=True, timeout=rr.sec(20))
