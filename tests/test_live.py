"""`Program(live=True)`: what a terminal and a notebook show meanwhile; reports as text."""

import io
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import reactorrl as rr
from reactorrl import live
from reactorrl.live import LiveView, Rates, Sample
from reactorrl.report import EnclaveReport, RunReport, WorkerReport, time_text

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 30  # only what hangs takes so long


class Terminal(io.StringIO):
    """A stderr that somebody watches; `drawn` is set once two pictures are there."""

    def __init__(self, *, works=True):
        super().__init__()
        self.drawn = threading.Event()
        self.works = works
        self.n = 0

    def isatty(self):
        return True

    def write(self, text):
        self.n += 1
        if self.n >= 2 or not self.works:
            self.drawn.set()
        if not self.works:
            raise ValueError("I/O operation on closed file")
        return super().write(text)


def watch(monkeypatch, stderr):
    """Make it the view's stderr; pytest changes that of `sys` between fixture and test."""
    monkeypatch.setattr(live, "sys", SimpleNamespace(stderr=stderr, modules={}))
    monkeypatch.setattr(live, "_PERIOD_S", 0.001)
    return stderr


@pytest.fixture
def terminal(monkeypatch):
    return watch(monkeypatch, Terminal())


class Busy(rr.Reactor):
    """Goes on until it is stopped."""

    tick = rr.LogicalAction[None](min_delay=1)

    @rr.reaction(rr.startup, tick, effects=(tick,))
    def work(self):
        self.tick.schedule()


def views():
    return [each for each in threading.enumerate() if each.name == "reactorrl live view"]


# -- the figures


def sample(at_s, *pulses, enclaves=None):
    return Sample(at_s, pulses, enclaves or [0] * len(pulses))


def test_rates_are_differences_by_time():
    """Two seconds: 500 and 300 bodies; worker 1 waited for half of it, worker 0 not at all."""
    before = sample(10.0, (100, 10**9, 50, 7), (200, 0, 50, 7))
    after = sample(12.0, (600, 10**9, 250, 9), (500, 10**9, 250, 9))
    assert Rates.between(before, after, has_lag=True) == Rates(400.0, 100.0, 9, (1.0, 0.5))
    assert Rates.between(before, after, has_lag=False).lag_ns is None


def test_tags_of_an_enclave_are_counted_once():
    both = sample(0.0, (1, 0, 10, 3), (2, 0, 10, 3), (4, 0, 7, 5), enclaves=[0, 0, 1])
    assert (both.reactions, both.tags, both.lag_ns) == (7, 17, 5)


def test_a_share_is_between_0_and_1():
    """Counters of another thread are a moment older or younger than the clock."""
    before, after = sample(0.0, (0, 0, 0, 0)), sample(1.0, (0, 2 * 10**9, 0, 0))
    assert Rates.between(before, after, has_lag=False).busy == (0.0,)


def test_rates_as_text_and_as_a_table():
    rates = Rates(1234.6, 99.4, 2_500_000, (0.5, 0.031))
    assert str(rates) == "reactions/s 1,235  tags/s 99  lag 2.5 ms  busy 50% 3%"
    page = rates._repr_html_()
    assert page.count("<meter") == 2
    assert "<th style='text-align:left'>worker 1</th>" in page
    assert "lag" not in str(Rates(1.0, 1.0, None, ()))


def test_the_counters_end_as_the_report_says(workers):
    """What can be read at any time is what is reported at the end."""

    class Main(rr.Reactor):
        timer = rr.Timer(0, 1)

        def __init__(self):
            self.other = rr.enclave(Busy(), workers=2)

        @rr.reaction(timer)
        def work(self):
            pass

    program = rr.Program(Main(), workers=workers, fast=True, timeout=100)
    report = program.run()
    view = LiveView(program._runtime, [0] * workers + [1, 1], has_lag=False)
    assert view.sample().reactions == report.reactions
    assert view.sample().tags == report.tags
    assert view.sample().enclaves == [0] * workers + [1, 1]


# -- while it runs


def test_a_terminal_shows_one_line_until_the_end(terminal, workers):
    """Redrawn in place, gone at the end; its thread is joined."""
    program = rr.Program(Busy(), workers=workers, fast=True, live=True)
    program.start()
    assert len(views()) == 1
    assert terminal.drawn.wait(SECONDS)
    program.stop()
    program.join()
    assert views() == []
    first, *pictures, last = terminal.getvalue().split("\r\x1b[K")
    assert first == last == ""
    assert all(text.startswith("reactions/s ") for text in pictures)
    assert all("\n" not in text for text in pictures)
    shares = pictures[0].partition("busy ")[2].split()
    assert len(shares) == workers


def test_without_a_terminal_there_is_no_thread(monkeypatch):
    watch(monkeypatch, io.StringIO())
    with rr.Program(Busy(), workers=1, fast=True, live=True) as program:
        program.start()
        assert views() == []


def test_a_terminal_that_goes_away_does_no_harm(monkeypatch):
    screen = watch(monkeypatch, Terminal(works=False))
    program = rr.Program(Busy(), workers=1, fast=True, live=True)
    program.start()
    assert screen.drawn.wait(SECONDS)
    program.stop()
    assert program.join().reactions > 0
    assert views() == []


