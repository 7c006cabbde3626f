"""How many workers, and on which processors."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from . import _core

MAX_WORKERS = 4096

Affinity = Any  # None | "performance" | "spread" | Sequence[int]


def usable_cores() -> int:
    """Return how many processors this process may keep busy, by affinity mask and cgroup."""
    allowed = len(_core.topology())
    granted = _core.cgroup_cpus()
    return max(1, min(allowed, granted or allowed))


def place(affinity: Affinity, workers: int | None, more: int = 0) -> tuple[int, list[int] | None]:
    """Choose the number of workers and the processor of each.

    Args:
        affinity: `None`: the operating system places the workers. `"performance"`: the fastest
            cores first, one worker on each physical core before any sibling. `"spread"`: as far
            apart as possible, last-level caches in turn. A list: these processors in this order.
        workers: How many, or `None` for one on each processor of the list, or each usable one.
        more: Workers of enclaves, which come after these.

    Returns:
        The number of workers, and a processor for each and for `more`, or `None` to pin nothing.
        There is nothing to gain from pinning more workers than there are processors, so then none
        is pinned.

    Raises:
        TypeError: `affinity` or `workers` is of another type.
        ValueError: A processor is not usable, there are fewer than workers, or `workers` is not
            positive.
    """
    if workers is not None:
        if isinstance(workers, bool) or not hasattr(type(workers), "__index__"):
            raise TypeError(
                f"workers is a {type(workers).__name__} ({workers!r}); give how many threads run"
                " reactions"
            )
        workers = operator.index(workers)
        if workers < 1:
            raise ValueError(f"workers={workers}: at least one thread must run reactions")
        if workers > MAX_WORKERS:
            raise ValueError(f"workers={workers}: at most {MAX_WORKERS} are possible")
    if affinity is None:
        return workers or usable_cores(), None
    if isinstance(affinity, str):
        topology = _core.topology()
        if affinity == "performance":
            order = [cpu for cpu, *_ in topology]
        elif affinity == "spread":
            order = _spread(topology)
        else:
            raise ValueError(
                f"affinity={affinity!r}: it is None, 'performance', 'spread' or a list of CPUs"
            )
        count = workers or usable_cores()
        return count, order[: count + more] if count + more <= len(order) else None
    cpus = _checked(affinity)
    count = workers or max(1, len(cpus) - more)
    if count + more > len(cpus):
        of_enclaves = f" and {more} of enclaves" if more else ""
        raise ValueError(f"affinity lists {len(cpus)} CPUs for {count} workers{of_enclaves}")
    return count, cpus[: count + more]


def _spread(topology: Sequence[tuple[int, int, int, int]]) -> list[int]:
    by_cache: dict[int, list[int]] = {}
    for cpu, _, cache, _ in topology:
        by_cache.setdefault(cache, []).append(cpu)
    depth = max(map(len, by_cache.values()), default=0)
    return [cpus[i] for i in range(depth) for cpus in by_cache.values() if i < len(cpus)]


def _checked(affinity: Any) -> list[int]:
    try:
        cpus = [operator.index(cpu) for cpu in affinity]
    except TypeError:
        raise TypeError(
            f"affinity={affinity!r}: it is None, 'performance', 'spread' or a list of CPU numbers"
        ) from None
    allowed = {cpu for cpu, *_ in _core.topology()}
    unusable = [cpu for cpu in cpus if cpu not in allowed]
    if unusable or not cpus:
        raise ValueError(f"affinity={cpus}: usable CPUs are {sorted(allowed)}")
    if len(set(cpus)) < len(cpus):
        raise ValueError(f"affinity={cpus} names a CPU twice")
    return cpus
