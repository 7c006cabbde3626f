"""Every example runs as a script and prints what it promises."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


def hello(lines):
    assert lines[:6] == [
        "Hello.prompt sees 1 at Tag(time=0, microstep=0)",
        "Hello.late sees 1 at Tag(time=500000, microstep=0)",
        "Hello.prompt sees 2 at Tag(time=1000000, microstep=0)",
        "Hello.late sees 2 at Tag(time=1500000, microstep=0)",
        "Hello.prompt sees 3 at Tag(time=2000000, microstep=0)",
        "Hello.late sees 3 at Tag(time=2500000, microstep=0)",
    ]
    assert sorted(lines[6:]) == [
        "Hello.late is done at Tag(time=2500000, microstep=0)",
        "Hello.prompt is done at Tag(time=2500000, microstep=0)",
    ]


def timers(lines):
    assert lines == [
        "0 s: begins",
        "3 s: 4 blinks",
        "6 s: 7 blinks",
        "7 s: ends after 8 blinks, at Tag(time=7000000000, microstep=1)",
    ]


def feedback(lines):
    """The loop is named; the longer the delay, the hotter it gets."""
    assert lines == [
        "without a delay: House.room.heat -> House.room.warm -> House.room.temperature"
        " -> House.controller.temperature -> House.controller.control -> House.controller.power"
        " -> House.room.power",
        "after 0 s: at most 21.4 degrees",
        "after 2 s: at most 22.6 degrees",
        "after 4 s: at most 24.6 degrees",
    ]


def banks(lines):
    assert lines == [
        "Product.by_rows: [1, 2, 3, 4, 5, 6]",
        "Product.by_columns: [1, 4, 2, 5, 3, 6]",
        "Product.product: [321, 654]",
    ]


def timeouts(lines):
    assert lines == ["2 ms: answer", "15 ms: no answer yet", "17 ms: too late", "23 ms: answer"]


def outside(lines):
    assert lines == [
        "5 readings, the highest 25",
        "replayed: 5 readings, the highest 25",
        "the same trace: True",
    ]


def modes(lines):
    """History waits out the rest of a second, a reset the whole of the charging."""
    assert lines == [
        "4.0 s: 5 steps, battery empty",
        "4.0 s: charging",
        "11.5 s: 10 steps, battery empty",
        "11.5 s: charging",
        "19.0 s: 15 steps, battery empty",
        "19.0 s: charging",
    ]


def deadlines(lines):
    late = "brake, 7 ms after its time"
    fresh = "drive, 2 ms after its time"
    done = [fresh, fresh, late, fresh, fresh, late]
    assert lines[:-1] == [f"picture {number}: {what}" for number, what in enumerate(done)]
    assert lines[-1] == "missed: {'Car.motor.drive': 2}"


def mistakes(lines):
    assert re.sub(r"mistakes.py:\d+", "LINE", lines[0]) == (
        "before the start: Panel.connect: 2 channels (Panel.sensor.out[0], Panel.sensor.out[1]) on"
        " the left and 3 channels (Panel.display.inp[0], Panel.display.inp[1],"
        " Panel.display.inp[2]) on the right; make them equal (LINE)"
    )
    assert lines[1:] == [
        "display: off",
        "in a body: reaction Panel.sensor.measure raised at Tag(time=2000000000, microstep=0):"
        " ValueError: no signal",
        "it had run 6 reactions",
        "found: global-random; use self.rng, or a generator of its own that is made from a seed",
        "found: undeclared-effect; add it to effects=",
    ]


def one_env(lines):
    """The rule of thumb keeps the pole up; each env step takes 20 ms of logical time."""
    returns = [float(word) for word in lines[0].removeprefix("returns: [")[:-1].split(", ")]
    assert len(returns) == 5
    assert min(returns) > 100
    seconds, tags = re.fullmatch(r"([\d.]+) s of the pole's time in (\d+) tags", lines[1]).groups()
    assert int(tags) == sum(returns) + 2
    assert float(seconds) == round(0.02 * sum(returns), 2)


def replay(lines):
    """The optimum, and the same trace with both numbers of workers."""
    pattern = r"\d workers: greedy return -13, the optimum is -13; (\w{16})"
    assert len({re.fullmatch(pattern, line)[1] for line in lines}) == 1
    assert [line[0] for line in lines] == ["1", "2"]


def parallel_dqn(lines):
    """It has learned something, and the two numbers of workers say the same."""
    by_one, by_two = "\n".join(lines[:2]), "\n".join(lines[2:])
    pattern = r"(\d) workers: [\d.]+ s, trace (\w{16}),\n  .* an episode lasted (\d+) steps; .*"
    (one, *first), (two, *second) = (
        re.fullmatch(pattern, text).groups() for text in (by_one, by_two)
    )
    assert (one, two) == ("1", "2")
    assert first == second
    assert int(first[1]) > 60


def asynchronous(lines):
    """Enclaves that drift apart find the best arm, with the same trace each time."""
    assert len(lines) == 3
    assert re.fullmatch(r"arm 2 is best, stopped at Tag\(.*\), trace \w{16}", lines[0])
    assert lines[1:] == lines[:1] * 2


def a3c(lines):
    """It has learned something from gradients that were late, twice with the same trace."""
    pattern = (
        r"a gradient was 3\.0\d updates late, at most \d+; episodes lasted (\d+) steps,"
        r" in the end (\d+); trace \w{16}"
    )
    first, last = map(int, re.fullmatch(pattern, lines[0]).groups())
    assert last > 3 * first
    assert lines == lines[:1] * 2


def atari_film(lines):
    """A file that is not empty."""
    (line,) = lines
    path, size = re.fullmatch(r"(.*/pong\.gif): (\d+) kB", line).groups()
    assert Path(path).stat().st_size // 1000 in (int(size), int(size) - 1)
    assert Path(path).read_bytes()[:6] == b"GIF89a"
    shutil.rmtree(Path(path).parent)


def q_learning(lines):
    """One table for both numbers of workers; its policy is the best there is."""
    tables = [re.fullmatch(r"\d workers: [\d.]+ s, table (\w{16})", line)[1] for line in lines[:2]]
    assert tables[0] == tables[1]
    lake = [re.sub("[←↓→↑]", ".", line) for line in lines[2:6]]
    assert lake == ["....", ".H.H", "...H", "H..G"]
    assert lines[6] == "success within 100 steps: 0.7402, exactly"
    assert lines[7] == "of the best table:        0.7402"


def traffic(lines):
    """Collisions become rare."""
    first, last = (float(line.rpartition(" ")[2]) for line in lines[1:3])
    assert first < 0.3
    assert last > 0.6
    alone = re.fullmatch(r"without exploration: return -([\d.]+), no collision ([\d.]+)", lines[3])
    assert float(alone[1]) < 30
    assert float(alone[2]) > 0.6


def vector_env(lines):
    """Walkers arrive, and three numbers of workers see the same."""
    found = [
        re.fullmatch(r"(\d) workers: (4000 steps, (\d+) arrivals, hash \w{16})", line)
        for line in lines
    ]
    assert [match[1] for match in found] == ["1", "2", "4"]
    assert len({match[2] for match in found}) == 1
    assert int(found[0][3]) > 50


CHECKS = {
    "a3c": a3c,
    "asynchronous": asynchronous,
    "atari_film": atari_film,
    "banks": banks,
    "deadlines": deadlines,
    "feedback": feedback,
    "hello": hello,
    "mistakes": mistakes,
    "modes": modes,
    "one_env": one_env,
    "outside": outside,
    "parallel_dqn": parallel_dqn,
    "q_learning": q_learning,
    "replay": replay,
    "timeouts": timeouts,
    "timers": timers,
    "traffic": traffic,
    "vector_env": vector_env,
}
NEEDS = {
    "a3c": ("torch",),
    "atari_film": ("ale_py", "PIL"),
    "traffic": ("torch", "pettingzoo"),
}


def test_every_example_is_checked():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_example(name):
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", EXAMPLES / f"{name}.py"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    CHECKS[name](done.stdout.splitlines())
