"""Bodies see the context variables of whoever started their program."""

import contextvars
import gc
import weakref

import numpy as np
import pytest
from programs import BOUND, Payload

import reactorrl as rr

name = contextvars.ContextVar("name", default="nobody")


class Reads(rr.Reactor):
    @rr.reaction(rr.startup)
    def read(self):
        self.seen = name.get()

    @rr.reaction(rr.shutdown)
    def leave_a_value(self):
        name.set(self.path)


class Main(rr.Reactor):
    def __init__(self):
        self.bank = rr.Bank(8, Reads)


def test_bodies_see_what_the_caller_of_run_sees(workers):
    """And what a body sets stays on its worker: the caller's context does not change."""
    token = name.set("caller")
    try:
        rr.run(main := Main(), workers=workers, fast=True)
        assert [member.seen for member in main.bank] == ["caller"] * 8
        assert name.get() == "caller"
    finally:
        name.reset(token)


def test_programs_started_in_two_contexts_see_each_their_own():
    """The context is that of start(), wherever the program is joined."""
    mains, programs = [Main(), Main()], []
    for number, main in enumerate(mains):
        context = contextvars.copy_context()
        context.run(name.set, f"context {number}")
        program = rr.Program(main, workers=1, fast=True)
        context.run(program.start)
        programs.append(program)
    for program in programs:
        assert program.join(timeout=rr.sec(BOUND)) is not None
    assert [main.bank[0].seen for main in mains] == ["context 0", "context 1"]


def test_numpy_s_error_state_is_the_caller_s(workers):
    class Divides(rr.Reactor):
        @rr.reaction(rr.startup)
        def divide(self):
            self.result = np.ones(1) / np.zeros(1)

    with np.errstate(divide="ignore"):
        rr.run(main := Divides(), workers=workers)
    assert main.result.tolist() == [np.inf]
    with np.errstate(divide="raise"), pytest.raises(rr.ReactionError) as e:
        rr.run(Divides(), workers=workers)
    assert type(e.value.__cause__) is FloatingPointError


def test_nothing_is_kept_of_the_context(workers):
    """What its variables held is gone with the caller's context and the program's threads."""
    kept = []

    def run():
        name.set(payload := Payload())
        kept.append(weakref.ref(payload))
        rr.run(Main(), workers=workers, fast=True)

    contextvars.Context().run(run)
    gc.collect()
    assert [reference() for reference in kept] == [None]
