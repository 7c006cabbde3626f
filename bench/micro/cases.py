"""The micro-benchmarks: what the runtime itself costs, next to its peers, on this machine, now."""

from ..harness import SMOKE, Case, Settings
from ..savina import cases as savina
from . import building, events, fanout, onecore, tracing
from .sides import all_places

GROUPS = (events, fanout, building, onecore, tracing, savina)
PUBLISHED = savina.PUBLISHED


def cases(settings: Settings) -> list[Case]:
    """All cases; a smoke run is without Ray."""
    places = all_places(with_ray=settings is not SMOKE)
    return [case for group in GROUPS for case in group.cases(places, settings)]
