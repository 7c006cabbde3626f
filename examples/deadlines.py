"""Deadlines in a page: a control loop that must act within 4 ms, and what happens when it cannot.

On a real clock it depends on the machine which deadlines are missed. Here the clock is virtual: it
moves by what each body says it takes, so that the page prints the same everywhere.
"""

import reactorrl as rr
from reactorrl.testing import VirtualClock

CLOCK = VirtualClock()


class Vision(rr.Reactor):
    """Looks every 10 ms, and sometimes takes long."""

    tick = rr.Timer(0, rr.msec(10))
    seen = rr.Output()

    @rr.reaction(tick, effects=seen)
    def look(self):
        number = self.tag.time // rr.msec(10)
        CLOCK.advance(rr.msec(7 if number % 3 == 2 else 2))
        self.seen.set(number)


class Motor(rr.Reactor):
    """Acts on a picture that is fresh, and brakes otherwise."""

    seen = rr.Input()

    @rr.reaction(seen, deadline=rr.msec(4))
    def drive(self):
        print(f"picture {self.seen.value}: drive, {self.lag() // rr.msec(1)} ms after its time")

    @drive.on_deadline_miss
    def brake(self):
        print(f"picture {self.seen.value}: brake, {self.lag() // rr.msec(1)} ms after its time")


class Car(rr.Reactor):
    def __init__(self):
        self.vision, self.motor = Vision(), Motor()
        self.connect(self.vision.seen, self.motor.seen)


if __name__ == "__main__":
    report = rr.run(Car(), clock=CLOCK, timeout=rr.msec(50))
    print("missed:", report.deadline_misses)
