"""`reactorrl doctor`: what it finds out, what it calls wrong, who turned the GIL on."""

import json
import os
import subprocess
import sys
import sysconfig

import pytest
from scripts import ROOT, run_script

from reactorrl import __main__, _core, doctor
from reactorrl.doctor import imports, machine, packages

IS_FREE_THREADED = imports.is_free_threaded()
EXTENSION = """
#include <Python.h>
static PyModuleDef_Slot slots[] = {{0, NULL}}; /* nothing about the GIL */
static PyModuleDef def = {PyModuleDef_HEAD_INIT, .m_name = "locking", .m_slots = slots};
PyMODINIT_FUNC PyInit_locking(void) { return PyModuleDef_Init(&def); }
"""


@pytest.fixture(scope="module")
def locking(tmp_path_factory):
    """A folder with an extension module that wants the GIL, and `outer` that imports it."""
    folder = tmp_path_factory.mktemp("locking")
    (folder / "locking.c").write_text(EXTENSION)
    (folder / "outer.py").write_text("# imports it on line 2\nimport locking\n")
    name = "locking" + sysconfig.get_config_var("EXT_SUFFIX")
    include = f"-I{sysconfig.get_path('include')}"
    compiler = os.environ.get("CC", "cc")
    command = [compiler, "-shared", "-fPIC", include, "locking.c", "-o", name]
    subprocess.run(command, cwd=folder, check=True)
    return folder


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Makes modules for processes that are started in the current folder."""
    monkeypatch.chdir(tmp_path)

    def make(**sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)

    return make


# -- imports


def test_each_import_is_told_with_its_error(modules):
    """One that raises, one that prints, one that is not there: each has its own line."""
    modules(good="print('noise')", bad="raise ValueError('so it is')")
    found = imports.examine(["good", "bad", "not_there"])
    assert [result["error"] for result in found.values()] == [
        None,
        "ValueError: so it is",
        "ModuleNotFoundError: No module named 'not_there'",
    ]
    assert all(result["culprits"] == [] for result in found.values())


def test_a_module_that_ends_the_interpreter_does_not_end_the_examination(modules):
    """What comes after it is imported in another process."""
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    modules(good="", leave="import os; os._exit(3)", dead=kill)
    found = imports.examine(["leave", "good", "dead"])
    assert [result["error"] for result in found.values()] == [
        "ended the interpreter (status 3)",
        None,
        "killed the interpreter (SIGKILL)",
    ]


def test_an_import_without_end_is_given_up(modules):
    """The time limit is told, and what was imported before is not lost."""
    modules(good="", endless="import threading; threading.Event().wait()")
    found = imports.examine(["good", "endless"], seconds=3)
    assert found["good"]["error"] is None
    assert found["endless"]["error"] == "not done within 3 s"


@pytest.mark.skipif(not IS_FREE_THREADED, reason="needs a free-threaded interpreter")
def test_who_turns_the_gil_on_is_found(locking, monkeypatch):
    """The extension module and its importer are named, though warnings are off."""
    monkeypatch.chdir(locking)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    found = imports.examine(["json", "outer"])
    assert found["json"]["culprits"] == []
    assert found["outer"]["culprits"] == [{"module": "locking", "by": ["outer:2"]}]
    shown = imports.shown_culprit(found["outer"]["culprits"][0])
    assert shown == "locking (imported by outer:2)"


@pytest.mark.skipif(not IS_FREE_THREADED, reason="needs a free-threaded interpreter")
def test_a_program_names_who_turned_the_gil_on(locking):
    """The warning when a program starts knows the module from CPython's own."""
    status, _, errors = run_script(
        f"""
        sys.path.insert(0, {str(locking)!r})
        import locking
        class Main(rr.Reactor):
            pass
        rr.run(Main(), workers=1)
        """
    )
    assert status == 0
    assert "reactions take turns: importing locking did it" in errors


def test_long_chains_of_importers_are_shortened():
    """The two nearest and the outermost are shown."""
    culprit = {"module": "m", "by": ["a:1", "b:2", "c:3", "d:4"]}
    assert imports.shown_culprit(culprit) == "m (imported by a:1, by b:2, by ..., by d:4)"
    assert imports.shown_culprit({"module": "m", "by": []}) == "m"


# -- the machine


def test_processors():
    """Siblings, kinds and caches are those of the topology."""
    found = machine.processors([(4, 0, 0, 9), (0, 1, 0, 5), (1, 2, 1, 5), (5, 0, 0, 9)])
    assert found["usable"] == [0, 1, 4, 5]
    assert found["siblings"] == [[4, 5]]
    assert found["kinds"] == [[4, 5], [0, 1]]
    assert (found["cores"], found["caches"]) == (3, 2)


