"""What it costs to gather experience and to draw it again, next to others, on this machine, now."""

from ..harness import QUICK, SMOKE, Case, Settings
from . import atari, banks, busy_env, cartpole, prioritized
from .sides import all_places

GROUPS = (banks, cartpole, busy_env, atari, prioritized)
FIGURES = banks.FIGURES
PUBLISHED = banks.PUBLISHED
CONTROLS = banks.CONTROLS


def cases(settings: Settings) -> list[Case]:
    """All cases of all groups; a smoke run is without what takes long to start.

    A quick one is without the priorities, whose peers take longest.
    """
    places = all_places(with_slow_starters=settings.mode != SMOKE.mode)
    groups = [group for group in GROUPS if settings.mode != QUICK.mode or group is not prioritized]
    return [case for group in groups for case in group.cases(places, settings)]
