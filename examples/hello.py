"""A reactor in a page: a counter that talks to two printers, one of them a moment later."""

import reactorrl as rr


class Counter(rr.Reactor):
    """Counts, once a millisecond of logical time."""

    tick = rr.Timer(period=rr.msec(1))
    number = rr.Output[int]()

    def __init__(self):
        self.count = 0

    @rr.reaction(tick, effects=number)
    def count_up(self):
        self.count += 1
        self.number.set(self.count)


class Printer(rr.Reactor):
    """Prints what arrives, and the tag at which it does."""

    number = rr.Input[int]()

    @rr.reaction(number)
    def show(self):
        print(f"{self.path} sees {self.number.value} at {self.tag}")

    @rr.reaction(rr.shutdown)
    def say_goodbye(self):
        print(f"{self.path} is done at {self.tag}")


class Hello(rr.Reactor):
    """Connects them: a value reaches the second printer half a millisecond late."""

    def __init__(self):
        self.counter = Counter()
        self.prompt = Printer()
        self.late = Printer()
        self.connect(self.counter.number, self.prompt.number)
        self.connect(self.counter.number, self.late.number, after=rr.usec(500))


if __name__ == "__main__":
    rr.run(Hello(), workers=1, timeout=rr.usec(2500))
