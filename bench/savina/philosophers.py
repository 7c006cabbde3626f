"""Dining Philosophers: 20 of them eat 10 000 times each; an arbiter has the forks.

Whoever is denied asks again at once. The arbiter hears all who are hungry at a tag and begins with
another one each time, as in the version of Lingua Franca, so that who eats is no matter of chance.
"""

from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured

N_PHILOSOPHERS = 20


class Arbiter(rr.Reactor):
    """Lets those eat whose forks both are free."""

    start = rr.Input[Any]()
    hungry, done = rr.Input[None](width=N_PHILOSOPHERS), rr.Input[None](width=N_PHILOSOPHERS)
    full = rr.Input[int](width=N_PHILOSOPHERS)
    may_eat, begin = rr.Output[bool](width=N_PHILOSOPHERS), rr.Output[None]()
    finished = rr.Output[int]()
    answer = rr.LogicalAction[dict[int, bool]]()

    @rr.reaction(start, effects=begin)
    def on_start(self) -> None:
        self.is_taken = [False] * N_PHILOSOPHERS
        self.first = self.n_full = self.meals = 0
        self.begin.set(None)

    @rr.reaction(answer, effects=may_eat)
    def on_answer(self) -> None:
        for index, is_allowed in self.answer.value.items():
            self.may_eat[index].set(is_allowed)

    @rr.reaction(done)
    def on_done(self) -> None:
        for channel in self.done.present():
            self.is_taken[channel.index] = False
            self.is_taken[(channel.index + 1) % N_PHILOSOPHERS] = False

    @rr.reaction(hungry, effects=answer)
    def on_hungry(self) -> None:
        answers, forks = {}, self.is_taken
        asking = [channel.index for channel in self.hungry.present()]
        asking.sort(key=lambda index: (index - self.first) % N_PHILOSOPHERS)
        for left in asking:
            right = (left + 1) % N_PHILOSOPHERS
            answers[left] = not (forks[left] or forks[right])
            if answers[left]:
                forks[left] = forks[right] = True
        self.first = (self.first + 1) % N_PHILOSOPHERS
        self.answer.schedule(answers)

    @rr.reaction(full, effects=finished)
    def on_full(self) -> None:
        for channel in self.full.present():
            self.n_full += 1
            self.meals += channel.value
        if self.n_full == N_PHILOSOPHERS:
            self.finished.set(self.meals)


class Philosopher(rr.Reactor):
    """Is hungry until it has eaten often enough."""

    begin, may_eat = rr.Input[None](), rr.Input[bool]()
    hungry, done, full = rr.Output[None](), rr.Output[None](), rr.Output[int]()

    def __init__(self, meals: int) -> None:
        self.meals = meals

    @rr.reaction(begin, effects=hungry)
    def on_begin(self) -> None:
        self.eaten = 0
        self.hungry.set(None)

    @rr.reaction(may_eat, effects=(hungry, done, full))
    def on_answer(self) -> None:
        if self.may_eat.value:
            self.eaten += 1
            self.done.set(None)
        if self.eaten == self.meals:
            self.full.set(self.eaten)
        else:
            self.hungry.set(None)


class Philosophers(Benchmark):
    """An arbiter and philosophers."""

    def __init__(self, meals: int) -> None:
        self.arbiter = Arbiter()
        self.philosophers = rr.Bank(N_PHILOSOPHERS, Philosopher, meals)
        self.connect(self.start, self.arbiter.start)
        self.connect(self.arbiter.begin, self.philosophers.begin, broadcast=True)
        self.connect(self.arbiter.may_eat, self.philosophers.may_eat)
        self.connect(self.philosophers.hungry, self.arbiter.hungry)
        self.connect(self.philosophers.done, self.arbiter.done)
        self.connect(self.philosophers.full, self.arbiter.full)
        self.connect(self.arbiter.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: meals of each."""
    return measured(Philosophers(size), size * N_PHILOSOPHERS, workers, warm, rounds)
