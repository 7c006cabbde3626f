"""The micro-benchmarks: what the runtime itself costs, next to its peers, on this machine, now."""

from ..harness import QUICK, SMOKE, Case, Settings
from ..savina import cases as savina
from . import asleep, building, events, fanout, onecore, tracing
from .sides import all_places

GROUPS = (events, fanout, asleep, building, onecore, tracing, savina)
PUBLISHED = savina.PUBLISHED


def cases(settings: Settings) -> list[Case]:
    """All cases; a smoke run is without Ray, a quick one without Savina's."""
    places = all_places(with_ray=settings is not SMOKE)
    groups = [group for group in GROUPS if settings.mode != QUICK.mode or group is not savina]
    return [case for group in groups for case in group.cases(places, settings)]
