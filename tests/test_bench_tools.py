"""The command line of the benchmarks, their functions, and the pictures of their results."""

import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import reactorrl.bench
from reactorrl.bench import command, experiments, functions, load
from reactorrl.bench.broadcast_gather.cases import PUBLISHED, REFERENCES
from reactorrl.bench.figures import Figure, apart, rendered, tick
from reactorrl.bench.harness import MODES, SMOKE, Case, Contender, measure
from reactorrl.bench.headlines import headlines
from reactorrl.bench.machine import Probe
from reactorrl.bench.place import Place
from reactorrl.bench.results import Controls, Published, Results
from reactorrl.bench.samples import quantile
from reactorrl.bench.stopwatch import Stopwatch
from reactorrl.bench.table import markdown

ROOT = Path(__file__).resolve().parent.parent
MACHINE = {
    "identity": "one",
    "processor": "Some processor",
    "cpus": 2,
    "system": "Linux 6",
    "python": "3.14.9",
    "gil": False,
    "commit": "c0ffee",
    "time": "2026-01-01T00:00:00Z",
    "load_average": [0.1, 0.2, 0.3],
}
OURS, RAY, LOOP = "reactorrl, 2 workers", "Ray, put once a round", "plain loop"
LINES = Figure(
    name="over-size",
    title="Over the size",
    what="one round",
    y_label="time of a round",
    x="size",
    x_label="size of the object",
    x_unit="B",
    where={"copies": "no"},
    log_x=True,
    log_y=True,
)
BARS = Figure("in-bars", "In bars", "one round", "time of a round", where={"copies": "yes"})


def finding(figures, what="one round", **changes):
    """Medians by label, with quartiles 20 % below and 50 % above."""
    series = {
        label: {"median": v, "q1": 0.8 * v, "q3": 1.5 * v, "low": v / 2, "samples": 10, "clean": 10}
        for label, v in figures.items()
    }
    found = {"what": what, "unit": "ns", "at": {}, "ours": OURS, "series": series}
    return {**found, "at_most": None, "at_least": None, "reached": None, **changes}


def case(name, at, *findings, missing=None):
    """A case as it stands in a file."""
    return {
        "name": name,
        "question": "?",
        "at": at,
        "findings": list(findings),
        "missing": missing or {},
        "round_trip": "near",
        "foreign": 0.0,
        "company": False,
        "disturbed_anyway": False,
        "interpreters": {},
        "samples": {},
    }


def results(cases, *figures, **changes):
    """Results that nobody measured."""
    given = {"experiment": "broadcast-gather", "mode": "full", "machine": MACHINE, "peers": {}}
    return Results(**{**given, "figures": figures, "cases": cases, **changes})


@pytest.fixture
def written():
    """Three sizes by reference, and two cases with copies; Ray lacks the largest."""
    no_room = {RAY: "no room for it"}
    return results(
        [
            case("1KB", {"size": 1e3, "copies": "no"}, finding({OURS: 1e3, LOOP: 4e2, RAY: 8e6})),
            case(
                "500MB",
                {"size": 5e8, "copies": "no"},
                finding({OURS: 1e3, LOOP: 5e2}),
                missing=no_room,
            ),
            case("1MB", {"size": 1e6, "copies": "no"}, finding({OURS: 2e3, LOOP: 4e2, RAY: 9e6})),
            case("2-copy", {"size": 1e7, "copies": "yes"}, finding({OURS: 4e6, LOOP: 7e6})),
            case("6-copy", {"size": 1e7, "copies": "yes"}, finding({OURS: 9e6, LOOP: 2e7})),
        ],
        LINES,
        BARS,
    )


@pytest.fixture
def axes(written):
    """The axes of its pictures, by name."""
    return {name: canvas.axes[0] for name, canvas in written.plot().items()}


# -- pictures


def test_lines_stand_where_the_results_say(axes):
    lines = {c.get_label(): c for c in axes["over-size"].containers}
    assert set(lines) == {OURS, RAY, LOOP}
    assert list(lines[OURS].lines[0].get_xdata()) == [1e3, 1e6, 5e8]
    assert list(lines[OURS].lines[0].get_ydata()) == [1e3, 2e3, 1e3]
    assert list(lines[RAY].lines[0].get_xdata()) == [1e3, 1e6]


