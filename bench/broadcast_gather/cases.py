"""What it costs to send an object to N actors and to gather their answers, against its size and N.

By reference, where no answer needs a copy, and with a copy in each client.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

from ..figures import Figure, size_text
from ..harness import FULL, QUICK, SMOKE, VERIFY_ROUNDS, Case, Contender, Settings
from ..micro import sides
from ..micro.sides import HERE, OURS_1, OURS_2, RAY, XRONOS, Places, faster
from ..place import ONLY_IN_FULL, Place
from ..results import Controls, Finding, Goal, Published
from ..samples import Measured, Reply, quantile
from ..serve import gil_enabled

OURS = "bench.broadcast_gather.program:broadcast_gather"
PEER = "bench.broadcast_gather.peers"
WITH_GIL = "here, with the GIL on"
GIL = "the same program with the GIL on, 2 workers"
CALLING = "reactorrl, 2 workers, clients call copy()"
LOOP, BARRIER = "plain loop", "2 threads with a barrier"
LIMIT = "memcpy, 2 threads that never meet"
BY_VALUE, REFERENCES = "Ray, by value N times, as in the artifact", "Ray, references only"
PUT_ONCE, PUT_TWICE = "Ray, put once a round", "Ray, put once, clients copy as well"
COMPILED = "Ray Compiled Graph"
RAY_AGAINST = "Ray, the fastest form of its calls, against ours"

ACTORS_OF_SIZES = 6
SIZE_OF_ACTORS = 10_000_000
SIZES = {
    FULL.mode: (1_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 300_000_000, 500_000_000),
    QUICK.mode: (1_000, 1_000_000, 10_000_000),
    SMOKE.mode: (1_000, 100_000),
}
ACTORS = {FULL.mode: (2, 4, 6, 8, 16, 32, 64), QUICK.mode: (2, 6, 16), SMOKE.mode: (2, 6)}
FLAT = (1_000, 500_000_000)
LONG_BYTES = 50_000_000  # copied in a round: one is enough to compare what the sides do
CHANNEL_BYTES = 2_000_000_000  # of all channels of a compiled graph
ROUND, P50, P99 = "one round", "a single round, p50", "a single round, p99"
GOALS = {6: Goal(at_most=1200), 64: Goal(at_most=8000)}  # ns by reference, whatever the size


def all_places(settings: Settings) -> Places:
    """This interpreter, with and without its lock, and the peers' own."""
    return {
        **sides.all_places(with_ray=settings.mode != SMOKE.mode),
        WITH_GIL: Place(
            WITH_GIL,
            sys.executable,
            missing="all of them have it on here" if gil_enabled() else "",
            environment={"PYTHON_GIL": "1"},
        ),
    }


def everybody(
    places: Places, shape: dict, settings: Settings, with_ray: bool
) -> Iterator[Contender]:
    """Everybody who takes part in a case."""
    copies, size, clients = shape["copies"], shape["size"], shape["clients"]
    plain = {"clients": clients, "size": size}
    yield Contender(OURS_1, places[HERE], OURS, {**shape, "workers": 1})
    yield Contender(OURS_2, places[HERE], OURS, {**shape, "workers": 2})
    yield Contender(GIL, places[WITH_GIL], OURS, {**shape, "workers": 2})
    yield Contender(LOOP, places[HERE], f"{PEER}.plain:broadcast_gather", shape)
    yield Contender(
        BARRIER, places[HERE], f"{PEER}.threads:broadcast_gather", {**shape, "threads": 2}
    )
    if copies:
        calling = {**shape, "workers": 2, "calls": True}
        yield Contender(CALLING, places[HERE], OURS, calling)
        limit = f"{PEER}.threads:copying"
        yield Contender(LIMIT, places[HERE], limit, {**plain, "threads": 2}, task="copies")
    for name in XRONOS:  # where there are copies, its process keeps gigabytes: it has to end
        call = f"{PEER}.with_xronos:broadcast_gather"
        yield Contender(name, places[name], call, shape, apart=copies)
    ray = places[RAY]
    if not with_ray and not ray.missing:
        ray = ONLY_IN_FULL
    graph = ray
    if not ray.missing and clients * size > CHANNEL_BYTES:
        channels = f"its channels would take more than {size_text(CHANNEL_BYTES)}"
        graph = Place(RAY, missing=channels)
    elif not ray.missing and copies and settings.mode == QUICK.mode:
        graph = ONLY_IN_FULL
    forms = [
        (BY_VALUE, "by_value", ray, {"copies": copies}),
        (PUT_ONCE, "put_once", ray, {"copies": False}),
        *([(PUT_TWICE, "put_once", ray, {"copies": True})] if copies else []),
        *([] if copies else [(REFERENCES, "references", ray, {})]),
        (COMPILED, "compiled_graph", graph, {}),
    ]
    for label, form, place, more in forms:
        call, arguments = f"{PEER}.with_ray:{form}", {**plain, **more}
        yield Contender(label, place, call, arguments, apart=True, alone=label == COMPILED)


