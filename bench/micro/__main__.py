"""The micro-benchmarks: what the runtime itself costs, next to its peers, on this machine, now.

    python -m bench.micro                      everything, some minutes
    python -m bench.micro --quick              fewer and shorter repetitions
    python -m bench.micro --smoke              only whether every case works; the times mean nothing
    python -m bench.micro --only broadcast-6   the cases whose names contain this
    python -m bench.micro --json FILE          also write the results, for `python -m bench.results`

Peers are installed by `python -m bench.peers`; one that is missing is named with the reason.
"""

import sys

from bench import command
from bench.harness import SMOKE, Case, Settings
from bench.micro import broadcast, building, events, fanout, memory, onecore
from bench.micro.sides import all_places

GROUPS = (events, broadcast, fanout, building, onecore, memory)


def every_case(settings: Settings) -> list[Case]:
    """All cases; a smoke run is without Ray."""
    places = all_places(with_ray=settings is not SMOKE)
    return [case for group in GROUPS for case in group.cases(places, settings)]


if __name__ == "__main__":
    sys.exit(command.main("bench.micro", __doc__, every_case))
