"""Notebooks run from top to bottom, and programs behave in a Jupyter kernel."""

import re
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

import notebooks  # noqa: E402 - needs what is looked for above
from kernels import Kernel  # noqa: E402

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
NEEDS = {
    "a3c": ("matplotlib",),
    "broadcast_gather": ("matplotlib",),
    "parallel_dqn": ("torch", "matplotlib"),
    "start_stop": ("tqdm", "ipywidgets"),
    "workers_slider": ("torch", "matplotlib", "ipywidgets"),
}
SHORTER = {
    "broadcast_gather": "sizes, actors, peers, mode = (1_000, 100_000), (2, 6), (), 'smoke'",
    "parallel_dqn": "total_timesteps, compared_timesteps = 8_000, 3_000",
    "workers_slider": "total_timesteps = 3_000",
}
AT_THE_END = """
import sys, sysconfig
import reactorrl

assert not (sysconfig.get_config_var("Py_GIL_DISABLED") and sys._is_gil_enabled()), "the GIL is on"
assert not reactorrl.program._running
"""
LARGEST = 300_000  # bytes of a file, so that it is shown at once
FOREIGN = re.compile(r"/home/|/root|/tmp/|/var/|/usr/|site-packages")  # folders of some machine


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """Kernels are this interpreter's, and leave nothing in the user's folders; where they run."""
    folder = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in notebooks.environment(folder).items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture(scope="module")
def kernel(jupyter):
    """One kernel for all tests that need no fresh one."""
    with Kernel(jupyter) as kernel:
        kernel.run(DEFINITIONS)
        yield kernel


DEFINITIONS = """
import asyncio, gc, sys, threading, weakref
from pathlib import Path
import reactorrl as rr

def threads():
    return len(list(Path("/proc/self/task").iterdir()))

class Ticks(rr.Reactor):
    tick = rr.Timer(period=rr.msec(5))
    last = 0

    @rr.reaction(tick)
    def on(self):
        self.last = self.tag.time // rr.msec(5)
        print("tick", self.last)

    @rr.reaction(rr.shutdown)
    def end(self):
        print("shutdown")
"""


# -- the notebooks


