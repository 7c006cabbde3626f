"""What a program does to its process: Ctrl-C, SIGTERM, fork, and the end of the interpreter."""

import signal
import sysconfig
import textwrap

import pytest
from scripts import Script, run_script

PROGRAM = """
ready, ticked = threading.Event(), threading.Event()

def tell():
    say("ready")
    ready.set()

class Main(rr.Reactor):
    tick = rr.Timer(0, rr.msec(1))
    act = rr.LogicalAction()

    @rr.reaction(rr.startup, effects=act)
    def start(self):
        self.n = 0
        if {busy}:
            self.act.schedule()
        if {idle}:
            tell()

    @rr.reaction(tick)
    def on_tick(self):
        self.n += 1
        ticked.set()
        if self.n == 20 and not {idle}:
            tell()

    @rr.reaction(act, effects=act)
    def again(self):
        self.act.schedule(delay=rr.usec(1))

    @rr.reaction(rr.shutdown)
    def end(self):
        say("shutdown")

program = rr.Program(Main(), workers={workers}, fast={busy}, keepalive=True)
"""
"""Says "ready" after 20 ticks; `idle` says it at startup. Busy programs never wait."""


def program(workers=2, *, busy=False, idle=False):
    return PROGRAM.format(workers=workers, busy=busy, idle=idle)


RUN = """
try:
    program.run()
except KeyboardInterrupt:
    say("interrupted")
say("after")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("busy", [False, True])
def test_a_signal_ends_run_in_good_order(workers, number, busy):
    """Ctrl-C and SIGTERM stop as by request_stop(): shutdown runs, then KeyboardInterrupt."""
    with Script(program(workers, busy=busy) + RUN) as script:
        script.expect("ready")
        script.interrupt(number)
        assert script.end() == (0, ["ready", "shutdown", "interrupted", "after"], "")


def test_an_uncaught_interrupt_ends_the_script_as_python_does():
    """The KeyboardInterrupt out of run() is an ordinary one: traceback, death by SIGINT."""
    with Script(program() + "program.run()") as script:
        script.expect("ready")
        script.interrupt()
        code, lines, err = script.end()
    assert (code, lines) == (-signal.SIGINT, ["ready", "shutdown"])
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert err.count("Traceback") == 1


def test_an_interrupt_breaks_join_and_leaves_the_program_running():
    """A program in the background goes on; join() hears Ctrl-C and can be called again."""
    body = """
    program.start()
    try:
        program.join()
    except KeyboardInterrupt:
        say("interrupted")
    program.stop()
    program.join()
    say("joined")
    """
    with Script(program() + textwrap.dedent(body)) as script:
        script.expect("ready")
        script.interrupt()
        assert script.end() == (0, ["ready", "interrupted", "shutdown", "joined"], "")


ENDLESS = """
class Main(rr.Reactor):
    @rr.reaction(rr.startup)
    def start(self):
        say("ready")
        while True:
            pass

    @rr.reaction(rr.shutdown)
    def end(self):
        say("shutdown")

try:
    rr.run(Main(), workers={workers})
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say("interrupted")
"""


def test_a_second_interrupt_breaks_an_endless_body(workers):
    """The first SIGINT waits for the body; the second raises KeyboardInterrupt inside of it."""
    with Script(ENDLESS.format(workers=workers)) as script:
        script.expect("ready")
        times = script.interrupt_until_it_ends()
        code, lines, err = script.end()
    assert (code, lines, err) == (0, ["ready", "shutdown", "interrupted"], "")
    assert times == 2


def test_own_signal_handlers_are_left_in_place():
    """After run() the handlers are those from before, and a user's own handler is called."""
    code, lines, err = run_script("""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def on(self): pass
    rr.run(Main())
    say(str(before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))))
    """)
    assert (code, lines, err) == (0, ["True"], "")


def test_run_works_off_the_main_thread(workers):
    """Signals belong to the main thread; run() elsewhere leaves them alone and ends as usual."""
    code, lines, err = run_script(f"""
    class Main(rr.Reactor):
        tick = rr.Timer(0, rr.usec(10))
        @rr.reaction(tick)
        def on(self): pass
        @rr.reaction(rr.shutdown)
        def end(self): say("shutdown")
    thread = threading.Thread(target=lambda: rr.run(Main(), workers={workers}, timeout=rr.msec(1)))
    thread.start()
    thread.join()
    say("joined")
    """)
    assert (code, lines, err) == (0, ["shutdown", "joined"], "")


# -- the end of the interpreter


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize(("ending", "code"), [("", 0), ("sys.exit(3)", 3)])
def test_the_interpreter_ends_while_a_program_runs(workers, busy, ending, code):
    """Exit code as asked for, nothing on stderr, and soon: threads end before the interpreter."""
    body = program(workers, busy=busy) + "program.start()\nassert ready.wait(30)\n" + ending
    returned, lines, err = run_script(body)
    assert (returned, err) == (code, "")
    assert lines in (["ready"], ["ready", "shutdown"])


