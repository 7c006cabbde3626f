"""Where the sides of the experiments that learn run."""

import sys

from . import peers
from .harness import SMOKE, Settings
from .place import Place

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