def test_error_bars_are_quartiles(axes):
    (ours,) = (c for c in axes["over-size"].containers if c.get_label() == OURS)
    spans = [[float(y) for _, y in bar] for bar in ours.lines[2][0].get_segments()]
    assert spans == [pytest.approx([0.8 * m, 1.5 * m]) for m in (1e3, 2e3, 1e3)]


def test_axes_have_logarithms_labels_and_units(axes):
    shown = axes["over-size"]
    assert (shown.get_xscale(), shown.get_yscale()) == ("log", "log")
    assert shown.get_xlabel() == "size of the object"
    assert shown.get_ylabel() == "time of a round"
    assert shown.get_title(loc="left") == "Over the size"
    assert [text.get_text() for text in shown.get_xticklabels()] == ["1 KB", "1 MB", "500 MB"]
    assert [tick(1e3, "ns"), tick(2e6, "ns"), tick(1.5, "x")] == ["1 µs", "2 ms", "1.5x"]
    assert axes["in-bars"].get_yscale() == "linear"
    assert axes["in-bars"].get_ylim()[0] == 0


def test_every_line_has_its_name_beside_it_and_a_marker_of_its_own(axes):
    shown = axes["over-size"]
    assert {text.get_text() for text in shown.texts} == {OURS, RAY, LOOP}
    assert all(text.get_position()[0] > 1 for text in shown.texts)  # right of all data
    lines = [container.lines[0] for container in shown.containers]
    assert len({(line.get_marker(), line.get_linestyle(), line.get_color()) for line in lines}) == 3
    ours = next(line for line in lines if line.get_linewidth() == 2.4)
    assert ours.get_markerfacecolor() == ours.get_color()


def test_bars_differ_without_colours_and_the_legend_leaves_them_free(axes):
    shown = axes["in-bars"]
    groups = [c for c in shown.containers if type(c).__name__ == "BarContainer"]
    assert [[bar.get_height() for bar in group] for group in groups] == [[4e6, 9e6], [7e6, 2e7]]
    assert len({group[0].get_hatch() for group in groups}) == 2
    legend = shown.get_legend()
    shown.figure.canvas.draw()
    assert legend.get_window_extent().x0 > shown.get_window_extent().x1
    assert [text.get_text() for text in legend.get_texts()] == [OURS, LOOP]


def test_small_print_names_the_machine_and_what_is_missing(written):
    pictures = written.plot()
    print_of = {
        name: " ".join(text.get_text() for text in reversed(canvas.texts))
        for name, canvas in pictures.items()
    }
    assert "Some processor, 2 processors" in print_of["over-size"]
    assert f"Not measured: {RAY}: no room for it" in print_of["over-size"]
    assert "Not measured" not in print_of["in-bars"]


def test_files_are_the_same_each_time(written, tmp_path):
    paths = written.plot().save(tmp_path / "new")
    names = {f"{name}.{kind}" for name in ("over-size", "in-bars") for kind in ("png", "svg")}
    assert {path.name for path in paths} == names
    again = written.plot()
    for path in paths:
        assert path.read_bytes() == rendered(again[path.stem], path.suffix[1:])
    svg = (tmp_path / "new/over-size.svg").read_text()
    assert svg.startswith("<?xml")
    assert "dc:date" not in svg
    assert (tmp_path / "new/in-bars.png").read_bytes().startswith(b"\x89PNG")


def test_one_point_makes_no_line(written):
    written.cases[:] = written.cases[:1]
    assert list(written.plot()) == []


def test_points_may_stand_within_a_case():
    figure = Figure("run", "A run", "cost", "ns", x="rounds", where={"talk": "messages"})
    cost = [finding({OURS: float(n)}, "cost", at={"rounds": n}) for n in (20, 10)]
    (canvas,) = results([case("long", {"talk": "messages"}, *cost)], figure).plot().values()
    (line,) = canvas.axes[0].containers
    assert list(line.lines[0].get_ydata()) == [10, 20]


