"""Startup, timers and shutdown in a page: a watch that blinks, reports, and stops.

Three timers of one reactor: with a period, with an offset and a period, and one that comes once.
Where two meet, the reactions run in the order in which they stand here, at one tag.
"""

import reactorrl as rr


class Watch(rr.Reactor):
    """Counts blinks; reports every three seconds; stops itself after seven."""

    blink = rr.Timer(0, rr.sec(1))
    report = rr.Timer(rr.sec(3), rr.sec(3))
    enough = rr.Timer(rr.sec(7))

    @rr.reaction(rr.startup)
    def begin(self):
        self.blinks = 0
        print(f"{self.seconds()} s: begins")

    @rr.reaction(blink)
    def count(self):
        self.blinks += 1

    @rr.reaction(report)
    def tell(self):
        print(f"{self.seconds()} s: {self.blinks} blinks")

    @rr.reaction(enough)
    def stop(self):
        self.request_stop()

    @rr.reaction(rr.shutdown)
    def end(self):
        print(f"{self.seconds()} s: ends after {self.blinks} blinks, at {self.tag}")

    def seconds(self):
        return self.tag.time // rr.sec(1)


if __name__ == "__main__":
    rr.run(Watch(), fast=True)
