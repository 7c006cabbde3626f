"""The core's protocols between threads, checked by Relacy; see tests/c/model/README.md."""

import fcntl
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MODEL = HERE / "c" / "model"
CSRC = HERE.parent / "csrc"
SECONDS = 100  # of one check; they take up to five on an idle processor
EXECUTABLES = ("check_rings", "check_pool", "check_program", "check_enclaves")
# What checks of whole programs need of the core; relacy.cpp stands in for the platform.
CORE = sorted(p.name for p in CSRC.glob("*.c") if p.name not in {"platform_linux.c", "topology.c"})
USERS = {"lock.h": "enclaves.c"}  # the one file that a header's mutants concern
MEMORY = ("malloc", "calloc", "realloc", "free", "aligned_alloc", "abort")
C_FLAGS = ["-std=c11", "-O1", "-g", "-w", "-fsanitize=thread", "-DRRL_MODEL_CHECK", "-DRRL_DEBUG=2"]
C_FLAGS += [f"-D{name}=model_{name}" for name in MEMORY]
CC, CXX = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")


ON_THE_CORE = {"check_program", "check_enclaves"}


@dataclass
class Mutant:
    """An error put into a copy of the core, which one of `checks` must find."""

    name: str
    file: str
    executable: str
    checks: list[str]
    changes: list[tuple[str, str]]  # lines of the file, found once; what stands there instead

    def text(self):
        text = (CSRC / self.file).read_text()
        for old, new in self.changes:
            n = text.count(old)
            assert n == 1, f"{self.name}: these lines stand in {self.file} {n} times:\n{old}"
            text = text.replace(old, new)
        return text


def read_mutants():
    """Reads mutants.txt: changes written as in a diff, "..." between those of one mutant."""
    mutants = []
    for block in re.split(r"^== ", (MODEL / "mutants.txt").read_text(), flags=re.MULTILINE)[1:]:
        title, _, body = block.partition("\n")
        name, file, executable, *checks = re.split(r"[:; ]+", title)
        changes = []
        for hunk in body.rstrip("\n").split("\n...\n"):
            lines = hunk.split("\n")
            old = [line[1:] for line in lines if line[:1] in " -"]
            new = [line[1:] for line in lines if line[:1] in " +"]
            changes.append(tuple("".join(f"{line}\n" for line in side) for side in (old, new)))
        mutants.append(Mutant(name, file, executable, checks, changes))
    return mutants


MUTANTS = read_mutants()


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def compile_c(source, csrc, target):
    call(CC, *C_FLAGS, "-iquote", csrc, "-iquote", MODEL, "-c", source, "-o", target)
    return target


def link(executable, objects, folder):
    call(CXX, "-no-pie", folder / "relacy.o", *objects, "-o", executable)
    return executable


def build(folder):
    """Compiles what changed since the last time; gives the folder of executables and objects."""
    jobs = [(MODEL / f"{name}.c", folder / f"{name}.o") for name in EXECUTABLES]
    jobs += [(CSRC / name, folder / f"{name}.o") for name in CORE]
    headers = [*CSRC.glob("*.[ch]"), *MODEL.glob("*.h"), Path(__file__)]
    newest = max(path.stat().st_mtime for path in headers)

    def relacy():
        source, target = MODEL / "relacy.cpp", folder / "relacy.o"
        if not is_newer(target, max(source.stat().st_mtime, (MODEL / "model.h").stat().st_mtime)):
            call(CXX, "-std=gnu++17", "-O2", "-w", "-c", source, "-o", target)

    def core(job):
        if not is_newer(job[1], max(newest, job[0].stat().st_mtime)):
            compile_c(job[0], CSRC, job[1])

    with ThreadPoolExecutor(2) as pool:
        beside = pool.submit(relacy)
        list(pool.map(core, jobs))
        beside.result()
    for name in EXECUTABLES:
        link(folder / name, objects_of(name, folder), folder)
    return folder


def is_newer(target, than):
    return target.exists() and target.stat().st_mtime > than


def objects_of(name, folder):
    core = [folder / f"{file}.o" for file in CORE] if name in ON_THE_CORE else []
    return [folder / f"{name}.o", *core]


def build_mutant(mutant, folder):
    """Compiles what the change concerns: the file itself, or the check that includes it."""
    place = folder / "mutants" / mutant.name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(CSRC, place)
    (place / mutant.file).write_text(mutant.text())
    if mutant.executable in ON_THE_CORE:
        file = USERS.get(mutant.file, mutant.file)
        changed, source = f"{file}.o", place / file
    else:
        changed, source = f"{mutant.executable}.o", MODEL / f"{mutant.executable}.c"
    objects = [
        compile_c(source, place, place / changed) if path.name == changed else path
        for path in objects_of(mutant.executable, folder)
    ]
    return link(place / mutant.executable, objects, folder)


def execute(executable, *arguments):
    done = subprocess.run([executable, *arguments], capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


def has_relacy():
    done = subprocess.run(
        [CXX, "-fsyntax-only", "-w", "-xc++", "-include", "relacy/relacy.hpp", os.devnull],
        capture_output=True,
    )
    return done.returncode == 0


@pytest.fixture(scope="session")
def built(request):
    """The folder of the executables."""
    if shutil.which(CC) is None or shutil.which(CXX) is None or not has_relacy():
        reason = "no C++ compiler with relacy/relacy.hpp (Debian: relacy-dev)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(request.config.cache.mkdir("model-check"))
    with open(folder / "lock", "w") as lock:  # another session may build here
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build(folder)


def checks_of(name):
    """The names in its table, without building it."""
    table = (MODEL / f"{name}.c").read_text().partition("model_checks[] = {")[2]
    return re.findall(r'\{"(\w+)"', table)


@pytest.mark.timeout(SECONDS + 200)  # the first one builds
@pytest.mark.parametrize(
    ("executable", "name"),
    [(executable, name) for executable in EXECUTABLES for name in checks_of(executable)],
)
def test_holds_in_every_interleaving(built, executable, name, tried):
    status, output = execute(built / executable, name)
    print(output)
    assert status == 0, output
    interleavings = int(re.search(r"interleavings=(\d+)", output)[1])
    assert interleavings > 10
    tried("interleavings of the core's protocols", interleavings)


@pytest.mark.timeout(SECONDS + 200)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_finds_the_error(built, mutant, tried):
    executable = build_mutant(mutant, built)
    found = [name for name in mutant.checks if execute(executable, name)[0] == 1]
    assert found, f"none of {mutant.checks} finds it"
    tried("errors put into them, each of them found", 1)
