"""What goes wrong, in a page: mistakes before the start, in a body, and behind the runtime's back.

Everything wrong with the structure is told at once, before anything runs. A body that raises stops
the program at its tag, in good order. `check_reactor` finds what would make runs differ.
"""

import random

import reactorrl as rr
from reactorrl.testing import check_reactor


class Sensor(rr.Reactor):
    tick, out = rr.Timer(0, rr.sec(1)), rr.Output(width=2)

    @rr.reaction(tick, effects=out)
    def measure(self):
        if self.tag.time >= rr.sec(2):
            raise ValueError("no signal")
        self.out[0].set(21)


class Display(rr.Reactor):
    inp = rr.Input(width=3)

    @rr.reaction(inp)
    def show(self):
        pass

    @rr.reaction(rr.shutdown)
    def switch_off(self):
        print("display: off")


class Noisy(rr.Reactor):
    inp, out, log = rr.Input(), rr.Output(), rr.Output()

    @rr.reaction(inp, effects=out)
    def add_noise(self):
        self.out.set(self.inp.value + random.random())
        self.log.set("done")


class Panel(rr.Reactor):
    def __init__(self, is_right):
        self.sensor, self.display = Sensor(), Display()
        inputs = self.display.inp[:2] if is_right else self.display.inp
        self.connect(self.sensor.out, list(inputs))


if __name__ == "__main__":
    try:
        rr.Program(Panel(is_right=False))
    except rr.AssemblyError as error:
        print(f"before the start: {error}")

    try:
        rr.run(Panel(is_right=True), fast=True)
    except rr.ReactionError as error:
        print(f"in a body: {error}")
        print(f"it had run {error.report.reactions} reactions")

    for finding in check_reactor(Noisy, inputs=[{Noisy.inp: 1}]):
        if finding.kind in ("global-random", "undeclared-effect"):
            print(f"found: {finding.kind}; {finding.advice}")
