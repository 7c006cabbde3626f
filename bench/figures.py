"""Figures of results: lines over a coordinate of the cases, or bars, as PNG and SVG."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """What one picture shows: the series of one finding in all cases that have its coordinates.

    A case takes part if its `at` has `x` and equals `where` in every key. Points are medians, error
    bars quartiles. Without `x`, each case is a group of bars.
    """

    name: str  # of the files
    title: str
    what: str  # of the finding, as in `Finding.what`
    y_label: str
    x: str = ""
    x_label: str = ""
    where: Mapping[str, float | str] = field(default_factory=dict)
    log_x: bool = False
    log_y: bool = False
