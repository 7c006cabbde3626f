"""The sampling benchmarks: what a step of a vector env costs, next to others, on this machine, now.

    python -m bench.sampling                     everything, some minutes
    python -m bench.sampling --quick             fewer and shorter repetitions
    python -m bench.sampling --smoke             only whether every case works
    python -m bench.sampling --only cartpole     the cases whose names contain this
    python -m bench.sampling --json FILE         also write the results, for `bench.results`

EnvPool is installed by `python -m bench.peers`; where it is missing, that is said with the reason.
"""

import sys

from bench import command
from bench.harness import SMOKE, Case, Settings
from bench.sampling import busy_env, cartpole
from bench.sampling.sides import all_places

GROUPS = (cartpole, busy_env)


def every_case(settings: Settings) -> list[Case]:
    """All cases of all groups; a smoke run is without `AsyncVectorEnv`."""
    places = all_places(with_processes=settings is not SMOKE)
    return [case for group in GROUPS for case in group.cases(places, settings)]


if __name__ == "__main__":
    sys.exit(command.main("bench.sampling", __doc__, every_case))