def tree(root, **files):
    for path, text in files.items():
        file = root / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_limits_of_cgroups_version_2(tmp_path):
    """The tightest limits count, wherever on the way up they are."""
    (tmp_path / "sys/fs/cgroup/a/b").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/a/cpu.max").write_text("150000 100000\n")
    (tmp_path / "sys/fs/cgroup/a/b/cpu.max").write_text("max 100000\n")
    (tmp_path / "sys/fs/cgroup/a/b/memory.max").write_text("1048576\n")
    (tmp_path / "sys/fs/cgroup/a/memory.max").write_text("max\n")
    (tmp_path / "sys/fs/cgroup/a/b/cpuset.cpus.effective").write_text("0-2\n")
    (tmp_path / "sys/fs/cgroup/cpuset.cpus.effective").write_text("0-7\n")
    tree(tmp_path, proc__self__cgroup="0::/a/b\n")
    found = machine.cgroup(str(tmp_path))
    assert found == {"version": 2, "cpus": 1.5, "cpuset": "0-2", "memory": 1048576}
    assert _core.cgroup_cpus(str(tmp_path)) == 2


def test_limits_of_cgroups_version_1(tmp_path):
    """Each controller has its own tree; a huge number is no limit."""
    tree(
        tmp_path,
        proc__self__cgroup="3:memory:/m\n2:cpu,cpuacct:/c\n1:name=systemd:/\n0::/\n",
        sys__fs__cgroup__memory__m__x="",
    )
    (tmp_path / "sys/fs/cgroup/memory/m/memory.limit_in_bytes").write_text("9223372036854771712")
    (tmp_path / "sys/fs/cgroup/cpu,cpuacct/c").mkdir(parents=True)
    for name, text in (("quota", "300000"), ("period", "100000")):
        (tmp_path / f"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_{name}_us").write_text(text)
    found = machine.cgroup(str(tmp_path))
    assert found == {"version": 1, "cpus": 3.0, "cpuset": None, "memory": None}
    assert _core.cgroup_cpus(str(tmp_path)) == 3


def test_no_cgroups(tmp_path):
    """Where the kernel tells nothing, nothing is limited."""
    found = machine.cgroup(str(tmp_path))
    assert found == {"version": None, "cpus": None, "cpuset": None, "memory": None}


