"""One object to N clients by reference and back: the shape of every synchronous training loop."""

from typing import Any

import numpy as np

import reactorrl as rr

from ..harness import Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured
from ..stopwatch import Stopwatch
from .sides import (
    HERE,
    OURS_1,
    OURS_2,
    PEER,
    RAY,
    Places,
    faster,
    ours_and_others,
    xronos_on_both,
)

GOALS = {6: Goal(at_most=1200), 64: Goal(at_most=8000)}
SIZES = {"1 KB": 1_000, "10 MB": 10_000_000}
RAY_FORMS = {
    "Ray, put once, clients return the array": "returning",
    "Ray, put once, clients return the reference": "references",
    "Ray Compiled Graph": "compiled_graph",
}


class Server(rr.Reactor):
    """Broadcasts one object and gathers it from every client."""

    values = rr.Input[np.ndarray](width="clients")
    out = rr.Output[np.ndarray]()

    def __init__(self, watch: Stopwatch, clients: int, payload: np.ndarray) -> None:
        self.watch = watch
        self.clients = clients
        self.payload = payload
        self.left = watch.lap()
        self.gathered = 0

    @rr.reaction(rr.startup, effects=out)
    def start(self) -> None:
        self.out.set(self.payload)

    @rr.reaction(values, effects=out)
    def gather(self) -> None:
        values = [port.value for port in self.values]
        self.gathered += len(values)
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.out.set(values[0])


class Client(rr.Reactor):
    """Returns the object that it got."""

    inp = rr.Input[np.ndarray]()
    out = rr.Output[np.ndarray]()

    @rr.reaction(inp, effects=out)
    def answer(self) -> None:
        self.out.set(self.inp.value)


class Star(rr.Reactor):
    """A server and a bank of clients."""

    def __init__(self, watch: Stopwatch, clients: int, payload: np.ndarray) -> None:
        self.server = Server(watch, clients, payload)
        self.clients = rr.Bank(clients, Client)
        self.connect(self.server.out, self.clients.inp, broadcast=True, after=0)
        self.connect(self.clients.out, self.server.values)


def broadcast_gather(
    workers: int, clients: int, size: int, warm: int, rounds: int
) -> dict[str, Any]:
    """One object to all clients by reference, and back."""
    watch = Stopwatch(warm, rounds)
    main = Star(watch, clients, np.zeros(size, np.uint8))
    rr.run(main, workers=workers, fast=True)
    return watch.reply(main.server.gathered)


def ours(places: Places, clients: int, size: int, place: str = HERE) -> list[Contender]:
    """With one worker and with two."""
    return [
        Contender(
            label,
            places[place],
            "bench.micro.broadcast:broadcast_gather",
            {"workers": workers, "clients": clients, "size": size},
        )
        for label, workers in ((OURS_1, 1), (OURS_2, 2))
    ]


def conclude(clients: int) -> Any:
    """The better of one and two workers is ours; any payload has the same goal."""

    def findings(measured: Measured) -> list[Finding]:
        best = faster(measured, OURS_1, OURS_2)
        return ours_and_others(measured, "one round", best, GOALS.get(clients))

    return findings


def cases(places: Places, _settings: Settings) -> list[Case]:
    """Every number of clients with a small and a large payload; Ray at six clients."""
    found = []
    for clients in (2, 6, 16, 64):
        for size_name, size in SIZES.items():
            shape = {"clients": clients, "size": size}
            call = "broadcast_gather"
            contenders = [
                *ours(places, clients, size),
                *xronos_on_both(places, f"with_xronos:{call}", shape),
                Contender(
                    "2 threads with a barrier",
                    places[HERE],
                    f"{PEER}.threads:{call}",
                    {**shape, "threads": 2},
                ),
                Contender("plain loop", places[HERE], f"{PEER}.plain:{call}", shape),
            ]
            if clients == 6:
                contenders += [
                    Contender(label, places[RAY], f"{PEER}.with_ray:{form}", shape, apart=True)
                    for label, form in RAY_FORMS.items()
                ]
            found.append(
                Case(
                    f"broadcast-{clients}-{size_name.replace(' ', '')}",
                    f"What does a round of broadcast and gather cost with {clients} clients and "
                    f"{size_name}, by reference?",
                    contenders,
                    conclude(clients),
                    seconds=16 if clients == 6 else 4,
                )
            )
    return found