def test_parts_of_a_whole_are_stacked():
    figure = Figure("parts", "Parts", "", "time", stacked=("rollout", "learning"))
    parts = [finding({OURS: 2e6, RAY: 5e6}, "rollout"), finding({OURS: 1e6, RAY: 4e6}, "learning")]
    (canvas,) = results([case("batch", {}, *parts)], figure).plot().values()
    rollout, learning = canvas.axes[0].containers
    assert [bar.get_width() for bar in rollout] == [2e6, 5e6]
    assert [bar.get_x() for bar in learning] == [2e6, 5e6]
    assert [text.get_text() for text in canvas.axes[0].get_yticklabels()] == [OURS, RAY]


def test_labels_stay_apart_and_near_their_lines():
    assert apart([0.2, 0.8], [0.1, 0.1]) == [pytest.approx(0.2), pytest.approx(0.8)]
    middles = apart([0.5, 0.5, 0.9, 0.51], [0.1] * 4)
    assert middles == pytest.approx([0.4033, 0.5033, 0.9, 0.6033], abs=1e-3)


# -- the file


def test_a_file_holds_everything(written, tmp_path):
    written.save(tmp_path / "results.json")
    loaded = load(tmp_path / "results.json")
    assert loaded.as_json() == json.loads(json.dumps(written.as_json()))
    assert str(loaded) == repr(loaded) == str(written)
    assert "1KB: one round" in str(loaded)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 2, "cases": []}'])
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a results file"):
        load(path)


def test_a_notebook_shows_a_table(written):
    shown = written._repr_html_()
    assert shown.count("<tr>") == 1 + 12 + 1  # the head, a row a figure, a row for what is missing
    assert "<td>4.00 µs</td>" not in shown
    assert "<td>2.00 µs</td><td>1.60 µs … 3.00 µs</td>" in shown


def test_published_figures_stand_beside_ours_without_a_ratio(written):
    fact = Published("1KB", "one round", "ns", {"Ray": 7.3e6}, "a paper")
    gone = dataclasses.replace(fact, case="7GB")
    table = markdown(dataclasses.replace(written, published=(fact, gone)).as_json())
    assert "| 1KB: one round | Ray 7.30 ms | a paper | 1.00 µs |" in table
    assert "| 7GB: one round | Ray 7.30 ms | a paper | not measured |" in table


def experiments_with_controls():
    """Those of which a paper has figures that stand beside ours."""
    return [one for one in experiments.EXPERIMENTS.values() if one.controls()]


def test_published_figures_belong_to_cases_that_there_are():
    for experiment in experiments_with_controls():
        cases = experiment.cases(functions.MODES["full"])
        assert {one.case for one in experiment.published()} <= {case.name for case in cases}


def test_controls_are_sides_of_every_case_that_was_published():
    found = experiments_with_controls()
    assert {one.name for one in found} == {"broadcast-gather", "sampling", "q-learning", "marl"}
    for experiment in found:
        controls, published = experiment.controls(), {one.case for one in experiment.published()}
        others = dataclasses.asdict(controls)
        named = {*others.pop("ray"), *others.values()} - {"", others["copies"]}
        for case in experiment.cases(functions.MODES["full"]):
            if case.name in published:
                missing = named - {contender.label for contender in case.contenders}
                assert missing <= {REFERENCES}, (case.name, missing)  # only where nobody copies


# -- what was published beside ours

FACT = Published("6-copy", "one round", "ns", {"Ray": 80.0, "reactors": 20.0}, "a paper")
CONTROLS = Controls(
    "one", "two", "gil", "loop", "barrier", "artifact", ("artifact", "tuned"), copies="-copy"
)
TIMES = {
    "one": 30.0,
    "two": 20.0,
    "gil": 50.0,
    "loop": 24.0,
    "barrier": 60.0,
    "artifact": 400.0,
    "tuned": 200.0,
}


def test_headlines_set_two_sides_against_each_other_in_each_column():
    cases = [case("6-copy", {}, finding(TIMES)), case("6", {}, finding({"two": 2.0}))]
    (row,) = headlines(results(cases, published=(FACT,)), CONTROLS)
    assert dataclasses.asdict(row) == {
        "case": "6-copy",
        "published": pytest.approx(4.0),
        "artifact": pytest.approx(20.0),
        "ray": pytest.approx(10.0),
        "runtime": pytest.approx(0.8),
        "threads": pytest.approx(1.5),
        "gil": pytest.approx(2.5),
        "zero_copy": pytest.approx(10.0),
        "scheduler": pytest.approx(3.0),
    }


