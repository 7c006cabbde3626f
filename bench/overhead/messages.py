"""A server and its clients with messages of one number, each of them a new object."""

from typing import Any

import reactorrl as rr

from .course import Course

CLIENTS = 6


class Server(rr.Reactor):
    """Sends a number to all, takes their answers in, and so on."""

    answers = rr.Input[list[int]](width=CLIENTS)
    out = rr.Output[list[int]]()

    def __init__(self, course: Course) -> None:
        self.course = course
        self.left = course.lap()
        self.received = 0

    @rr.reaction(rr.startup, effects=out)
    def start(self) -> None:
        self.out.set([0])

    @rr.reaction(answers, effects=out)
    def gather(self) -> None:
        self.received += len([port.value for port in self.answers])
        self.left -= 1
        if not self.left:
            self.left = self.course.lap()
            if not self.left:
                return
        self.out.set([self.received])


class Client(rr.Reactor):
    """Answers with the same number in a message of its own."""

    inp = rr.Input[list[int]]()
    out = rr.Output[list[int]]()

    @rr.reaction(inp, effects=out)
    def answer(self) -> None:
        self.out.set([self.inp.value[0]])


class Talk(rr.Reactor):
    """The server and a bank of clients."""

    def __init__(self, course: Course) -> None:
        self.server = Server(course)
        self.clients = rr.Bank(CLIENTS, Client)
        self.connect(self.server.out, self.clients.inp, broadcast=True, after=0)
        self.connect(self.clients.out, self.server.answers)


def talk(workers: int, rounds: int) -> dict[str, Any]:
    """One tag a round."""
    course = Course(rounds)
    main = Talk(course)
    rr.run(main, workers=workers, fast=True)
    return course.reply(main.server.received)
