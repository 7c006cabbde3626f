"""What it costs to gather experience and to draw it again, next to others, on this machine, now.

    python -m bench.sampling                     everything, some minutes
    python -m bench.sampling --quick             fewer and shorter repetitions
    python -m bench.sampling --smoke             only whether every case works
    python -m bench.sampling --only cartpole     the cases whose names contain this
    python -m bench.sampling --json FILE         also write the results, for `bench.results`

Peers are installed by `python -m bench.peers`; one that is missing is named with the reason.
"""

import sys

from bench import command
from bench.harness import SMOKE, Case, Settings
from bench.sampling import atari, busy_env, cartpole, prioritized, rollouts
from bench.sampling.sides import all_places

GROUPS = (cartpole, busy_env, atari, rollouts, prioritized)


def every_case(settings: Settings) -> list[Case]:
    """All cases of all groups; a smoke run is without what takes long to start."""
    places = all_places(with_slow_starters=settings is not SMOKE)
    return [case for group in GROUPS for case in group.cases(places, settings)]


if __name__ == "__main__":
    sys.exit(command.main("bench.sampling", __doc__, every_case))
