"""The benchmarks run, and their results hold together. No test looks at an absolute time."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import sharing
from bench.overhead.course import Course, tenths
from bench.results import DifferentMachinesError, Goal, compare, write_between_marks
from bench.samples import Summary, quartiles
from bench.stopwatch import Stopwatch
from bench.table import listed, markdown, show, text_lines

ROOT = Path(__file__).resolve().parent.parent
MICRO = {
    "event",
    "ping-pong",
    "ready",
    *(f"parallel-{n}x{body}" for n in (2, 64) for body in ("1ms", "1us")),
    "building",
    *(f"one-processor-broadcast-{n}" for n in (6, 64)),
    *(f"one-processor-parallel-64x{body}" for body in ("1ms", "1us")),
    *("trace-narrow", "trace-wide"),
    *(f"savina-{name}" for name in ("ping-pong", "counting", "thread-ring", "fork-join")),
    *(f"savina-{name}" for name in ("fork-join-create", "big", "chameneos", "banking")),
    "savina-philosophers",
}
SAMPLING = {
    *("gym-cartpole-1", "gym-blackjack-1", "gym-pendulum-1", "raw-pong-1"),
    *("cartpole-8", "busy-500us-8", "atari-1", "atari-8"),
    *("prioritized-sampler", "prioritized-transitions"),
}
BROADCAST = {
    "broadcast-flat",
    *(f"broadcast-6-{size}{copy}" for size in ("1KB", "100KB") for copy in ("", "-copy")),
    *(f"broadcast-{n}-10MB{copy}" for n in (2, 6) for copy in ("", "-copy")),
}
CASES = {
    "broadcast-gather": BROADCAST,
    "micro": MICRO,
    "sampling": SAMPLING,
    "overhead": {"drift", "sampling-overhead"},
    "q-learning": {"q-learning-500"},
    "marl": {"marl-2", "marl-10"},
    "determinism": {"determinism-plain", "determinism-delays"},
}


@pytest.fixture(scope="module", params=CASES)
def smoke(request, tmp_path_factory):
    """The results of one smoke run of a family of benchmarks."""
    path = tmp_path_factory.mktemp("bench") / "smoke.json"
    done = subprocess.run(
        [sys.executable, "-m", "reactorrl", "bench", request.param, "--smoke", "--json", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(path.read_text()), "family": request.param}


def all_series(results):
    """Every summary, with its unit and where it stands."""
    for case in results["cases"]:
        for finding in case["findings"]:
            for label, summary in finding["series"].items():
                yield case, finding, label, summary


def test_smoke_run_holds_every_case(smoke):
    assert {case["name"] for case in smoke["cases"]} >= CASES[smoke["family"]]


def test_every_case_measured_our_side(smoke):
    for case in smoke["cases"]:
        assert listed(case), case["name"]
        for finding in listed(case):
            assert finding["ours"] in finding["series"], (case["name"], finding["what"])


def test_what_is_missing_is_named_with_a_reason(smoke):
    for case in smoke["cases"]:
        for label, reason in case["missing"].items():
            assert not label.startswith("reactorrl"), (case["name"], reason)
            assert reason


def test_medians_are_finite_and_positive(smoke):
    for case, finding, label, summary in all_series(smoke):
        where = (case["name"], finding["what"], label)
        assert all(map(math.isfinite, summary.values())), where
        # Memory may shrink, and a difference of two tiny runs is anything.
        if finding["unit"] not in ("B", "blocks") and finding["what"] != "of that":
            assert summary["low"] > 0, where


def test_quartiles_enclose_the_median(smoke):
    for case, finding, label, summary in all_series(smoke):
        where = (case["name"], finding["what"], label)
        assert summary["low"] <= summary["q1"] <= summary["median"] <= summary["q3"], where
        assert summary["samples"] >= 2, where


def test_samples_of_a_case_were_taken_in_turns(smoke):
    for case in smoke["cases"]:
        counts = {len(samples) for samples in case["samples"].values()}
        assert len(counts) == 1, case["name"]


def test_smoke_run_reaches_and_misses_nothing(smoke):
    assert all(f["reached"] is None for c in smoke["cases"] for f in c["findings"])


def test_machine_is_recorded(smoke):
    machine = smoke["machine"]
    assert machine["cpus"] >= 1
    assert isinstance(machine["gil"], bool)
    assert {"processor", "python", "commit", "load_average", "steal_s"} <= machine.keys()
    assert "missing" in smoke["probe"] or smoke["probe"]["round_trip_ns"]["median"] > 0


def test_results_can_be_shown(smoke):
    table = markdown(smoke)
    for case in smoke["cases"]:
        assert case["name"] in table
        assert any(case["name"] in line for line in text_lines(case))


def test_results_of_another_machine_are_refused(smoke):
    other = {**smoke, "machine": {**smoke["machine"], "identity": "elsewhere"}}
    with pytest.raises(DifferentMachinesError):
        list(compare(smoke, other))


def test_comparison_within_a_machine_shows_the_change(smoke):
    measured = {**smoke, "mode": "full"}
    lines = list(compare(measured, measured))
    assert len(lines) == sum(len(listed(case)) for case in smoke["cases"])


def test_points_of_a_figure_are_in_no_table(smoke):
    for case in smoke["cases"]:
        points = [finding for finding in case["findings"] if finding["at"]]
        assert bool(points) == (smoke["family"] == "overhead")
        assert len(points) + len(listed(case)) == len(case["findings"])


def test_smoke_runs_are_not_compared(smoke):
    with pytest.raises(ValueError, match="smoke"):
        list(compare(smoke, smoke))


def test_table_replaces_what_stands_between_the_marks(tmp_path):
    path = tmp_path / "page.md"
    marks = "before\n<!-- results: {0} -->\n{1}\n<!-- end of results: {0} -->\nafter\n"
    path.write_text(marks.format("micro", "old") + marks.format("marl", "kept"))
    write_between_marks(path, "micro", "new")
    assert path.read_text() == marks.format("micro", "new") + marks.format("marl", "kept")
    with pytest.raises(ValueError, match="sampling"):
        write_between_marks(path, "sampling", "new")


def test_disturbed_samples_are_left_out_when_enough_are_clean():
    values, clean = [1.0, 2.0, 3.0, 100.0], [True, True, True, False]
    assert Summary.of(values, clean, wanted=3).median == 2.0
    assert Summary.of(values, clean, wanted=4).samples == 4
    assert Summary.of(values, clean, wanted=4).clean == 3


def test_quartiles_of_one_value_are_that_value():
    assert quartiles([5.0]) == (5.0, 5.0, 5.0)


def test_stopwatch_skips_the_warm_up_and_counts_the_rest():
    watch = Stopwatch(warm=3, rounds=5)
    assert [watch.lap(), watch.lap(), watch.lap()] == [3, 5, 0]
    reply = watch.reply("work")
    assert reply["rounds"] == 5
    assert reply["ns"] > 0
    assert reply["check"] == "work"


def test_stopwatch_refuses_a_run_that_ended_early():
    watch = Stopwatch(warm=1, rounds=1)
    watch.lap()
    with pytest.raises(RuntimeError):
        watch.reply(0)


def test_course_of_a_run_has_a_hundred_laps_after_one_to_warm_up():
    work = iter(range(0, 10_200, 100))
    course = Course(1000, lambda: next(work))
    laps = []
    while left := course.lap():
        laps.append(left)
    reply = course.reply("work")
    assert laps == [10] * 101
    assert reply["rounds"] == 1000
    assert reply["spent"] == [10.0] * 10
    assert len(reply["cost"]) == len(reply["grown"]) == 10
    assert sum(reply["cost"]) * 100 == pytest.approx(reply["ns"])
    assert tenths(1000) == list(range(100, 1001, 100))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9.5, "9.50 /s"),
        (999.4, "999 /s"),
        (999.6, "1.00 k/s"),
        (2.5e5, "250 k/s"),
        (3e6, "3.00 M/s"),
    ],
)
def test_rates_are_shown_with_three_digits(value, text):
    assert show(value, "/s") == text


@pytest.mark.parametrize(
    ("goal", "value", "reached"),
    [
        (Goal(at_most=1.3), 1.3, True),
        (Goal(at_most=1.3), 1.31, False),
        (Goal(at_least=1.9), 1.9, True),
        (Goal(at_least=1.9), 1.89, False),
    ],
)
def test_goal_tells_reached_from_missed(goal, value, reached):
    assert goal.is_reached(value) is reached


def test_sharing_prints_a_line_for_each_side(monkeypatch, capsys):
    """With a time for one thread and for two, or that it was too noisy to tell."""
    monkeypatch.setattr(sharing, "REPETITIONS", 1)
    monkeypatch.setattr(sharing, "TOUCHES", 2_000)
    sharing.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == 6
    assert all(re.search(r" (\d+\.\d ns|too noisy) +(\d+\.\d ns|too noisy)$", row) for row in rows)