def by_name(path):
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_example(path, jupyter, tmp_path):
    """Every cell runs, and says what it said when the outputs were stored; nothing is left."""
    for module in NEEDS.get(path.stem, ()):
        pytest.importorskip(module)
    stored = nbformat.read(path, as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    shorter = SHORTER.get(path.stem)
    done = notebooks.execute(
        nbformat.read(path, as_version=4), tmp_path, parameters=shorter, last=AT_THE_END
    )
    cells = [cell for cell in done.cells if cell.cell_type == "code"]
    if shorter is not None:
        cells = [cell for cell in cells if cell.source != shorter]
    for before, after in zip(code, cells[:-1], strict=True):
        if "varies" not in notebooks.tags(before):
            assert notebooks.printed(after) == notebooks.printed(before), before.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_example_is_stored_with_its_outputs_and_nothing_of_the_machine(path):
    """As `tests/notebooks.py` writes it: all cells run in order, no times, no folders, small."""
    text = path.read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert len(text) < LARGEST
    assert nbformat.writes(notebooks.normalised(notebook)).strip() == text.strip()
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    shown = [str(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]
    assert [found for part in shown for found in FOREIGN.findall(part)] == []


# -- what bodies print


def test_what_bodies_print_is_the_output_of_the_cell_that_started_them(kernel):
    """Also while a later cell runs, and after it; the later cell has its own output only."""
    first = kernel.run("ticks = Ticks()\nprogram = rr.Program(ticks, workers=2)\nprogram.start()")
    first.until("tick 3\n")
    second = kernel.run("""
print("second")
later = ticks.last + 3
while ticks.last < later:
    await asyncio.sleep(0)
""")
    n = first.out.count("tick")
    first.until(f"tick {n + 3}\n")
    third = kernel.run("program.stop()\nreport = program.join()\nprint(report.reactions)")
    first.until("shutdown\n")
    assert (second.out, third.streams["stderr"]) == ("second\n", "")
    ticks = first.out.count("tick")
    assert first.out == "".join(f"tick {k}\n" for k in range(ticks)) + "shutdown\n"
    assert third.out == f"{ticks + 1}\n"


def test_two_programs_print_into_two_cells(kernel):
    source = """
    class Says(rr.Reactor):
        tick = rr.Timer(period=rr.msec(5))
        def __init__(self, word):
            self.word = word
        @rr.reaction(tick)
        def on(self):
            print(self.word)
    left = rr.Program(Says("left"), workers=1)
    left.start()
    """
    left = kernel.run(textwrap.dedent(source))
    right = kernel.run("right = rr.Program(Says('right'), workers=1)\nright.start()")
    left.until("left\n" * 5)
    right.until("right\n" * 5)
    left.until("left\n" * (left.out.count("left") + 5))
    kernel.run("for program in (left, right):\n    program.stop()\n    program.join()")
    assert set(left.out.split()) == {"left"}
    assert set(right.out.split()) == {"right"}


def test_bodies_display_in_the_cell_that_ran_them(kernel):
    """Not only text: what a body displays, too, and what it writes to stderr."""
    cell = kernel.run("""
from IPython.display import HTML, display
class Shows(rr.Reactor):
    @rr.reaction(rr.startup)
    def on(self):
        display(HTML("<b>shown</b>"))
        print("warned", file=sys.stderr)
report = rr.run(Shows(), workers=2)
""")
    assert [shown["text/html"] for shown in cell.displays] == ["<b>shown</b>"]
    assert cell.streams["stderr"] == "warned\n"


# -- interrupting


def test_an_interrupted_cell_ends_in_good_order_and_the_next_one_runs(kernel):
    """■ raises KeyboardInterrupt after shutdown; no thread stays; other programs run as ever."""
    before = kernel.run("print(threads())").out
    cell = kernel.send("rr.run(Ticks(), workers=2)").until("tick 3\n")
    kernel.interrupt()
    name, _, traceback = cell.end().error
    assert name == "KeyboardInterrupt"
    assert cell.out.endswith("shutdown\n")
    assert traceback.count("program.py") == 1  # where it was raised, and nothing in between
    assert kernel.run("print(threads())").out == before
    after = kernel.run("rr.run(Ticks(), workers=2, fast=True, timeout=rr.msec(10)).reactions")
    assert after.result["text/plain"] == "4"
    assert after.out == "tick 0\ntick 1\ntick 2\nshutdown\n"


def test_the_report_of_an_interrupted_run(kernel):
    cell = kernel.send("""
try:
    rr.run(Ticks(), workers=1)
except KeyboardInterrupt as interrupt:
    report = interrupt.report
report
""").until("tick 3\n")
    kernel.interrupt()
    assert cell.end().error is None
    assert f"reactions={cell.out.count('tick') + 1}," in cell.result["text/plain"]
    assert "<table>" in cell.result["text/html"]


def test_a_second_interrupt_breaks_a_body_that_never_returns(kernel):
    """The first waits for the body, the second raises inside of it."""
    cell = kernel.send("""
class Endless(rr.Reactor):
    @rr.reaction(rr.startup)
    def on(self):
        print("in the body")
        while True:
            pass
    @rr.reaction(rr.shutdown)
    def end(self):
        print("shutdown")
rr.run(Endless(), workers=1)
""").until("in the body\n")
    for _ in range(2):
        kernel.interrupt()
        kernel.pump(lambda: cell.is_done, seconds=1.0, fails=False)
    assert cell.end().error[0] == "KeyboardInterrupt"
    assert cell.out.endswith("shutdown\n")


def test_an_interrupt_breaks_join_and_leaves_the_program_running(kernel):
    started = kernel.run("program = rr.Program(Ticks(), workers=1)\nprogram.start()")
    cell = kernel.send("print('joining', flush=True)\nprogram.join()").until("joining")
    kernel.interrupt()
    assert cell.end().error[0] == "KeyboardInterrupt"
    started.until(f"tick {started.out.count('tick') + 5}\n")
    kernel.run("program.stop()\nreport = program.join()")


def test_a_cell_that_awaits_a_program_leaves_the_loop_free_and_can_be_interrupted(kernel):
    """Waiting by `join(timeout=0)` and `asyncio.sleep`; ■ cancels the cell, the program goes on."""
    source = """
    program = rr.Program(Ticks(), workers=1, timeout=rr.msec(20))
    program.start()
    turns = 0
    while (report := program.join(timeout=0)) is None:
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 3
    print(report.reactions)
    """
    assert kernel.run(textwrap.dedent(source)).until("6\n").error is None
    cell = kernel.send(textwrap.dedent(source).replace(", timeout=rr.msec(20)", ""))
    cell.until("tick 3\n")
    kernel.interrupt()
    assert cell.end().error[0] == "CancelledError"
    cell.until(f"tick {cell.out.count('tick') + 3}\n")
    kernel.run("program.stop()\nreport = program.join()")


def test_run_is_interrupted_in_a_cell_that_awaits_something_else(kernel):
    """The kernel's own handler waits for the loop there; it is in place again afterwards."""
    cell = kernel.send("await asyncio.sleep(0)\nrr.run(Ticks(), workers=1)").until("tick 3\n")
    kernel.interrupt()
    assert cell.end().error[0] == "KeyboardInterrupt"
    cell = kernel.send("""
import signal
before = signal.getsignal(signal.SIGINT)
rr.run(Ticks(), workers=1, fast=True, timeout=0)
assert signal.getsignal(signal.SIGINT) is before
print("waiting", flush=True)
while True:
    await asyncio.sleep(0.001)
""").until("waiting")
    kernel.interrupt()
    assert cell.end().error[0] == "CancelledError"


# -- again and again


def test_a_cell_can_be_run_again_and_again(kernel):
    """Classes and programs of earlier runs are gone; no thread or socket stays."""
    cell = """
class Speaks(rr.Reactor):
    @rr.reaction(rr.startup)
    def on(self):
        print("word\\n", end="", flush=True)  # in one piece
class Main(rr.Reactor):
    def __init__(self):
        self.bank = rr.Bank(2, Speaks)
main = Main()
program = rr.Program(main, workers=2)
report = program.run()
made += [weakref.ref(Speaks), weakref.ref(main), weakref.ref(program)]
"""
    count = """
gc.collect()
alive = sum(reference() is not None for reference in made)
print(threads(), len(sys.stdout.pub_thread._event_pipes), alive)
"""
    kernel.run("made = []")
    found = []
    for _ in range(2):
        for _ in range(5):
            assert kernel.run(cell).out == "word\nword\n"
        found.append(kernel.run(count).out)
    assert found[0] == found[1]
    assert found[0].split()[-1] == "3"


def test_a_stopped_program_cannot_be_started_again_and_says_what_to_do(kernel):
    """Running only the last of two cells again is what happens most."""
    kernel.run("program = rr.Program(Ticks(), workers=1, fast=True, timeout=0)\nprogram.run()")
    cell = kernel.fails("program.run()")
    assert cell.error[0] == "PhaseError"
    assert "make a new Program" in cell.error[1]


# -- errors, values on the last line, progress


def test_an_error_in_a_body_shows_the_user_s_own_lines(kernel):
    """The body's line and the cell's line; of the library only the line that raises."""
    cell = kernel.fails("""
class Fragile(rr.Reactor):
    @rr.reaction(rr.startup)
    def divide(self):
        one = 1 / 0
rr.run(Fragile(), workers=2)
""")
    name, text, traceback = cell.error
    plain = re.sub(r"\x1b\[[\d;]*m", "", traceback)
    assert name == "ReactionError"
    assert text.endswith("ZeroDivisionError: division by zero")
    assert "in Fragile.divide(self)" in plain
    assert re.search(r"---> \d+ +one = 1 / 0", plain)
    assert re.search(r"---> \d+ rr.run\(Fragile\(\), workers=2\)", plain)
    assert plain.count("program.py") == 1


def test_a_line_of_a_cell_is_named_as_ipython_names_it(kernel):
    """What is wrong with a connection says In[n], not the name of a file that nobody sees."""
    cell = kernel.fails("""
class Wrong(rr.Reactor):
    out = rr.Output()
    def __init__(self):
        self.ticks = rr.Bank(2, Ticks)
        self.connect(self.out, [])
rr.Program(Wrong())
""")
    assert re.search(r"\(Cell In\[\d+\]:5\)$", cell.error[1]), cell.error[1]
    cell = kernel.run("""
import time
class Careless(rr.Reactor):
    @rr.reaction(rr.startup)
    def on(self):
        self.when = time.time()
from reactorrl.testing import check_reactor
print(*check_reactor(Careless))
""")
    assert re.search(r"wall-clock.* \(Cell In\[\d+\]:5\)", cell.out), cell.out


def test_programs_graphs_and_reports_show_themselves(kernel):
    source = "program = rr.Program(Ticks(), workers=1, fast=True, timeout=0)\n"
    for last in ("program", "program.graph"):
        shown = kernel.run(source + last).result
        assert shown["image/svg+xml"].lstrip().startswith("<svg"), last
    assert kernel.run("program").result["text/plain"] == "<Program Ticks, assembled>"
    report = kernel.run("program.run()").result
    assert "<table>" in report["text/html"]
    assert kernel.run("program").result["text/plain"] == "<Program Ticks, ended>"


def test_a_progress_bar_of_tqdm_auto(kernel):
    """From the cell's own thread and from a body: a widget that ends full."""
    pytest.importorskip("ipywidgets")
    pytest.importorskip("tqdm")
    cell = kernel.run("""
from tqdm.auto import tqdm
tqdm.monitor_interval = 0
class Works(rr.Reactor):
    tick = rr.Timer(period=rr.msec(1))
    def __init__(self, n):
        self.n, self.done = n, 0
    @rr.reaction(tick)
    def on(self):
        self.done += 1
        if self.done == self.n:
            self.request_stop()
class Shows(Works):
    @rr.reaction(rr.startup)
    def start(self):
        self.bar = tqdm(total=self.n)
    @rr.reaction(Works.tick)
    def update(self):
        self.bar.update(1)
    @rr.reaction(rr.shutdown)
    def end(self):
        self.bar.close()
works, shows, report = Works(50), Shows(50), None
with rr.Program(works, workers=1) as program, tqdm(total=50) as bar:
    program.start()
    while report is None:
        report = program.join(timeout=rr.msec(5))
        bar.update(works.done - bar.n)
rr.run(shows, workers=1)
print(type(bar).__module__, bar.n, shows.bar.n, bar.container.children[1].value)
""")
    assert cell.out == "tqdm.auto 50 50 50.0\n"
    assert len(cell.displays) == 2
    assert cell.streams["stderr"] == ""


def test_the_kernel_ends_while_a_program_runs(jupyter):
    """Restarting is asked for in the middle of run(): the process ends by itself, in order."""
    kernel = Kernel(jupyter)
    kernel.run(DEFINITIONS)
    kernel.send("rr.run(Ticks(), workers=2)").until("tick 3\n")
    process = kernel.manager.provisioner.process
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=False)
    assert process.returncode == 0


# -- curves


def test_watch_returns_redraws_and_leaves_the_last_picture(kernel):
    """One picture in the cell, drawn at least at both ends; the run is that of rr.run."""
    pytest.importorskip("matplotlib")
    cell = kernel.run(WATCH)
    cell = kernel.run("""
report = watch_returns(main := Log(200), title="A title", workers=2)
assert report.trace_hash == rr.run(Log(200), fast=True, workers=1).trace_hash
print(len(main.episodes.returns))
""")
    (picture,) = cell.displays
    assert cell.out == "begun\nbegun\n200\n"
    assert picture["image/png"].startswith("iVBOR")
    assert cell.n_updates >= 1


def test_watch_returns_stops_the_program_when_interrupted(kernel):
    pytest.importorskip("matplotlib")
    kernel.run(WATCH)
    cell = kernel.send("main = Log(10**9)\nwatch_returns(main, workers=1)").until("begun\n")
    kernel.interrupt()
    assert cell.end().error[0] == "KeyboardInterrupt"
    kernel.run("from reactorrl.program import _running\nassert not _running")
    kernel.run("assert len(main.episodes.returns) > 0")
    assert len(cell.displays) == 1


WATCH = """
from types import SimpleNamespace
from reactorrl.rl.notebook import watch_returns
from reactorrl.rl.algorithm import EpisodeLog

class Log(rr.Reactor):
    tick = rr.Timer(period=1)
    def __init__(self, n):
        self.n, self.options = n, SimpleNamespace(env_id="Test-v0")
        self.episodes = EpisodeLog(1)
    @rr.reaction(tick)
    def end_an_episode(self):
        log = self.episodes
        log.env_steps += 10
        log.ended_at.append(log.env_steps)
        log.returns.append(float(self.tag.time))
        if len(log.returns) == 1:
            print("begun", flush=True)
        if len(log.returns) == self.n:
            self.request_stop()
"""
