"""The binding refuses junk: whatever it is called with, the interpreter lives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reactorrl import _core

HERE = Path(__file__).resolve().parent


def test_no_call_of_the_binding_ends_the_interpreter(seed, is_long):
    """Wrong types, None, huge and negative numbers, objects in the wrong state."""
    command = [sys.executable, "-X", "faulthandler", str(HERE / "junk.py"), str(seed)]
    command.append("50000" if is_long else "2000")
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env=env, check=False
    )
    last = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"{last}\n{done.stderr[-3000:]}"
    assert int(last[0].split()[1]) > 500  # calls were refused


def test_what_took_the_interpreter_down():
    """None for an element, a graph that has its program, no graph, a worker that is not there."""
    graph = _core.Graph()
    with pytest.raises(TypeError):
        graph.add_multiport(None)
    with pytest.raises(TypeError):
        graph.add_multiport(_core.Multiport(_core.Port(), 2))  # no width yet
    with pytest.raises(TypeError):
        _core.Runtime.__new__(_core.Runtime)
    options = {"fast": True, "keepalive": False, "profile": False, "check": False}
    options |= {"timeout_ns": -1, "trace_capacity": 0}
    with pytest.raises(ValueError, match="1 processors for 2 workers"):
        _core.Runtime(graph, workers=2, cpus=[0], **options)
    runtime = _core.Runtime(graph, workers=1, cpus=None, **options)
    for call in (lambda: graph.add_enclave(1, 1), lambda: graph.add_port(_core.Port())):
        with pytest.raises(_core.errors.PhaseError, match="has its program already"):
            call()
    with pytest.raises(IndexError, match="worker 1 of 1"):
        runtime.pulse(1)
    with pytest.raises(TypeError):
        _core.feed(runtime, object(), 0, 0, None)
