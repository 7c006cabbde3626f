"""Runs the C tests of the core: every executable of tests/c in three builds, each by itself."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "c"
SECONDS = 120  # of one executable; they take one to four on two idle processors
SANITIZERS = {
    "plain": [],
    "bare": [],
    "asan": ["-fsanitize=address,undefined"],
    "tsan": ["-fsanitize=thread"],
}
NAMES = sorted(
    path.stem for pattern in ("test_*.c", "litmus*.c", "stress_*.c") for path in HERE.glob(pattern)
)
VARIANTS = ("plain", "asan", "tsan")  # those in which everything runs
COMPILER = os.environ.get("CC", "cc")


def ended(process):
    """How a process ended, in words."""
    if process.returncode < 0:
        return f"killed by {signal.Signals(-process.returncode).name}"
    return f"exit status {process.returncode}"


def run(command, seconds, **options):
    """Runs a command in a session of its own, so that the time limit reaches what it started."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        pytest.fail(f"{command[-1]}: no end after {seconds} s\n{output}", pytrace=False)
    return process, output


def unusable(reason):
    """Skips, but not where everything has to run."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def usable_launcher(variant, folder):
    """What has to stand before an executable of this variant here; skips where it cannot run."""
    source, program = folder / f"probe-{variant}.c", folder / f"probe-{variant}"
    source.write_text("int main(void) { return 0; }\n")
    process, output = run(
        [COMPILER, *SANITIZERS[variant], str(source), "-o", str(program)], SECONDS
    )
    if process.returncode != 0:
        last = output.strip().splitlines()[-1]
        return unusable(f"{COMPILER} cannot link {' '.join(SANITIZERS[variant])}: {last}")
    reason = ""
    # ThreadSanitizer stops if the kernel puts memory into odd places; setarch -R prevents that.
    for launcher in [[], ["setarch", "-R"]]:
        if launcher and shutil.which(launcher[0]) is None:
            continue
        process, output = run([*launcher, str(program)], SECONDS)
        if process.returncode == 0:
            return launcher
        reason = f"{ended(process)}: {output.strip()}"
    flags = " ".join(SANITIZERS[variant])
    return unusable(f"an empty program with {flags} does not run here: {reason}")


@pytest.fixture(scope="session")
def built(request):
    """Builds a variant, once; gives its launcher and the folder of its executables."""
    if shutil.which(COMPILER) is None or shutil.which("make") is None:
        unusable("no C compiler or no make")
    folder = Path(request.config.cache.mkdir("tests-c"))
    done = {}

    def build(variant):
        if variant not in done:
            with open(folder / "lock", "w") as lock:  # another session may build here
                fcntl.flock(lock, fcntl.LOCK_EX)
                launcher = usable_launcher(variant, folder)
                command = [
                    "make",
                    "-s",
                    "-j2",
                    f"OUT={folder}",
                    f"VARIANT={variant}",
                    f"CC={COMPILER}",
                    *(["TESTS=stress_physical"] if variant == "bare" else []),
                    "all",
                ]
                done[variant] = launcher, folder / variant, *run(command, 300, cwd=HERE)
        launcher, executables, process, output = done[variant]
        if process.returncode != 0:
            pytest.fail(f"the {variant} build of tests/c failed\n{output}", pytrace=False)
        return launcher, executables

    return build


@pytest.mark.timeout(400)  # the first of a variant builds it
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", NAMES)
def test_c(built, name, variant, tried):
    """Every check in the executable holds, and no sanitizer reports anything."""
    launcher, executables = built(variant)
    process, output = run([*launcher, str(executables / name)], SECONDS)
    if process.returncode != 0:
        pytest.fail(f"{name} ({variant}): {ended(process)}\n{output}", pytrace=False)
    print(output)
    counted = r"^(\d+) (allocations refused|programs|runs)\b"
    for n, what in re.findall(counted, output, re.MULTILINE):
        tried({"allocations refused": what}.get(what, "random runs in C, checked"), int(n))


SEEDED = {  # what to run with a seed of the session, shorter than usual: its arguments
    "litmus": ["60", "{seed}"],
    "litmus_pool": ["100", "{seed}"],
    "stress_ring": ["10", "{seed}"],
    "stress_runtime": ["20", "{seed}"],
    "stress_enclaves": ["20", "{seed}"],
    "stress_physical": ["2000", "{seed}"],
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("variant", ["plain", "tsan"])
@pytest.mark.parametrize("name", SEEDED)
def test_c_with_another_seed(built, name, variant, seed):
    """The yields come elsewhere in each session; what fails is repeated with its --base-seed."""
    launcher, executables = built(variant)
    arguments = [text.format(seed=seed % 1000000 + 1000) for text in SEEDED[name]]
    process, output = run([*launcher, str(executables / name), *arguments], SECONDS)
    if process.returncode != 0:
        command = " ".join([name, *arguments])
        pytest.fail(f"{command} ({variant}): {ended(process)}\n{output}", pytrace=False)


@pytest.mark.timeout(400)
def test_every_physical_event_of_eight_threads_is_handled(built, tried):
    """Ten million of them: each once, those of one thread in their order."""
    launcher, executables = built("bare")
    n = 10_000_000
    process, output = run([*launcher, str(executables / "stress_physical"), str(n)], SECONDS)
    print(output)
    assert process.returncode == 0, output
    assert f"stress_physical {n} 0:" in output
    tried("physical events from 8 threads, none lost", n)