def single(q: float) -> Callable[[Reply], float]:
    """A quantile of a repetition's rounds that were timed alone."""
    return lambda reply: quantile(reply["singles_ns"], q)


def conclude(shape: dict) -> Callable[[Measured], list[Finding]]:
    """Times of rounds, and how many times ours the others take where there is a goal."""
    goal = None if shape["copies"] else GOALS.get(shape["clients"])

    def findings(measured: Measured) -> list[Finding]:
        best = faster(measured, OURS_1, OURS_2)
        times = {label: measured.summary(label) for label in measured.samples}
        found = [Finding(ROUND, "ns", best, times, goal)]
        timed = [label for label, s in measured.samples.items() if "singles_ns" in s[0]]
        for what, q in ((P50, 0.5), (P99, 0.99)):
            alone = {label: measured.summary(label, single(q)) for label in timed}
            found.append(Finding(what, "ns", best, alone))
        ray = faster(measured, PUT_ONCE, PUT_TWICE, REFERENCES, BY_VALUE)
        for what, label, ours, wanted in ratios(shape, best, ray):
            if {label, ours} <= measured.samples.keys():
                ratio = {ours: measured.ratio(label, ours)}
                found.append(Finding(what, "x", ours, ratio, wanted))
        return found

    return findings


def ratios(shape: dict, best: str, ray: str) -> list[tuple[str, str, str, Goal]]:
    """Name, who is set against which of our rows, and the goal. Of Ray's calls, the fastest."""
    at = (shape["clients"], shape["size"], shape["copies"])
    if at == (6, 1_000, False):
        return [
            (RAY_AGAINST, ray, best, Goal(at_least=1000)),
            (f"{COMPILED} against ours", COMPILED, best, Goal(at_least=500)),
            ("xronos against ours", "xronos", best, Goal(at_least=5)),
        ]
    if at == (6, 10_000_000, True):
        return [
            (RAY_AGAINST, ray, best, Goal(at_least=5)),
            ("share of the speed of plain memcpy", LIMIT, best, Goal(at_least=0.85)),
        ]
    return []


def star(
    places: Places, settings: Settings, size: int, clients: int, copies: bool, with_ray: bool
) -> Case:
    """One size and one number of actors."""
    shape = {"clients": clients, "size": size, "copies": copies}
    moved = clients * size if copies else 0
    how = "each returns a copy" if copies else "by reference"
    name = f"broadcast-{clients}-{size_text(size).replace(' ', '')}{'-copy' if copies else ''}"
    return Case(
        name,
        f"What does a round cost with {clients} actors and {size_text(size)}, {how}?",
        list(everybody(places, shape, settings, with_ray)),
        conclude(shape),
        seconds=4 + 12 * with_ray + moved / 4e7,
        at={"actors": clients, "size": size, "copies": "yes" if copies else "no"},
        verify_rounds=1 if moved >= LONG_BYTES else VERIFY_ROUNDS,
    )


def flat(settings: Settings) -> Case:
    """The time of a round must not depend on the size of what is sent by reference."""
    small, large = (f"reactorrl, {size_text(size)}" for size in FLAT)
    what = f"{size_text(FLAT[1])} against {size_text(FLAT[0])}"

    def findings(measured: Measured) -> list[Finding]:
        times = {label: measured.summary(label) for label in measured.samples}
        found = [Finding(ROUND, "ns", large, times)]
        if {small, large} <= times.keys():
            ratio = {large: measured.ratio(large, small)}
            found.append(Finding(what, "x", large, ratio, Goal(at_most=1.2)))
        return found

    sizes = FLAT if settings.mode != SMOKE.mode else (FLAT[0], 100_000)
    return Case(
        "broadcast-flat",
        f"Does a round by reference to {ACTORS_OF_SIZES} actors take longer for a large object?",
        [
            Contender(
                label,
                Place(label, sys.executable),  # a process each, since it keeps its array
                OURS,
                {"workers": 1, "clients": ACTORS_OF_SIZES, "size": size, "copies": False},
                task=label,
            )
            for label, size in zip((small, large), sizes, strict=True)
        ],
        findings,
        seconds=6,
    )


