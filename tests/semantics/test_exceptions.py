"""A body that raises: its level finishes, shutdown runs at that tag, run() raises one error."""

import traceback

import pytest
from programs import Collect, Emit, Pass, Trace, Wire, chain, run

import reactorrl as rr


class Boom(Exception):
    pass


class Fails(rr.Reactor):
    """Raises at the n-th input; records that, and its shutdown."""

    inp = rr.Input()
    out = rr.Output()

    def __init__(self, trace, at=0, error=None):
        self.trace, self.at, self.error = trace, at, error

    @rr.reaction(inp, effects=out)
    def work(self):
        self.out.set(self.inp.value)
        self.trace(self, "work")
        if self.inp.value == self.at:
            raise self.error or Boom(self.path)

    @rr.reaction(inp)
    def later(self):
        self.trace(self, "later")

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "shutdown")


def failing(main, workers, **options):
    with pytest.raises(rr.ReactionError) as e:
        run(main, workers, **options)
    return e.value


def test_run_raises_a_reaction_error_that_tells_where(workers):
    """.reaction, .tag, the original as __cause__, and the report up to there."""
    original = Boom("why")
    error = failing(chain(Emit(0, 1, 2), Fails(Trace(), 1, original)), workers)
    assert error.__cause__ is original
    assert (error.reaction, error.tag) == ("Wire.s1.work", rr.Tag(10, 0))
    assert error.report.stop_tag == rr.Tag(10, 0)
    assert isinstance(error, rr.ReactorError)
    assert "Wire.s1.work" in str(error)


def test_the_original_traceback_is_kept(workers):
    """The traceback leads to the line that raised, through the functions that the body called."""

    def deeper():
        raise Boom("deep")

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            deeper()

    error = failing(Main(), workers)
    names = [frame.name for frame in traceback.extract_tb(error.__cause__.__traceback__)]
    assert names == ["start", "deeper"]


def test_the_level_finishes_and_later_levels_do_not_run(workers):
    """Reactions of the same level run; those of later levels, anywhere, do not; then shutdown."""
    trace = Trace()

    def build(self):
        self.src = Emit(0, 1)
        self.bad, self.good = Fails(trace, 0), Fails(trace, -1)
        self.after_bad, self.after_good = Collect(trace), Collect(trace)
        for child in (self.bad, self.good):
            self.connect(self.src.out, child.inp)
        self.connect(self.bad.out, self.after_bad.inp)
        self.connect(self.good.out, self.after_good.inp)

    error = failing(Wire(build), workers)
    assert trace.rows == [
        ((0, 0), "Wire.bad", "work"),
        ((0, 0), "Wire.bad", "shutdown"),
        ((0, 0), "Wire.good", "work"),
        ((0, 0), "Wire.good", "shutdown"),
    ]
    assert error.report.stop_tag == rr.Tag(0, 0)
    assert error.report.reactions == 5


def test_a_level_is_the_longest_path(workers):
    """The same depth runs even on another branch; what is deeper does not, though triggered."""
    trace = Trace()

    def build(self):
        self.src, self.bad = Emit(0), Fails(trace, 0)
        self.passed, self.same, self.deeper = Pass(), Collect(trace), Collect(trace)
        self.connect(self.src.out, self.bad.inp)
        self.connect(self.src.out, self.same.inp)
        self.connect(self.src.out, self.passed.inp)
        self.connect(self.passed.out, self.deeper.inp)

    failing(Wire(build), workers)
    assert trace.rows == [
        ((0, 0), "Wire.bad", "work"), ((0, 0), "Wire.bad", "shutdown"), ((0, 0), "Wire.same", 0),
    ]  # fmt: skip


def test_several_errors_are_one_error_with_notes(workers):
    """Of several, the first in static order is raised; each other is a note with its path."""
    trace = Trace()

    def build(self):
        self.src = Emit(0)
        self.z, self.bank, self.a = Fails(trace, -1), rr.Bank(3, Fails, trace, 0), Fails(trace, 0)
        self.connect(self.src.out, [self.z.inp, self.bank.inp, self.a.inp], broadcast=True)

    for _ in range(5):
        error = failing(Wire(build), workers)
        assert error.reaction == "Wire.bank[0].work"
        assert error.__cause__.args == ("Wire.bank[0]",)
        assert len(error.__notes__) == 3
        for path, note in zip(
            ("Wire.bank[1]", "Wire.bank[2]", "Wire.a"), error.__notes__, strict=True
        ):
            assert f"{path}.work" in note
            assert "Boom" in note


@pytest.mark.parametrize("first", ["a", "b"])
def test_static_order_is_the_order_of_assignment(workers, first):
    """Depth first, children in the order in which they were assigned, whenever they were made."""

    class Main(rr.Reactor):
        def __init__(self, first):
            self.src = Emit(0)
            one, two = Fails(Trace(), 0), Fails(Trace(), 0)
            if first == "a":
                self.a, self.b = one, two
            else:
                self.b = two
                self.a = one
            self.connect(self.src.out, [self.a.inp, self.b.inp], broadcast=True)

    failing(Main("a"), workers)  # another instance of the class had another order
    assert failing(Main(first), workers).reaction == f"Main.{first}.work"


