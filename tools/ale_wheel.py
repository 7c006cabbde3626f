"""Build the ale-py wheel, which has no free-threaded wheel on PyPI, once per machine and version.

Its source distribution builds in about a minute and keeps the GIL off. Display, sound and the
vector library are left out: they need SDL and OpenCV, which free-threaded Python does not have.
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from lent_parts import cxx, has_zlib_headers, own_cxx, zlib_settings
from registries import cache_dir, clean_environ, run, say, scratch_dir, uv

BUILD_REQUIREMENTS = Path(__file__).with_name("requirements-ale.txt")
LEFT_OUT = (
    "-DSDL_SUPPORT=OFF",
    "-DSDL_DYNLOAD=OFF",
    "-DBUILD_CPP_LIB=OFF",
    "-DBUILD_VECTOR_LIB=OFF",
    "-DBUILD_VECTOR_XLA_LIB=OFF",
)


def provide_ale_wheel(requirement, interpreter):
    """The wheel of `requirement` (ale-py==X) for `interpreter`."""
    home = cache_dir() / "wheels" / _key(requirement, interpreter)
    if not list(home.glob("*.whl")):
        say(f"building {requirement} (about a minute, only once)")
        with scratch_dir() as work:
            _build(requirement, interpreter, work)
            shutil.rmtree(home, ignore_errors=True)
            home.parent.mkdir(exist_ok=True)
            os.replace(work / "wheel", home)
    return next(home.glob("*.whl"))


def can_build():
    """What decides here whether the wheel builds: asked again only when this answer changes."""
    compiler = own_cxx()
    return [compiler, bool(compiler) and has_zlib_headers(compiler)]


def _key(requirement, interpreter):
    libc = "".join(platform.libc_ver())
    return "-".join([requirement.replace("==", "-"), interpreter.soabi, interpreter.platform, libc])


def _build(requirement, interpreter, work):
    compiler = cxx(work)
    python = work / "venv/bin/python"
    uv("venv", "--python", interpreter.path, work / "venv", what="the build environment")
    uv(
        *("pip", "install", "--python", python, "--only-binary=:all:", "-r", BUILD_REQUIREMENTS),
        what="the build tools could not be installed",
    )
    settings = ";".join([*LEFT_OUT, *zlib_settings(compiler, work)])
    run(
        [
            *(python, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"),
            *("--no-build-isolation", "--no-binary=ale-py", f"-Ccmake.args={settings}"),
            *("--wheel-dir", work / "wheel", requirement),
        ],
        what="its build failed",
        env=clean_environ(PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}", CXX=compiler),
    )
