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
    "hello": hello,
    "parallel_dqn": parallel_dqn,
    "q_learning": q_learning,
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
