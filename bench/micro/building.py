"""From classes to the first reaction: 10 000 reactors with two ports and one reaction each."""

import time
from typing import Any

import reactorrl as rr

from ..harness import Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured, Reply
from .sides import HERE, XRONOS, Places, xronos_on_both

CHAIN = 10  # reactors, one's output connected to the next one's input
OURS = "reactorrl"
COLLECTED = "reactorrl, garbage collector on"


class Member(rr.Reactor):
    """Two ports and one reaction."""

    inp = rr.Input[int]()
    out = rr.Output[int]()

    @rr.reaction(inp, effects=out)
    def forward(self) -> None:
        self.out.set(self.inp.value)


class First(rr.Reactor):
    """Notes when the first reaction runs."""

    def __init__(self) -> None:
        self.begun = 0

    @rr.reaction(rr.startup)
    def start(self) -> None:
        self.begun = time.perf_counter_ns()


class Many(rr.Reactor):
    """All of them, connected in chains."""

    def __init__(self, reactors: int) -> None:
        self.first = First()
        self.members = rr.Bank(reactors, Member)
        sources = [m.out for m in self.members if (m.bank_index + 1) % CHAIN]
        destinations = [m.inp for m in self.members if m.bank_index % CHAIN]
        self.connect(sources, destinations)


def building(reactors: int) -> dict[str, Any]:
    """Builds and connects the reactors, then starts them."""
    begin = time.perf_counter_ns()
    main = Many(reactors)
    built = time.perf_counter_ns()
    rr.Program(main, workers=1, fast=True).run()
    return {
        "ns": built - begin,
        "rounds": reactors,
        "first_ns": main.first.begun - built,
        "check": len(main.members),
    }


def to_first_reaction(reply: Reply) -> float:
    """From the finished graph of reactors to the first body."""
    return reply["first_ns"]


def cases(places: Places, settings: Settings) -> list[Case]:
    """Both figures come from one run."""
    reactors = 300 if settings.mode == "smoke" else 10_000
    shape = {"reactors": reactors}
    call = "bench.micro.building:building"

    def conclude(measured: Measured) -> list[Finding]:
        labels = [label for label in (OURS, COLLECTED, *XRONOS) if label in measured.samples]
        return [
            Finding(
                "one reactor built and connected",
                "ns",
                OURS,
                {label: measured.summary(label) for label in labels},
                Goal(at_most=15_000),
            ),
            Finding(
                f"{reactors} reactors until the first reaction",
                "ns",
                OURS,
                {label: measured.summary(label, to_first_reaction) for label in labels},
                Goal(at_most=100e6),
            ),
        ]

    return [
        Case(
            "building",
            f"What do {reactors} reactors cost until the first reaction runs?",
            [
                Contender(OURS, places[HERE], call, shape, rounds=reactors),
                Contender(COLLECTED, places[HERE], call, shape, rounds=reactors, gc=True),
                *xronos_on_both(
                    places,
                    "with_xronos_many:building",
                    {**shape, "chain": CHAIN},
                    rounds=reactors,
                ),
            ],
            conclude,
            seconds=100,
        )
    ]
