"""Banking: 50 000 transfers between 1000 accounts, on the order of a teller.

An account has at most one order at each tag, and what it sends arrives at that tag, so nobody has
to wait for an answer, as in the version of Lingua Franca. There each account has a channel to each
other one; here an exchange passes the transfers on, as a list for each account that gets some.
"""

import random
from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured

N_ACCOUNTS = 1000
INITIAL = 10**9  # cents
Transfer = tuple[int, int]  # to whom, cents


class Teller(rr.Reactor):
    """Has orders for the accounts, and sends the first of each at every microstep."""

    start = rr.Input[Any]()
    order, last = rr.Output[Transfer](width=N_ACCOUNTS), rr.Output[None]()
    following = rr.LogicalAction[None]()

    def __init__(self, transfers: int) -> None:
        rng = random.Random(123456)
        orders: list[list[Transfer]] = [[] for _ in range(N_ACCOUNTS)]
        for _ in range(transfers):
            source = rng.randrange(N_ACCOUNTS // 10 * 8)
            target = source + max(1, rng.randrange(N_ACCOUNTS - source))
            orders[source].append((target, rng.randrange(100_000)))
        self.rounds = [
            [(index, each[k]) for index, each in enumerate(orders) if k < len(each)]
            for k in range(max(map(len, orders)))
        ]

    @rr.reaction(start, following, effects=(order, last, following))
    def send(self) -> None:
        if self.start.is_present:
            self.next = 0
        if self.next == len(self.rounds):
            self.last.set(None)
            return
        for index, transfer in self.rounds[self.next]:
            self.order[index].set(transfer)
        self.next += 1
        self.following.schedule()


class Account(rr.Reactor):
    """Pays, and is paid."""

    order, last = rr.Input[Transfer](), rr.Input[None]()
    received = rr.Input[list[int]]()
    transfer, balance = rr.Output[Transfer](), rr.Output[tuple[int, int]]()

    def __init__(self) -> None:
        self.cents, self.transfers = INITIAL, 0

    @rr.reaction(order, effects=transfer)
    def pay(self) -> None:
        self.cents -= self.order.value[1]
        self.transfer.set(self.order.value)

    @rr.reaction(received)
    def receive(self) -> None:
        self.cents += sum(self.received.value)
        self.transfers += len(self.received.value)

    @rr.reaction(last, effects=balance)
    def report(self) -> None:
        self.balance.set((self.cents, self.transfers))
        self.cents, self.transfers = INITIAL, 0


class Exchange(rr.Reactor):
    """Passes transfers on; adds up in the end, when nothing may be missing."""

    transfers = rr.Input[Transfer](width=N_ACCOUNTS)
    balances = rr.Input[tuple[int, int]](width=N_ACCOUNTS)
    received, finished = rr.Output[list[int]](width=N_ACCOUNTS), rr.Output[int]()

    @rr.reaction(transfers, effects=received)
    def pass_on(self) -> None:
        sums: dict[int, list[int]] = {}
        for channel in self.transfers.present():
            target, cents = channel.value
            sums.setdefault(target, []).append(cents)
        for target, amounts in sums.items():
            self.received[target].set(amounts)

    @rr.reaction(balances, effects=finished)
    def add_up(self) -> None:
        cents, transfers = map(sum, zip(*(c.value for c in self.balances), strict=True))
        if cents != N_ACCOUNTS * INITIAL:
            raise ValueError(f"{cents} cents, not {N_ACCOUNTS * INITIAL}")
        self.finished.set(transfers)


class Banking(Benchmark):
    """A teller, accounts and an exchange."""

    def __init__(self, transfers: int) -> None:
        self.teller, self.exchange = Teller(transfers), Exchange()
        self.accounts = rr.Bank(N_ACCOUNTS, Account)
        self.connect(self.start, self.teller.start)
        self.connect(self.teller.order, self.accounts.order)
        self.connect(self.teller.last, self.accounts.last, broadcast=True)
        self.connect(self.accounts.transfer, self.exchange.transfers)
        self.connect(self.exchange.received, self.accounts.received)
        self.connect(self.accounts.balance, self.exchange.balances)
        self.connect(self.exchange.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: transfers."""
    return measured(Banking(size), size, workers, warm, rounds)