def test_a_parents_reactions_come_before_its_childrens_in_static_order(workers):
    """A reactor's own reactions, then its children's."""

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Starts()
            self.add_reaction(self.own, triggers=[rr.startup])

        def own(self):
            raise Boom("parent")

    class Starts(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise Boom("child")

    error = failing(Main(), workers)
    assert error.__cause__.args == ("parent",)
    assert len(error.__notes__) == 1


def test_shutdown_reactions_run_once_and_nothing_downstream_of_them(workers):
    """Every shutdown reaction runs that has not run at that tag; its outputs trigger nothing."""
    trace = Trace()

    class Both(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, rr.shutdown, effects=out)
        def both(self):
            trace(self, "both")
            self.out.set(1)

        @rr.reaction(rr.shutdown, effects=out)
        def end(self):
            trace(self, "end")
            self.out.set(2)

    class Bad(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise Boom

    def build(self):
        self.bad, self.both, self.sink = Bad(), Both(), Collect(trace)
        self.connect(self.both.out, self.sink.inp)

    error = failing(Wire(build), workers)
    assert trace.rows == [((0, 0), "Wire.both", "both"), ((0, 0), "Wire.both", "end")]
    assert error.report.tags == 1


def test_a_shutdown_reaction_at_the_failing_tag_can_read(workers):
    """It runs at that very tag: what was set before is present."""
    trace = Trace()

    class End(rr.Reactor):
        inp = rr.Input()
        act = rr.LogicalAction()

        @rr.reaction(rr.shutdown, uses=inp, effects=act)
        def end(self):
            trace(self, (self.inp.get(), self.act.schedule().tag))

    def build(self):
        self.src, self.bad, self.end = Emit(0, 1), Fails(Trace(), 1), End()
        self.connect(self.src.out, [self.bad.inp, self.end.inp], broadcast=True)

    failing(Wire(build), workers)
    assert trace.events == [((10, 0), (1, None))]


def test_pending_events_are_discarded(workers):
    """Nothing happens after the failing tag."""
    trace = Trace()
    error = failing(chain(Emit(*range(100)), Fails(trace, 2)), workers, timeout=10**6)
    assert trace.rows[-2:] == [((20, 0), "Wire.s1", "work"), ((20, 0), "Wire.s1", "shutdown")]
    assert error.report.stop_tag == rr.Tag(20, 0)


def test_a_shutdown_reaction_that_raises_is_an_error_too(workers):
    """The program ends at its stop tag, and all shutdown reactions of the level run."""
    trace = Trace()

    class Bad(rr.Reactor):
        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "end")
            raise Boom(self.bank_index)

    def build(self):
        self.bank = rr.Bank(3, Bad)

    error = failing(Wire(build), workers)
    assert (error.reaction, error.tag, error.__cause__.args) == (
        "Wire.bank[0].end",
        rr.Tag(0, 1),
        (0,),
    )
    assert len(error.__notes__) == 2
    assert [row[2] for row in trace.rows] == ["end"] * 3


def test_an_error_in_shutdown_joins_the_one_that_stopped_the_program(workers):
    """Both are told: the first in static order is raised, the other is a note."""

    class Bad(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise Boom("start")

        @rr.reaction(rr.shutdown)
        def end(self):
            raise Boom("end")

    error = failing(Bad(), workers)
    assert error.__cause__.args == ("start",)
    assert len(error.__notes__) == 1
    assert "Bad.end" in error.__notes__[0]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_every_exception_is_an_error_of_its_reaction(workers, kind):
    """Exceptions that are no Exception end the program in the same order, and are the cause."""
    trace = Trace()
    original = kind("body")
    error = failing(chain(Emit(0), Fails(trace, 0, original)), workers)
    assert error.__cause__ is original
    assert trace.events == [((0, 0), "work"), ((0, 0), "shutdown")]


@pytest.mark.parametrize(
    ("mistake", "cause"),
    [
        (lambda self: self.inp.value, rr.AbsentError),
        (lambda self: self.other.get(), rr.UndeclaredUseError),
        (lambda self: self.out.set(1), rr.UndeclaredEffectError),
        (lambda self: self.act.schedule(delay=rr.FOREVER), OverflowError),
        (lambda self: self.act.schedule(delay=-1), ValueError),
        (lambda self: self.inp.no_such_thing, AttributeError),
    ],
)
def test_mistakes_in_a_body_are_its_errors(workers, mistake, cause):
    """Errors of the runtime are raised at the line of the mistake and come out as the cause."""

    class Main(rr.Reactor):
        inp = rr.Input()
        other = rr.Input()
        out = rr.Output()
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, uses=inp, effects=act)
        def start(self):
            mistake(self)

    error = failing(Main(), workers)
    assert isinstance(error.__cause__, cause)
    names = [frame.name for frame in traceback.extract_tb(error.__cause__.__traceback__)]
    assert names[:2] == ["start", "<lambda>"]


def test_a_caught_error_is_no_error(workers):
    """What a body handles itself does not concern the program."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick)
        def on(self):
            try:
                raise Boom
            except Boom:
                trace(self, "caught")

    assert run(Main(), workers, timeout=10).stop_tag == rr.Tag(10, 0)
    assert trace.events == [((0, 0), "caught"), ((10, 0), "caught")]


def test_the_next_program_runs_as_if_nothing_had_been(workers):
    """After an error, in the same process, a program runs to its end."""
    for _ in range(20):
        failing(chain(Emit(0), Fails(Trace(), 0)), workers)
    trace = Trace()
    run(chain(Emit(0), Fails(trace, 1)), workers)
    assert trace.events == [((0, 0), "work"), ((0, 0), "later"), ((0, 1), "shutdown")]
