"""Who takes part: labels, places, and the usual way to lay the figures side by side."""

import sys
from typing import Any

from .. import peers
from ..harness import Contender
from ..machine import usable_cpus
from ..place import Place
from ..results import Finding, Goal
from ..samples import Measured

Places = dict[str, Place]

PEER = "bench.micro.peers"
HERE = "here"
ONE_PROCESSOR = "one processor"
OURS_1 = "reactorrl, 1 worker"
OURS_2 = "reactorrl, 2 workers"
XRONOS = ("xronos", "xronos, ordinary CPython")
RAY = "Ray"


def all_places(with_ray: bool) -> Places:
    """This interpreter, this interpreter on one processor, and the peers' own."""
    cpus = usable_cpus()
    alone = "" if len(cpus) > 1 else "needs two processors"
    found = {
        HERE: Place(HERE, sys.executable),
        ONE_PROCESSOR: Place(ONE_PROCESSOR, sys.executable, tuple(cpus[:1]), alone),
        **peers.places(),
    }
    if not with_ray:
        found[RAY] = Place(
            RAY, missing="left out of a smoke run: its cluster takes seconds to start"
        )
    return found


def xronos_on_both(
    places: Places,
    call: str,
    arguments: dict[str, Any] | None = None,
    suffix: str = "",
    **options: Any,
) -> list[Contender]:
    """The same program on this interpreter and on an ordinary one, where xronos may be faster."""
    return [
        Contender(
            name + suffix,
            places[name],
            f"{PEER}.{call}",
            arguments or {},
            **options,
        )
        for name in XRONOS
    ]


def ours_and_others(measured: Measured, what: str, ours: str, goal: Goal | None) -> list[Finding]:
    """One finding: the time of every contender that was measured."""
    series = {label: measured.summary(label) for label in measured.samples}
    return [Finding(what, "ns", ours, series, goal)]


def faster(measured: Measured, *labels: str) -> str:
    """The label with the lowest median; the first where none was measured."""
    there = [label for label in labels if label in measured.samples]
    return min(there, key=lambda label: measured.summary(label).median, default=labels[0])
