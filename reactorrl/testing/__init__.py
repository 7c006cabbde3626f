"""Tools for testing reactors: a virtual clock, traces, checks."""

from __future__ import annotations

from .check import Finding, Findings, assert_reactor, check_reactor
from .determinism import assert_deterministic
from .digests import digest
from .traces import Effect, Trace, TraceRow, assert_same_trace, record_trace

__all__ = [
    "Effect",
    "Finding",
    "Findings",
    "Trace",
    "TraceRow",
    "assert_deterministic",
    "assert_reactor",
    "assert_same_trace",
    "check_reactor",
    "digest",
    "record_trace",
]