def test_headlines_of_rates_are_the_same_and_the_faster_number_of_workers_counts():
    rates = {label: 1 / time for label, time in {**TIMES, "one": 10.0, "bytes": 70.0}.items()}
    fact = dataclasses.replace(FACT, unit="/s", figures={"Ray": 5.0, "reactors": 6.0})
    of_rates = results([case("6-copy", {}, finding(rates, unit="/s"))], published=(fact,))
    (row,) = headlines(of_rates, dataclasses.replace(CONTROLS, copying="bytes", copies=""))
    assert row.published == pytest.approx(1.2)
    assert row.artifact == pytest.approx(40.0)
    assert row.threads == pytest.approx(0.5)
    assert row.zero_copy == pytest.approx(3.5)


def test_headlines_leave_out_what_was_not_measured():
    gone = dataclasses.replace(FACT, case="7")
    few = results([case("6-copy", {}, finding({"two": 20.0}))], published=(FACT, gone))
    (row,) = headlines(few, CONTROLS)
    assert (row.case, row.published) == ("6-copy", 4.0)
    rest = dataclasses.asdict(row)
    assert {rest[name] for name in rest if name not in ("case", "published")} == {None}


def test_headlines_are_written_between_their_marks(tmp_path, capsys):
    ours = {"reactorrl, 1 worker": 4e6, "reactorrl, 2 workers": 2e6}
    cases = [case("broadcast-6-1KB-copy", {}, finding(ours))]
    file, page = str(tmp_path / "results.json"), tmp_path / "page.md"
    results(cases, published=PUBLISHED).save(file)
    page.write_text("<!-- results: headlines -->\n<!-- end of results: headlines -->\n")
    assert command.main(["headlines", file, "--write", str(page)]) == 0
    row = "| broadcast-6-1KB-copy | 8.11x | - | - | - | 2.00x | - | - | - |"
    assert row in page.read_text()
    results(cases, published=()).save(file)
    assert command.main(["headlines", file]) == 1
    assert "of none of these results were figures published" in capsys.readouterr().err


# -- the command line


def refused(capsys, *arguments):
    """What is said of wrong arguments."""
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_help_names_every_experiment_and_its_question(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    for experiment in experiments.EXPERIMENTS.values():
        assert f"{experiment.name} {experiment.question}" in said


def test_list_shows_cases_and_contenders_and_measures_nothing(capsys):
    assert command.main(["broadcast-gather", "--list", "--only", "-64-", "--peers", "xronos"]) == 0
    said = capsys.readouterr().out
    assert "broadcast-64-10MB-copy" in said
    assert "broadcast-6-" not in said
    assert "xronos" in said
    assert "Ray" not in said


def test_list_of_all_shows_each_experiment(capsys):
    assert command.main(["all", "--list"]) == 0
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in experiments.EXPERIMENTS)


def test_an_experiment_that_needs_what_is_not_there_is_named(monkeypatch, capsys):
    lacking = experiments.Experiment("lacking", "lacking.cases", "?")

    def cases(self, settings):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(experiments.Experiment, "cases", cases)
    other = experiments.Experiment("other", "other.cases", "?")
    monkeypatch.setattr(command, "EXPERIMENTS", {"lacking": lacking, "other": other})
    assert command.main(["lacking", "--list"]) == 1
    assert "lacking needs torch, which is not installed" in capsys.readouterr().err
    assert command.main(["all", "--list"]) == 0
    assert capsys.readouterr().err.count("needs torch, which is not installed") == 2


def test_unknown_names_are_refused_with_those_that_there_are(capsys):
    assert "broadcast-gather" in refused(capsys, "nothing")
    said = refused(capsys, "broadcast-gather", "--only", "nothing")
    assert "no case has 'nothing' in its name; there are broadcast-6-1KB" in said
    assert "there are xronos" in refused(capsys, "micro", "--peers", "dask", "--list")
    assert "there are xronos" in refused(capsys, "peers", "dask")
    assert "not allowed with" in refused(capsys, "micro", "--quick", "--smoke")
    assert "not allowed with" in refused(capsys, "micro", "--peers", "ray", "--no-peers")


