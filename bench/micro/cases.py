"""The micro-benchmarks: what the runtime itself costs, next to its peers, on this machine, now."""

from ..harness import QUICK, SMOKE, Case, Settings
from ..savina import cases as savina
from . import asleep, building, events, fanout, onecore, tracing
from .sides import all_places

GROUPS = (events, fanout, asleep, building, onecore, tracing, savina)
PUBLISHED = savina.PUBLISHED
# What others in a quick run nearly say: words of their names.
NOT_IN_QUICK = ("-2x1us", "processor-broadcast-64", "processor-parallel", "building")


def cases(settings: Settings) -> list[Case]:
    """All cases; a smoke run is without Ray, a quick one without Savina's and some more."""
    places = all_places(with_ray=settings.mode != SMOKE.mode)
    if settings.mode != QUICK.mode:
        return [case for group in GROUPS for case in group.cases(places, settings)]
    found = [case for group in GROUPS[:-1] for case in group.cases(places, settings)]
    return [case for case in found if not any(word in case.name for word in NOT_IN_QUICK)]