def test_pairs_of_every_kind_are_probed():
    """Of many processors a few pairs: within a core, within a cache, beyond."""
    topology = [(cpu, cpu // 2, cpu // 8, 0) for cpu in range(64)]
    pairs = machine._pairs(topology)
    assert len(pairs) <= machine._PAIRS
    assert {share for share, *_ in pairs} == {"core", "cache", "memory"}
    for share, a, b in pairs:
        shared = "core" if a // 2 == b // 2 else "cache" if a // 8 == b // 8 else "memory"
        assert (a != b, share) == (True, shared)


def test_the_probe_measures():
    """Times are positive and in order; a processor that is not there is told, not raised."""
    cpus = [cpu for cpu, *_ in _core.topology()]
    (found,) = machine.probe([(cpus[0], 0, 0, 0), (cpus[-1], 1, 0, 0)], seconds=0.2)
    assert found["cpus"] == [cpus[0], cpus[-1]]
    assert found["share"] == "cache"
    if "trip_ns" in found:  # else the two hardly came to run
        assert 0 < found["trip_ns"] <= found["slow_trip_ns"]
        assert 0 < found["wake_ns"] <= found["slow_wake_ns"]
        assert 0 < found["slow_down"] < 100
    (found,) = machine.probe([(cpus[0], 0, 0, 0), (1 << 20, 1, 1, 0)], seconds=0.1)
    assert found["error"].startswith(f"probe of processors {cpus[0]} and {1 << 20}: ")


# -- packages


def test_packages_by_extra(monkeypatch):
    """Missing ones and old ones are told apart from those that will do; `dev` is for developers."""
    texts = [
        "numpy>=1.26",
        'torch>=2.9; extra == "torch"',
        'tensorboardX>=2.6; extra == "log"',
        'wandb>=0.20; extra == "log"',
        'pytest>=9; extra == "dev"',
    ]
    versions = {"numpy": "2.1.0", "torch": "2.8.1+cpu", "tensorboardX": "2.6"}
    monkeypatch.setattr(packages, "_requirements", lambda: texts)
    monkeypatch.setattr(packages, "installed", versions.get)
    found = packages.known_packages()
    assert [
        (extra, p["name"], p["module"], p["missing"]) for extra in found for p in found[extra]
    ] == [
        ("", "numpy", "numpy", False),
        ("torch", "torch", "torch", True),
        ("log", "tensorboardX", "tensorboardX", False),
        ("log", "wandb", "wandb", True),
    ]


def test_the_requirements_of_this_tree():
    """What is installed and what pyproject.toml says have the same extras."""
    found = packages.known_packages()
    assert {"", "torch", "atari", "log"} <= set(found)
    assert [p["name"] for p in found["torch"]] == ["torch"]
    assert not any(p["missing"] for p in found[""])
    assert packages.extra_command("log").endswith(("reactorrl[log]'", "[log]'"))
    assert sys.executable in packages.extra_command("log")


def test_an_environment_without_pip(monkeypatch):
    """As uv makes them: then uv installs."""
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    assert packages.install_command("a>=1") == f"uv pip install --python {sys.executable} 'a>=1'"
    monkeypatch.setattr(packages, "find_spec", lambda name: name)
    assert packages.install_command("a>=1") == f"{sys.executable} -m pip install 'a>=1'"


# -- the command


def results(names, error=None, culprits=()):
    return {
        name: {"error": error, "seconds": 0.1, "culprits": list(culprits), "facts": {}}
        for name in names
    }


@pytest.fixture
def quick(monkeypatch):
    """Nothing is imported, and the probe is short."""
    monkeypatch.setattr(doctor, "examine", results)
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.05)


def test_all_is_well(quick, capsys):
    """Status 0, a line on each subject, and the same facts as JSON."""
    assert __main__.main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.endswith("\nNothing is wrong.\n")
    names = [line[:12].strip() for line in text.splitlines()]
    for name in ("interpreter", "GIL", "processors", "workers", "required", "[log]"):
        assert names.count(name) == 1
    assert __main__.main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["problems"] == []
    assert facts["interpreter"]["version"].startswith(".".join(map(str, sys.version_info[:2])))
    assert facts["processors"]["usable"] == sorted(cpu for cpu, *_ in _core.topology())
    assert facts["workers"]["performance"] is None or len(facts["workers"]["performance"])


def test_what_is_missing_comes_with_the_command(quick, monkeypatch, capsys):
    """An extra that lacks something is no problem; a requirement is one."""
    texts = ["numpy>=99", "nosuch>=2", 'notthere>=1; extra == "viz"']
    monkeypatch.setattr(packages, "_requirements", lambda: texts)
    assert __main__.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("numpy is too old: ")
    assert lines[-1] == f"nosuch is missing: {packages.install_command('nosuch>=2')}"
    (viz,) = (line for line in lines if line.startswith("[viz]"))
    assert viz.split(None, 1)[1] == f"notthere is missing; {packages.extra_command('viz')}"


def test_a_package_that_turns_the_gil_on_is_a_problem(quick, monkeypatch, capsys):
    """Its import is told with the importer and with what to do."""
    culprit = {"module": "numpy._bad", "by": ["numpy:5"]}
    monkeypatch.setattr(packages, "_requirements", lambda: ["numpy"])
    monkeypatch.setattr(doctor, "examine", lambda names: results(names, culprits=[culprit]))
    assert __main__.main(["doctor"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "numpy: importing it turns the GIL on: numpy._bad (imported by numpy:5); do without it"
    )


def test_modules_of_ones_own(modules, capsys):
    """`--import` examines those alone; one that fails is a problem."""
    modules(mine="x = 1", broken="1 / 0")
    assert __main__.main(["doctor", "--import", "mine"]) == 0
    text = capsys.readouterr().out
    assert "processors" not in text
    assert "the GIL" in text
    assert __main__.main(["doctor", "--import", "mine", "--import", "broken"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "broken: importing it fails: ZeroDivisionError: division by zero"


@pytest.mark.skipif(not IS_FREE_THREADED, reason="needs a free-threaded interpreter")
def test_the_gil_that_was_asked_for(modules):
    """A free-threaded interpreter whose GIL is on is a problem, with the reason."""
    modules(mine="")
    command = [sys.executable, "-m", "reactorrl", "doctor", "--import", "mine"]
    environment = {**os.environ, "PYTHON_GIL": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert process.returncode == 1
    last = process.stdout.splitlines()[-1]
    assert last.startswith("GIL: the GIL of this free-threaded interpreter is on")
    assert last.endswith("PYTHON_GIL=1 or -X gil=1 asks for it; leave that out")


def test_ranges_of_processors():
    """As the kernel writes them."""
    assert doctor._ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"
    assert doctor._ranges([]) == ""
