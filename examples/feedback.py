"""A loop with a delay in a page: a room, a heater, and a controller that sees the past.

The controller reads the temperature and sets the heater; the room answers. The delay of the one
connection is what makes the loop a program: without it each would wait for the other, and reactorrl
says so before anything runs. A longer delay makes the same controller overshoot.
"""

import reactorrl as rr


class Room(rr.Reactor):
    """Every second it loses heat to the outside and gains what the heater gives."""

    tick = rr.Timer(0, rr.sec(1))
    power, temperature = rr.Input(), rr.Output()

    def __init__(self):
        self.now, self.heating = 10.0, 0.0

    @rr.reaction(power)
    def heat(self):
        self.heating = self.power.value

    @rr.reaction(tick, effects=temperature)
    def warm(self):
        self.now += self.heating - 0.1 * (self.now - 5)
        self.temperature.set(self.now)


class Controller(rr.Reactor):
    """On below 20 degrees, off above."""

    temperature, power = rr.Input(), rr.Output()

    def __init__(self):
        self.hottest = 0.0

    @rr.reaction(temperature, effects=power)
    def control(self):
        self.hottest = max(self.hottest, self.temperature.value)
        self.power.set(3.0 if self.temperature.value < 20 else 0.0)


class House(rr.Reactor):
    def __init__(self, after):
        self.room, self.controller = Room(), Controller()
        self.connect(self.room.temperature, self.controller.temperature)
        self.connect(self.controller.power, self.room.power, after=after)


if __name__ == "__main__":
    try:
        rr.Program(House(after=None))
    except rr.CausalityLoopError as error:
        print("without a delay:", " -> ".join(error.cycle))
    for after in (0, rr.sec(2), rr.sec(4)):
        rr.run(house := House(after), fast=True, timeout=rr.sec(60))
        print(f"after {after // rr.sec(1)} s: at most {house.controller.hottest:.1f} degrees")
