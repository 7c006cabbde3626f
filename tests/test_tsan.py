"""The extension under ThreadSanitizer: tests of whole programs, with core and binding instrumented.

The interpreter itself is not. What it does in memory is left out
(`ignore_noninstrumented_modules`), so that what is reported happens between two accesses of ours;
tests/tsan.txt names the exceptions.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
COMPILER = os.environ.get("CC", "cc")
SECONDS = 200  # of one run; they take up to thirty on two idle processors
FOUND = 66  # the exit status of a process that ThreadSanitizer had something to say about
RUNS = {
    "determinism": ["test_determinism.py", "-k", "wide_and_deep"],  # the others take minutes
    "programs": [
        f"semantics/test_{name}.py"
        for name in ("actions", "exceptions", "ingress", "lifecycle", "running")
    ],
    "parts": [
        *(f"semantics/test_{name}.py" for name in ("modes", "enclaves", "deadlines", "mutable")),
        *("-k", "fast"),
    ],
    "views": [
        *("test_trace_files.py", "test_live.py"),
        *("-k", "outside or between_them or one_line or the_counters"),
    ],
}
RACE = """
#include <stdint.h>
static uint32_t word;
void touch(void) { for (int i = 0; i < 1000; i++) word++; }
"""
RACER = """
import ctypes, sys, threading
library = ctypes.CDLL(sys.argv[1])
threads = [threading.Thread(target=library.touch) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def unusable(reason):
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Sanitized:
    """An instrumented copy of the package, and how to run Python with it."""

    def __init__(self, folder, runtime):
        self.folder, self.runtime = folder, runtime

    def build(self):
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(ROOT / name, self.folder)
        for name in ("csrc", "reactorrl"):
            shutil.copytree(
                ROOT / name,
                self.folder / name,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("*.so", "__pycache__", "_core.c"),
            )
        environment = {**os.environ, "RRL_SANITIZE": "thread", "PYTHONPATH": str(self.folder)}
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def python(self, *arguments):
        """Runs Python in the copy; gives status and output, reports included."""
        options = f"exitcode={FOUND} halt_on_error=0 report_thread_leaks=0"
        options += f" ignore_noninstrumented_modules=1 suppressions={HERE / 'tsan.txt'}"
        # Into files, as pytest keeps what a passing test writes to itself.
        options += f" log_path={self.folder / 'report'}"
        done = subprocess.run(
            # ThreadSanitizer stops if the kernel puts memory into odd places.
            [shutil.which("setarch") or "setarch", "-R", sys.executable, *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "LD_PRELOAD": self.runtime,
                "PYTHONPATH": str(self.folder),
                "TSAN_OPTIONS": options,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        output = done.stdout
        for report in self.folder.glob("report.*"):
            output += report.read_text()
            report.unlink()
        return done.returncode, output


@pytest.fixture(scope="session")
def sanitized(request):
    if shutil.which(COMPILER) is None or shutil.which("setarch") is None:
        unusable("no C compiler or no setarch")
    runtime = subprocess.run(
        [COMPILER, "-print-file-name=libtsan.so"], capture_output=True, text=True
    ).stdout.strip()
    if not Path(runtime).exists():
        unusable(f"{COMPILER} has no libtsan.so")
    folder = Path(request.config.cache.mkdir("tsan"))
    copy = Sanitized(folder, runtime)
    status, output = copy.python("-c", "")
    if status != 0:
        unusable(f"Python does not start under ThreadSanitizer: {output}")
    with open(folder / "lock", "w") as lock:  # another session may build here
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy.build()
    return copy


@pytest.mark.timeout(SECONDS + 100)  # the first one builds
def test_a_race_is_reported(sanitized, tmp_path):
    """The same arrangement, with a library that does race."""
    source, library = tmp_path / "race.c", tmp_path / "race.so"
    source.write_text(RACE)
    command = [COMPILER, "-g", "-O1", "-fsanitize=thread", "-shared", "-fPIC"]
    subprocess.run([*command, source, "-o", library], check=True)
    status, output = sanitized.python("-c", RACER, str(library))
    assert status == FOUND
    assert "data race" in output
    assert "touch" in output


@pytest.mark.timeout(SECONDS + 100)
@pytest.mark.parametrize("run", RUNS)
def test_no_race_is_reported(sanitized, run):
    _, where = sanitized.python("-c", "import reactorrl._core as core; print(core.__file__)")
    assert where.startswith(str(sanitized.folder))
    status, output = sanitized.python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", str(SECONDS)),
        *(str(HERE / text) if text.endswith(".py") else text for text in RUNS[run]),
    )
    assert status == 0, output[-20000:]
    assert "ThreadSanitizer" not in output, output[-20000:]