STUCK = """
go = threading.Event()

class Main(rr.Reactor):
    @rr.reaction(rr.startup)
    def start(self):
        go.set()
        while True:
            try:
                {body}
            except KeyboardInterrupt:
                pass

program = rr.Program(Main(), workers=2)
program.start()
assert go.wait(30)
say("end")
"""


@pytest.mark.parametrize("body", ["time.sleep(3600)", "threading.Event().wait()", "sum(range(99))"])
def test_the_interpreter_ends_beside_a_body_that_does_not(body):
    """A body that nothing ends is left behind after a bounded wait, with a message."""
    code, lines, err = run_script(STUCK.format(body=body))
    assert (code, lines) == (0, ["end"])
    assert err.startswith("reactorrl: left <Program Main")
    assert "Main.start" in err


def test_the_interpreter_ends_with_an_error_while_a_program_runs():
    """Of an uncaught error only its own traceback is seen."""
    code, _, err = run_script(
        program() + "program.start()\nassert ready.wait(30)\nraise ValueError('mine')"
    )
    assert code == 1
    assert err.rstrip().endswith("ValueError: mine")
    assert err.count("Traceback") == 1


def test_the_interpreter_ends_with_programs_in_every_state():
    """Assembled, run, failed, stopped and not joined: nothing is printed at the end."""
    code, lines, err = run_script("""
    class Main(rr.Reactor):
        def __init__(self, fails=False): self.fails = fails
        @rr.reaction(rr.startup)
        def start(self):
            if self.fails: raise ValueError
    assembled = rr.Program(Main())
    done = rr.Program(Main()); done.run()
    failed = rr.Program(Main(True))
    try: failed.run()
    except rr.ReactionError as e: error = e
    background = rr.Program(Main(True)); background.start()
    stopped = rr.Program(Main(), keepalive=True); stopped.start(); stopped.stop()
    say("end")
    """)
    assert (code, lines, err) == (0, ["end"], "")


# -- fork

FORK = """
program.start()
assert ready.wait(30)
child = os.fork()
if child == 0:
{child}
_, status = os.waitpid(child, 0)
say(f"child {{os.waitstatus_to_exitcode(status)}}")
for _ in range(5):
    ticked.clear()
    assert ticked.wait(30)
program.stop()
say(f"joined {{program.join().stop_tag.time > 0}}")
"""
CHILD_ENDS = "    sys.exit(7)"
CHILD_JOINS = """
    program.stop()
    try:
        program.join()
    except rr.ReactorError:
        pass
    sys.exit(7)
"""
CHILD_RUNS = """
    class Other(rr.Reactor):
        tick = rr.Timer(0, 10)
        @rr.reaction(tick)
        def on(self): pass
    sys.exit(rr.run(Other(), workers=2, fast=True, timeout=60).reactions)
"""


@pytest.mark.parametrize(
    "child", [CHILD_ENDS, CHILD_JOINS, CHILD_RUNS], ids=["ends", "joins", "runs"]
)
@pytest.mark.parametrize("busy", [False, True])
def test_fork_beside_a_running_program(workers, child, busy):
    """The child ends cleanly or runs programs of its own; the parent's program goes on."""
    code, lines, err = run_script(
        program(workers, busy=busy) + FORK.format(child=child), "-Wignore"
    )
    assert (code, err) == (0, "")
    assert lines == ["ready", "child 7", "shutdown", "joined True"]


def test_a_body_may_start_processes(workers):
    """subprocess and fork work inside of a body."""
    code, lines, err = run_script(
        f"""
    import subprocess
    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            say(subprocess.check_output([sys.executable, "-c", "print(6)"], text=True).strip())
            child = os.fork()
            if child == 0:
                os._exit(5)
            say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    rr.run(Main(), workers={workers})
    say("end")
    """,
        "-Wignore",
    )
    assert (code, lines, err) == (0, ["6", "5", "end"], "")


# -- the GIL

HASH = """
class Main(rr.Reactor):
    tick = rr.Timer(0, 10)
    @rr.reaction(tick)
    def on(self): pass
for workers in (1, 2):
    say(rr.run(Main(), workers=workers, fast=True, timeout=100).trace_hash)
"""


def test_with_the_gil_programs_give_the_same_results_and_one_warning():
    """On a free-threaded build with the GIL turned on: equal hashes, and one line that says so."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("this interpreter always has a GIL")
    code, free, err = run_script(HASH)
    assert (code, err, len(set(free))) == (0, "", 1)
    code, locked, err = run_script(HASH, "-Xgil=1")
    assert (code, locked) == (0, free)
    assert err.count("reactorrl: the GIL") == 1
