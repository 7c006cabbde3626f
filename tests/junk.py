"""Calls everything in `reactorrl._core` with junk: python junk.py SEED N. For test_junk.py.

The last line that it prints before it is killed names the call that killed it.
"""

import os
import random
import resource
import sys

from reactorrl import _core
from reactorrl.time import Tag

NUMBERS = (0, 1, 2, 3, -1, -2, 7, 255, 2**31, 2**32 - 1, 2**32, 2**63 - 1, -(2**63), 2**63, 2**100)
OTHERS = (None, True, 1.5, float("nan"), "x", "", "/sys", b"x", (), [], {}, [1, "x"], Tag(1, 0))
# What the longer calls take: an element (Port, Multiport, Action, Timer, mOde), a Runtime, numbers,
# anything. Most arguments are of that kind, so that what lies behind a check is called, too.
KINDS = {
    "P": _core.Port, "M": _core.Multiport, "A": _core.Action, "T": _core.Timer, "O": _core.Mode,
    "E": _core.Element, "R": _core.Runtime, "G": _core.Graph,
}  # fmt: skip
TAKEN = {
    "add_enclave": "nn", "add_reactor": "xn", "add_mode": "OOn", "add_port": "P",
    "add_multiport": "M", "add_action": "AnnnnnO", "add_timer": "TnnO", "add_reaction": "nxxnOnx",
    "declare": "nnE", "connect": "PPnnO", "fill": "n", "make": "xn", "bind": "xx",
    "advance_clock": "Rn", "step": "Rnn", "feed": "REnnx", "feed_miss": "Rnnn", "feed_stop": "Rnnn",
    "is_mode_active": "RO", "elapsed_ns": "R", "wait_for_pause": "Rn", "schedule_physical": "xnx",
    "attach_recorder": "Gx", "topology": "xx", "Multiport": "Px",
}  # fmt: skip
LENGTHY = {"wait", "wait_for_pause", "fill", "make", "Multiport"}  # a large number is no junk there
FORBIDDEN = {"forget_threads"}  # for the child of a fork, where they are gone
MEMORY = 4 << 30


class Holder:
    """What a reactor looks like from below."""

    path = "Holder"
    _rrl_container = None

    def __init__(self, **elements):
        self.__dict__.update(elements)


def body(reactor):
    pass


def elements():
    port = _core.Port()
    made = [port, _core.Port(int, True), _core.Action(), _core.Timer(), _core.Mode(initial=True)]
    made += [_core.Multiport(port, 2), _core.Multiport(port, "n").make(Holder(), 3)]
    made += [each.make(Holder()) for each in made[:5]]
    made += [_core.startup, _core.shutdown]
    return made


def blank():
    """Instances whose `__init__` has not run."""
    kinds = [_core.Port, _core.Multiport, _core.Action, _core.Timer, _core.Mode, _core.Element]
    kinds += [_core.Handle, _core.Edge, _core.Graph]
    return [kind.__new__(kind) for kind in kinds]


def program():
    graph, holder = _core.Graph(), Holder()
    graph.add_reactor(holder)
    source, sink, action = (
        kind.make(holder) for kind in (_core.Port(), _core.Port(), _core.Action())
    )
    physical, timer, mode = (
        kind.make(holder) for kind in (_core.Action(), _core.Timer(), _core.Mode(initial=True))
    )
    graph.add_mode(mode, None, True)
    graph.add_port(source)
    graph.add_port(sink)
    graph.add_action(action, False, 0, -1, 0, 1)
    graph.add_action(physical, True, 0, -1, 0, 8)
    graph.add_timer(timer, 0, 0)
    reaction = graph.add_reaction(0, body, holder, 1)
    graph.declare(reaction, _core.TRIGGER, timer)
    graph.connect(source, sink, 0, False)
    return graph, [source, sink, action, physical, timer, mode]


def runtime(graph, **options):
    given = {"workers": 2, "fast": True, "keepalive": False, "profile": False, "check": False}
    given |= {"timeout_ns": -1, "cpus": None, "trace_capacity": 0, **options}
    return _core.Runtime(graph, **given)


def pool(rng):
    graph, some = program()
    compiled, others = program()
    things = [graph, compiled, *some, *others, *elements(), *blank(), Holder(), body, Holder]
    kind = rng.randrange(4)
    made = runtime(compiled, virtual_clock=kind == 1, stepped=kind == 2, replay=kind == 3)
    things += [made] * 6
    if rng.random() < 0.5:
        made.start()
        _core.step(made, 2**62, 0)
        if rng.random() < 0.5 and made.wait(10**10):
            made.join()
    return things


def calls(things):
    found = [getattr(_core, name) for name in dir(_core) if name[0] != "_"]
    found = [each for each in found if callable(each) and each.__module__ == _core.__name__]
    for thing in things:
        if type(thing).__module__ == _core.__name__:
            names = {name for name in dir(type(thing)) if name[0] != "_"} - FORBIDDEN
            names = sorted(names)
            found += [(thing, name) for name in names]
    return found + [each for each in found if named(each) in TAKEN] * 3


def named(target):
    return target[1] if type(target) is tuple else target.__name__


def argument(rng, things, kind="x"):
    choice = rng.random()
    if kind == "n" and choice < 0.8:
        return rng.choice(NUMBERS[:7] if choice < 0.5 else NUMBERS)
    if kind in KINDS and choice < 0.8:
        return rng.choice([thing for thing in things if isinstance(thing, KINDS[kind])])
    if choice < 0.35:
        return rng.choice(NUMBERS)
    return rng.choice(OTHERS) if choice < 0.6 else rng.choice(things)


def call(rng, things, target):
    name = named(target)
    if name in TAKEN and rng.random() < 0.9:
        given = [argument(rng, things, kind) for kind in TAKEN[name]]
    else:
        given = [argument(rng, things) for _ in range(rng.randrange(7))]
    if name in LENGTHY:
        given = [min(each, 7) if isinstance(each, (int, float)) else each for each in given]
    if name == "Runtime" and rng.random() < 0.8:
        names = ("workers", "timeout_ns", "trace_capacity", "cpus", "check", "replay")
        options = {rng.choice(names): argument(rng, things)}
        print(name, given, options, flush=True)
        return runtime(argument(rng, things), **options)
    print(target, given, flush=True)
    if type(target) is not tuple:
        return target(*given)
    found = getattr(*target)
    return found(*given) if callable(found) else found


def main():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rng, n_refused, n = random.Random(int(sys.argv[1])), 0, int(sys.argv[2])
    for i in range(n):
        if i % 200 == 0:
            things = pool(rng)
            targets = calls(things)
        try:
            call(rng, things, rng.choice(targets))
        except Exception:
            n_refused += 1
    print("done", n_refused, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