def test_ctrl_c_ends_the_view_too(terminal):
    class Interrupted(Busy):
        @rr.reaction(rr.startup)
        def begin(self):
            assert terminal.drawn.wait(SECONDS)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        rr.run(Interrupted(), workers=2, fast=True, live=True)
    assert views() == []


def test_an_error_ends_the_view_too(terminal):
    class Fails(Busy):
        @rr.reaction(rr.startup)
        def begin(self):
            assert terminal.drawn.wait(SECONDS)
            raise ValueError("no")

    with pytest.raises(rr.ReactionError):
        rr.run(Fails(), workers=1, fast=True, live=True)
    assert views() == []


def test_live_is_a_bool():
    with pytest.raises(TypeError, match="live=1"):
        rr.Program(Busy(), live=1)


CELL = """
import sys, threading
import reactorrl as rr
from reactorrl import live

live._PERIOD_S = 0.01
drawn, real = threading.Event(), live.Rates._repr_html_

def note(self):
    if self.reactions:
        drawn.set()
    return real(self)

live.Rates._repr_html_ = note

class Busy(rr.Reactor):
    tick = rr.LogicalAction[None](min_delay=1)

    @rr.reaction(rr.startup, tick, effects=(tick,))
    def work(self):
        self.tick.schedule()

with rr.Program(Busy(), workers=2, fast=True, live=True) as program:
    program.start()
    assert drawn.wait(30)
print([each.name for each in threading.enumerate() if "reactorrl" in each.name])
program.join()
"""


def test_a_notebook_shows_a_table_that_changes(tmp_path, monkeypatch):
    """One output, updated in place; and the report as tables after it."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": argv, "display_name": "Python 3", "language": "python"}
    spec.joinpath("kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    cell = nbformat.v4.new_code_cell(CELL)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
    shown = [output for output in cell.outputs if output.output_type == "display_data"]
    assert len(shown) == 1
    page = shown[0].data["text/html"]
    assert page.startswith("<table><tr><th style='text-align:left'>reactions/s</th>")
    assert page.count("<meter") == 2
    [printed] = [output.text for output in cell.outputs if output.output_type == "stream"]
    assert printed.endswith("[]\n")
    [result] = [output for output in cell.outputs if output.output_type == "execute_result"]
    assert "Busy.work" in result.data["text/html"]


# -- reports


REPORT = RunReport(
    stop_tag=rr.Tag(2_500_000_000, 1),
    reactions=1003,
    events=1000,
    tags=1001,
    wall_time_s=2.0,
    trace_hash="00ff",
    reaction_counts={"Main.a": 1000, "Main.<b>": 3, "Main.never": 0},
    reaction_times_s={"Main.a": 0.75, "Main.<b>": 0.25, "Main.never": 0.0},
    workers=(
        WorkerReport(busy_s=1.0, parked_s=0.5, spinning_s=0.5, reactions=1000, stolen=2, cpu=None),
        WorkerReport(busy_s=0.5, parked_s=1.5, spinning_s=0.0, reactions=3, stolen=0, cpu=4),
    ),
    gil_enabled=False,
    dropped=4,
)


def test_a_report_as_text():
    assert str(REPORT).splitlines() == [
        "stop tag        Tag(time=2500000000, microstep=1), after 2.5 s",
        "reactions       1,003 in 2.000 s (502 a second)",
        "tags, events    1,001, 1,000",
        "trace hash      00ff",
        "GIL             off",
        "dropped events  4: past the stop tag, or by a policy",
        "",
        "workers    busy  spinning  parked  reactions  stolen  CPU",
        "worker 0  50.0%     25.0%   25.0%      1,000       2  any",
        "worker 1  25.0%      0.0%   75.0%          3       0    4",
        "",
        "reaction     runs   total     mean  share",
        "Main.a      1,000  750 ms   750 us  75.0%",
        "Main.<b>        3  250 ms  83.3 ms  25.0%",
        "Main.never      0    0 ns            0.0%",
    ]


def test_a_report_in_a_notebook():
    page = REPORT._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 3
    assert "Main.&lt;b&gt;" in page
    assert "<b>" not in page
    assert "<td>83.3 ms</td>" in page


def test_a_report_of_enclaves_has_a_table_of_them():
    both = [
        EnclaveReport("Main", rr.Tag(5, 0), 3, 2, "00aa"),
        EnclaveReport("Main.far", rr.Tag(7, 1), 1, 0, "00bb"),
    ]
    report = RunReport(**{**vars(REPORT), "enclaves": tuple(both), "dropped": 0})
    lines = [line.split() for line in str(report).splitlines()]
    assert ["Main.far", "Tag(time=7,", "microstep=1)", "1", "0", "00bb"] in lines
    assert "dropped" not in str(report)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (999.6, "1 us"),
        (1234, "1.23 us"),
        (12_345_678, "12.3 ms"),
        (2.5e9, "2.5 s"),
        (3.6e12, "3,600 s"),
        (-1500, "-1.5 us"),
    ],
)
def test_times_have_a_unit_that_fits(ns, text):
    assert time_text(ns) == text
