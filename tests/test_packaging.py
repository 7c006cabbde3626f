"""What is shipped: an sdist of real files that builds, a wheel with nothing but the package."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import wheels

IGNORED = shutil.ignore_patterns(
    ".venv", ".git", "build", "dist", "*.so", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"
)
PROGRAM = """
import sys
import reactorrl as rr

heavy = {"numpy", "gymnasium", "torch"} & set(sys.modules)

class Main(rr.Reactor):
    tick = rr.Timer(0, rr.msec(1))

    @rr.reaction(tick)
    def count(self):
        self.n = getattr(self, "n", 0) + 1

report = rr.run(main := Main(), workers=2, fast=True, timeout=rr.msec(5))
print(rr.__file__, heavy, main.n, report.stop_tag.time)
"""

pytestmark = pytest.mark.skipif(
    not (wheels.ROOT / "setup.py").exists(), reason="the sources are not here"
)


def built(kind, tree, out):
    """What setuptools makes of a tree, as `python -m build --no-isolation` would have it."""
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run(
        [sys.executable, "-c", code, out],
        cwd=tree, env=environment, check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    (made,) = Path(out).iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of a copy of the tree, links and all, and where it was made."""
    folder = tmp_path_factory.mktemp("sdist")
    shutil.copytree(wheels.ROOT, folder / "tree", symlinks=True, ignore=IGNORED)
    return built("sdist", folder / "tree", folder / "out")


def test_the_sdist_has_the_sources(sdist):
    """Every C file, the Cython sources, the tests; no link, nothing that was built."""
    assert wheels.sdist_problems(sdist) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_wheel_comes_from_the_sdist_alone(sdist, tmp_path):
    """It has the package and its types, requires nothing heavy, and runs."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    wheel = built("wheel", source, tmp_path / "out")
    assert wheels.wheel_problems(wheel) == []
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel]
    subprocess.run(pip, check=True, timeout=120)
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(site)},
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert program.stdout.split() == [str(site / "reactorrl/__init__.py"), "set()", "6", "5000000"]
