"""Tools for testing reactors: a virtual clock, traces, checks."""

from __future__ import annotations

from ..clock import VirtualClock
from .check import Finding, Findings, assert_reactor, check_reactor
from .determinism import assert_deterministic
from .digests import digest
from .simulation import Simulation, Step
from .traces import Effect, Trace, TraceRow, assert_same_trace, record_trace

__all__ = [
    "Effect",
    "Finding",
    "Findings",
    "Simulation",
    "Step",
    "Trace",
    "TraceRow",
    "VirtualClock",
    "assert_deterministic",
    "assert_reactor",
    "assert_same_trace",
    "check_reactor",
    "digest",
    "record_trace",
]