def cases(
    settings: Settings,
    *,
    sizes: Sequence[int] | None = None,
    actors: Sequence[int] | None = None,
    copies: Sequence[bool] = (False, True),
) -> list[Case]:
    """Against the size with 6 actors, and against the number of actors with 10 MB."""
    places = all_places(settings)
    shapes = [
        (size, ACTORS_OF_SIZES) for size in (SIZES[settings.mode] if sizes is None else sizes)
    ]
    numbers = ACTORS[settings.mode] if actors is None else actors
    shapes += [(SIZE_OF_ACTORS, clients) for clients in numbers]
    asked = sizes is not None or actors is not None
    judged = ((SIZES[FULL.mode][0], False), (SIZE_OF_ACTORS, True))

    def with_ray(size: int, clients: int, copies: bool) -> bool:
        """Everywhere, but for a quick run only where there is a goal."""
        is_judged = clients == ACTORS_OF_SIZES and (size, copies) in judged
        return asked or settings.mode != QUICK.mode or is_judged

    found = [
        star(places, settings, size, clients, copying, with_ray(size, clients, copying))
        for copying in copies
        for size, clients in dict.fromkeys(shapes)
    ]
    return found if asked else [*found, flat(settings)]


def figure(name: str, title: str, x: str, copies: bool, what: str = ROUND) -> Figure:
    """Time over the size or the number of actors."""
    by_size = x == "size"
    return Figure(
        name=f"broadcast-gather-{name}",
        title=title,
        what=what,
        y_label="time of a round" if what == ROUND else "99 of 100 rounds took less",
        x=x,
        x_label="size of the object" if by_size else "actors",
        x_unit="B" if by_size else "",
        where={
            "copies": "yes" if copies else "no",
            **({"actors": ACTORS_OF_SIZES} if by_size else {"size": SIZE_OF_ACTORS}),
        },
        log_x=True,
        log_y=True,
    )


FIGURES = (
    figure("size", "Broadcast and gather, 6 actors, by reference", "size", False),
    figure("size-copy", "Broadcast and gather, 6 actors, each returns a copy", "size", True),
    figure("actors", "Broadcast and gather, 10 MB, by reference", "actors", False),
    figure("actors-copy", "Broadcast and gather, 10 MB, each returns a copy", "actors", True),
    figure("actors-p99", "The slowest rounds, 10 MB, by reference", "actors", False, P99),
    figure("size-copy-p99", "The slowest rounds, 6 actors, each returns a copy", "size", True, P99),
)

SOURCE = "arXiv 2312.04704, 32 vCPUs"
PUBLISHED = (
    *(
        Published(
            f"broadcast-{n}-10MB-copy",
            ROUND,
            "ns",
            {"Ray": ray * 1e6, "reactors": lf * 1e6},
            SOURCE,
        )
        for n, ray, lf in ((2, 11.7, 4.9), (4, 13.0, 5.2), (8, 16.5, 5.2), (16, 24.3, 7.1))
    ),
    *(
        Published(
            f"broadcast-6-{size}-copy",
            ROUND,
            "ns",
            {"Ray, 16 actors": ray * 1e6, "reactors, 16 actors": lf * 1e6},
            SOURCE,
        )
        for size, ray, lf in (
            ("1KB", 7.3, 0.9),
            ("100KB", 11.8, 1.0),
            ("10MB", 24.1, 7.1),
            ("100MB", 204, 146),
            ("300MB", 478, 307),
            ("500MB", 869, 511),
        )
    ),
)
CONTROLS = Controls(
    one=OURS_1,
    two=OURS_2,
    gil=GIL,
    loop=LOOP,
    threads=BARRIER,
    artifact=BY_VALUE,
    ray=(BY_VALUE, PUT_ONCE, PUT_TWICE, REFERENCES, COMPILED),
    copies="-copy",
)
