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


    "asynchronous": asynchronous,
    "atari_film": atari_film,
    "hello": hello,
    "parallel_dqn": parallel_dqn,
    "q_learning": q_learning,
    "traffic": traffic,
    "vector_env": vector_env,
}
NEEDS = {"atari_film": ("ale_py", "PIL")}


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
