"""Tags, units and times as users give them."""

from datetime import timedelta

import numpy as np
import pytest

import reactorrl as rr
from reactorrl.time import to_ns


def test_a_tag_prints_as_its_call():
    """The text of a tag is what makes it."""
    assert str(rr.Tag(5, 2)) == repr(rr.Tag(5, 2)) == "Tag(time=5, microstep=2)"
    assert rr.Tag(time=5, microstep=2) == rr.Tag(5, 2)
    assert (rr.Tag(5, 2).time, rr.Tag(5, 2).microstep) == (5, 2)


def test_tags_are_ordered():
    """By time, then by microstep."""
    tags = [rr.Tag(1, 0), rr.Tag(0, 7), rr.Tag(rr.NEVER, 0), rr.Tag(rr.FOREVER, 0), rr.Tag(0, 0)]
    assert [tuple(tag) for tag in sorted(tags)] == [
        (-(2**63), 0),
        (0, 0),
        (0, 7),
        (1, 0),
        (2**63 - 1, 0),
    ]


@pytest.mark.parametrize(
    ("unit", "size"), [(rr.nsec, 1), (rr.usec, 10**3), (rr.msec, 10**6), (rr.sec, 10**9)]
)
def test_units(unit, size):
    """Units of ints, floats and NumPy's numbers are exact ints."""
    assert [unit(3), unit(np.int32(3)), unit(-1)] == [3 * size, 3 * size, -size]
    assert {type(unit(n)) for n in (3, 3.0, np.float64(3), np.uint8(3))} == {int}
    assert unit(0.5) == round(size / 2)


def test_units_of_floats_are_rounded():
    """0.1 s is what it says, though 0.1 is not a binary fraction."""
    assert [rr.sec(0.1), rr.msec(1.1), rr.usec(0.0014)] == [100_000_000, 1_100_000, 1]


@pytest.mark.parametrize("bad", [True, "1", None, [1], 1j])
def test_units_take_numbers(bad):
    """Whatever is no number is a TypeError."""
    with pytest.raises(TypeError, match="msec"):
        rr.msec(bad)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_units_are_finite(bad):
    """NaN and the infinities are ValueErrors."""
    with pytest.raises(ValueError, match="not a finite number"):
        rr.sec(bad)


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (0, 0),
        (7, 7),
        (np.int64(7), 7),
        (np.uint8(7), 7),
        (timedelta(days=1, microseconds=1), 86_400_000_001_000),
        (rr.FOREVER, 2**63 - 1),
    ],
)
def test_times(value, ns):
    """Ints of any kind are nanoseconds; a timedelta is exact."""
    assert to_ns(value) == ns
    assert type(to_ns(value)) is int


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (True, TypeError, "delay is a bool"),
        (np.bool_(True), TypeError, "delay is a bool"),
        (1.0, TypeError, r"delay is a float \(1.0\); give an int of nanoseconds"),
        (float("nan"), TypeError, "delay is a float"),
        (np.timedelta64(1, "ms"), TypeError, "delay is a timedelta64"),
        ("5 ms", TypeError, "delay is a str"),
        (None, TypeError, "delay is a NoneType"),
        (-1, ValueError, r"delay is negative \(-1\)"),
        (timedelta(microseconds=-1), ValueError, "delay is negative"),
        (2**63, OverflowError, "delay is past the end of time"),
        (timedelta.max, OverflowError, "delay is past the end of time"),
    ],
)
def test_no_times(value, error, text):
    """The error names the argument, says what came and what to give."""
    with pytest.raises(error, match=text):
        to_ns(value, "delay")