def test_plot_draws_from_files_alone(written, tmp_path, capsys):
    written.save(tmp_path / "results.json")
    assert command.main(["plot", str(tmp_path / "results.json"), "-o", str(tmp_path / "out")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(list((tmp_path / "out").iterdir())) == 4


def test_files_that_cannot_be_used_are_named(written, tmp_path, capsys):
    (tmp_path / "bad.json").write_text("{}")
    assert command.main(["plot", str(tmp_path / "bad.json")]) == 1
    assert command.main(["table", str(tmp_path / "gone.json")]) == 1
    said = capsys.readouterr().err
    assert "bad.json: not a results file" in said
    assert "gone.json" in said


def test_compare_works_within_a_machine_and_is_refused_across(written, tmp_path, capsys):
    here, elsewhere = str(tmp_path / "here.json"), str(tmp_path / "elsewhere.json")
    written.save(here)
    dataclasses.replace(written, machine={**MACHINE, "identity": "two"}).save(elsewhere)
    assert command.main(["compare", here, here]) == 0
    assert capsys.readouterr().out.count("+0.0%") == len(written.cases)
    assert command.main(["compare", here, elsewhere]) == 1
    assert "different machines" in capsys.readouterr().err


def test_tables_and_pictures_go_between_the_marks_of_its_experiment(written, tmp_path):
    written.save(tmp_path / "results.json")
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- results: broadcast-gather -->\n<!-- end of results: broadcast-gather -->\n"
    )
    assert command.main(["table", str(tmp_path / "results.json"), "--write", str(page)]) == 0
    assert "| 6-copy: one round | **9.00 ms**" in page.read_text()
    assert (
        "![Over the size](figures/over-size.png)\n![In bars](figures/in-bars.png)\n"
        in page.read_text()
    )
    assert len(list((tmp_path / "figures").iterdir())) == 4


def test_interrupt_keeps_results_and_leaves_no_process(tmp_path):
    path = tmp_path / "micro.json"
    options = ("--smoke", "--no-peers", "--only", "event", "ping-pong", "ready", "--json", path)
    run = subprocess.Popen(
        [sys.executable, "-u", "-m", "reactorrl", "bench", "micro", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for line in run.stdout:
            if line.startswith("ping-pong"):  # so the case before it is kept
                break
        measured = psutil.Process(run.pid).children(recursive=True)
        os.kill(run.pid, signal.SIGINT)
        _, said = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == command.INTERRUPTED, said
    assert "interrupted" in said
    assert len(load(path).cases) >= 1
    _, alive = psutil.wait_procs(measured, timeout=10)
    assert measured
    assert alive == []


# -- functions


def test_functions_are_not_hidden_by_the_packages_behind_them():
    from reactorrl.bench.broadcast_gather import program  # noqa: F401
    from reactorrl.bench.micro import sides  # noqa: F401

    for name in ("broadcast_gather", "micro", "sampling"):
        assert callable(getattr(reactorrl.bench, name)), name
        assert name in dir(reactorrl.bench)
    with pytest.raises(AttributeError, match="nothing"):
        _ = reactorrl.bench.nothing


def test_every_experiment_has_a_function():
    names = {name.replace("-", "_") for name in experiments.EXPERIMENTS}
    assert names <= set(reactorrl.bench.EXPERIMENT_FUNCTIONS)


def test_other_interpreters_need_no_reactorrl(tmp_path):
    (tmp_path / "bench").symlink_to(ROOT / "bench")
    code = "import sys, bench.serve, bench.stopwatch; print('reactorrl' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "False\n", done.stderr


def test_a_function_measures_what_is_asked_for(tmp_path):
    found = reactorrl.bench.broadcast_gather(
        sizes=(1_000, 2_000),
        actors=(),
        copies=(True,),
        peers=(),
        mode="smoke",
        progress=False,
    )
    assert [case["name"] for case in found.cases] == [
        "broadcast-6-1KB-copy",
        "broadcast-6-2KB-copy",
    ]
    labels = set(found.cases[0]["findings"][0]["series"])
    assert {"reactorrl, 1 worker", "reactorrl, 2 workers", "plain loop"} <= labels
    assert not any("Ray" in label or "xronos" in label for label in labels)
    single = {f["what"]: f["series"][LOOP] for f in found.cases[0]["findings"] if f["unit"] == "ns"}
    assert single["a single round, p50"]["median"] <= single["a single round, p99"]["median"]
    assert set(found.plot()) == {"broadcast-gather-size-copy", "broadcast-gather-size-copy-p99"}
    found.save(tmp_path / "found.json")
    assert load(tmp_path / "found.json").as_json() == json.loads(json.dumps(found.as_json()))


def test_cases_are_narrowed_by_their_coordinates():
    cases = [Case(f"{n}", "?", [], list, at={"steps": n, "env": "A"}) for n in (1, 8, 64)]
    assert [c.name for c in experiments.where(cases, {"steps": (1, 64), "env": "A"})] == ["1", "64"]
    assert [c.name for c in experiments.where(cases, {"steps": 8})] == ["8"]
    with pytest.raises(ValueError, match=r"no case has steps=2; there are \[1, 8, 64\]"):
        experiments.where(cases, {"steps": 2})
    with pytest.raises(ValueError, match="no case has 'size'; there are steps, env"):
        experiments.where(cases, {"size": 2})


def test_a_function_refuses_unknown_names_before_it_measures():
    with pytest.raises(ValueError, match="no case has 'nothing' in its name"):
        reactorrl.bench.micro(only=("nothing",))
    with pytest.raises(ValueError, match="no peer has 'dask' in its name"):
        reactorrl.bench.micro(peers=("dask",))
    with pytest.raises(ValueError, match="no case has 'steps'"):
        reactorrl.bench.micro(steps=3)
    with pytest.raises(ValueError, match="no mode 'fast'; there are full, quick, smoke"):
        reactorrl.bench.micro(mode="fast")


# -- the harness


class Stub:
    """Servers that answer at once, and note what became of them."""

    def __init__(self):
        self.calls, self.dropped = [], []

    def call(self, contender, arguments, limit_s):
        self.calls.append(contender.label)
        return {"ns": 1e9, "rounds": arguments["rounds"], "check": 1}

    def at(self, place):
        return self

    def interpreter(self):
        return {"gil": False}

    def cpu_s(self):
        return 0.0

    def drop(self, place):
        self.dropped.append(place.name)


def measured(until, alone=""):
    """A case with two contenders in one place apart; one may ask to be alone there."""
    here, apart_place = Place("here", "python"), Place("Ray", "python")
    case = Case(
        "some",
        "?",
        [
            Contender("a", here, "f"),
            *(Contender(n, apart_place, "f", apart=True, alone=n == alone) for n in "bc"),
        ],
        list,
    )
    stub, probe = Stub(), Probe()
    *_, found = measure(case, SMOKE, stub, probe, until)
    probe.close()
    return stub, found


def test_contenders_apart_take_turns_in_one_process():
    stub, found = measured(math.inf)
    assert set(found.samples) == {"a", "b", "c"}
    assert stub.dropped == ["Ray"]
    assert stub.calls[-4:] == ["b", "c", "b", "c"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_a_mode_is_told_by_its_name(name, mode):
    """Functions change how long a mode takes, and measure what the command line measures."""
    settings = MODES[mode]
    asked, changed = (
        [
            (case.name, [(c.label, c.place.missing) for c in case.contenders])
            for case in experiments.EXPERIMENTS[name].cases(each)
        ]
        for each in (settings, dataclasses.replace(settings, experiment_s=1.0))
    )
    assert asked == changed


def test_who_must_be_alone_gets_a_process_of_its_own():
    stub, found = measured(math.inf, alone="b")
    assert set(found.samples) == {"a", "b", "c"}
    assert stub.dropped == ["Ray", "Ray"]
    assert stub.calls == sorted(stub.calls)


def test_when_time_is_up_what_is_apart_is_missing_with_that_reason():
    stub, found = measured(0.0)
    assert set(found.samples) == {"a"}
    assert set(found.missing) == {"b", "c"}
    assert "no time was left" in found.missing["b"]
    assert stub.dropped == []


def test_single_rounds_are_timed_one_by_one():
    watch = Stopwatch(3, 5, singles=2)
    assert [watch.lap() for _ in range(5)] == [3, 5, 1, 1, 0]
    reply = watch.reply("work")
    assert reply["rounds"] == 5
    assert len(reply["singles_ns"]) == 2


def test_quantiles_are_values_that_were_seen():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile(list(range(1, 101)), 0.99) == 99
    assert quantile([7.0], 0.99) == 7.0
