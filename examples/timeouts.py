"""Logical actions in a page: requests with a time limit, answers that come too late, and rest.

A client asks, and schedules the end of its patience. An answer in time cancels that event; one that
comes later finds it gone. `min_spacing` keeps the questions apart, however fast they are wanted.
"""

import reactorrl as rr


class Server(rr.Reactor):
    """Takes as long for an answer as the question says."""

    question, answer = rr.Input(), rr.Output()
    ready = rr.LogicalAction()

    @rr.reaction(question, effects=ready)
    def think(self):
        self.ready.schedule(self.question.value, delay=rr.msec(self.question.value))

    @rr.reaction(ready, effects=answer)
    def reply(self):
        self.answer.set(self.ready.value)


class Client(rr.Reactor):
    """Asks three questions, not more than one in 10 ms, and waits 5 ms for an answer."""

    question, answer = rr.Output(), rr.Input()
    ask = rr.LogicalAction(min_spacing=rr.msec(10))
    timeout = rr.LogicalAction(rr.msec(5))

    @rr.reaction(rr.startup, effects=ask)
    def begin(self):
        for duration in (2, 7, 3):
            self.ask.schedule(duration)

    @rr.reaction(ask, effects=[question, timeout])
    def send(self):
        self.question.set(self.ask.value)
        self.patience = self.timeout.schedule()

    @rr.reaction(answer, effects=timeout)
    def receive(self):
        is_in_time = self.patience.cancel()
        print(f"{self.milliseconds()} ms: {'answer' if is_in_time else 'too late'}")

    @rr.reaction(timeout)
    def give_up(self):
        print(f"{self.milliseconds()} ms: no answer yet")

    def milliseconds(self):
        return self.tag.time // rr.msec(1)


class Conversation(rr.Reactor):
    def __init__(self):
        self.client, self.server = Client(), Server()
        self.connect(self.client.question, self.server.question)
        self.connect(self.server.answer, self.client.answer)


if __name__ == "__main__":
    rr.run(Conversation(), fast=True)
