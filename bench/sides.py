"""Where the sides of the experiments that learn run."""

import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from . import peers
from .harness import QUICK, SMOKE, Contender, Settings
from .place import ONLY_IN_FULL, Place

HERE, GIL_ON, RAY = "here", "here, GIL on", "Ray, learning"


def learning_places(settings: Settings) -> dict[str, Place]:
    """This interpreter, the same with the GIL on, and Ray's; a smoke run has only the first."""
    found = {
        GIL_ON: Place(GIL_ON, sys.executable, environment={"PYTHON_GIL": "1"}),
        RAY: peers.places()[RAY],
    }
    if settings.mode == SMOKE.mode:
        missing = "left out of a smoke run: it takes seconds to start"
        found = {name: Place(name, missing=missing) for name in found}
    return {HERE: Place(HERE, sys.executable), **found}


def learning_sides(
    settings: Settings,
    places: Mapping[str, Place],
    shape: Mapping[str, Any],
    sides: Iterable[tuple[str, str, str, Mapping[str, Any]]],
    not_in_quick: Collection[str] = (),
    alone: Collection[str] = (),
    **options: Any,
) -> list[Contender]:
    """Contenders from label, place, call, and arguments beside `shape`; Ray's are apart."""
    left_out = not_in_quick if settings.mode == QUICK.mode else ()
    return [
        Contender(
            label,
            ONLY_IN_FULL if label in left_out else places[place],
            call,
            {**shape, **more},
            apart=place == RAY,
            alone=label in alone,
            **options,
        )
        for label, place, call, more in sides
    ]
