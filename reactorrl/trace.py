"""Writes a run as a Chrome trace: open it in ui.perfetto.dev or chrome://tracing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

RECORDS_PER_WORKER = 1 << 18
"""Kept for each worker; of a longer run the last ones."""


def write_trace(
    path: str | os.PathLike[str],
    records: Sequence[Sequence[tuple[int, int, int, int, int]]],
    names: Sequence[str],
) -> None:
    """Write one track per worker, each reaction named by its path, with its tag.

    Args:
        path: The file, replaced if it exists.
        records: Per worker (time_ns, microstep, begin_ns, end_ns, reaction id).
        names: Paths of the reactions, by id.

    Raises:
        OSError: The file cannot be written.
    """
    encode = json.JSONEncoder(separators=(",", ":")).encode
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit":"ns","traceEvents":[\n')
        file.write(",\n".join(map(encode, _events(records, names))))
        file.write("\n]}\n")


def _events(
    records: Sequence[Sequence[tuple[int, int, int, int, int]]], names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    yield {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": "reactorrl"}}
    for worker, lane in enumerate(records):
        yield {
            "ph": "M",
            "pid": 1,
            "tid": worker,
            "name": "thread_name",
            "args": {"name": f"worker {worker}"},
        }
        for time_ns, microstep, begin_ns, end_ns, reaction in lane:
            yield {
                "ph": "X",
                "pid": 1,
                "tid": worker,
                "ts": begin_ns / 1000,  # the format's unit is the microsecond
                "dur": (end_ns - begin_ns) / 1000,
                "name": names[reaction],
                "args": {"time": time_ns, "microstep": microstep},
            }
