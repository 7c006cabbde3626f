"""The table of learning results: what a row says, when its bar is reached, what is written."""

import json

import pytest

from bench.learning import __main__ as command
from bench.learning.case import Case, Finding, Outcome, markdown, mean_and_interval


def case(**changes):
    values = {
        "name": "walk",
        "experiment": "Walking",
        "measure": "return",
        "reference": "10 (exact)",
        "bar": 9.0,
        "train": lambda seed: Outcome(8.0 + seed, 100 * seed, 2.0 * seed, f"note {seed}"),
    }
    return Case(**{**values, **changes})


def test_a_finding_has_mean_and_deviation_over_seeds():
    """Of 9, 10 and 11: the deviation divides by three."""
    finding = Finding(case(), [case().train(seed) for seed in (1, 2, 3)])
    assert finding.mean == 10.0
    assert finding.std == pytest.approx((2 / 3) ** 0.5)
    assert finding.reached
    assert not Finding(case(bar=10.1), finding.outcomes).reached
    assert finding.command == "python -m bench.learning --only walk"


def test_the_table_has_a_row_for_each_case_and_a_line_for_each_note():
    finding = Finding(case(), [case().train(seed) for seed in (1, 2, 3)])
    missed = Finding(case(bar=10.1), finding.outcomes)
    header, line, first, second, _, *notes = markdown([finding, missed]).splitlines()
    assert first == (
        "| Walking: return | 10 ± 0.82 | 3 | 10 (exact) | 9 | yes | 200 | 4 s"
        " | `python -m bench.learning --only walk` |"
    )
    assert "| **no** |" in second
    assert header.count("|") == line.count("|") == first.count("|")
    assert notes[0] == "- Walking, seed 1: note 1"
    assert len(notes) == 6


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation():
    mean, half = mean_and_interval([0.0, 1.0, 2.0, 3.0, 4.0])
    assert mean == 2.0
    assert half == pytest.approx(1.96 * (2.5 / 5) ** 0.5)


def test_the_quick_mode_trains_the_short_cases_once(tmp_path, monkeypatch, capsys):
    groups = {"a": [case(is_quick=True)], "b": [case(name="run", bar=99.0)]}
    monkeypatch.setattr(command, "GROUPS", groups)
    path = tmp_path / "results.json"
    assert command.main(["--quick", "--json", str(path)]) == 0
    (finding,) = json.loads(path.read_text())["findings"]
    assert (finding["name"], finding["mean"], finding["reached"]) == ("walk", 9.0, True)
    assert [run["seed"] for run in finding["runs"]] == [1]
    assert command.main(["b"]) == 1, "a bar was missed"
    assert "run seed 3: 11.0000 after 300 env steps" in capsys.readouterr().err


def test_what_is_not_there_is_named(capsys):
    for arguments, problem in ((["c"], "no group c"), (["--only", "nothing"], "no case has such")):
        with pytest.raises(SystemExit):
            command.main(arguments)
        assert problem in capsys.readouterr().err


def test_names_of_cases_are_unique():
    names = [each.name for group in command.GROUPS.values() for each in group]
    assert len(set(names)) == len(names)
