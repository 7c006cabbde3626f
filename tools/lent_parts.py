"""A C++ compiler and zlib's headers for one build: the machine's own, or lent by Debian.

What is lent is unpacked into the build's temporary folder; nothing is installed on the system.
"""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from registries import Unavailable, fetch_debs, run, say

INCLUDE_ZLIB = ["-fsyntax-only", "-include", "zlib.h", "-xc++", os.devnull]


def own_cxx():
    """The machine's own C++ compiler, or an empty string."""
    return os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or ""


def cxx(work):
    """A C++ compiler; one is lent only beside a gcc, whose other parts it uses."""
    if own_cxx():
        return own_cxx()
    say("no C++ compiler here; lending Debian's to this build")
    what = "no C++ compiler; install one (Debian: g++) and run make env again"
    start = Path(run(["gcc", "-print-file-name=crtbegin.o"], what=what).strip())
    machine = run(["gcc", "-dumpmachine"], what=what).strip()
    version = start.parent.name
    package = f"g++-{version}"
    library = f"libstdc++-{version}-dev"
    try:
        try:
            fetch_debs([f"{package}-{machine.replace('_', '-')}", library], work / "since-trixie")
        except Unavailable:
            fetch_debs([package, library], work / "before-trixie")
        compiler = next(work.glob(f"*-trixie/root/usr/bin/{machine}-{package}"))
    except (Unavailable, StopIteration) as error:
        raise Unavailable(what) from error
    script = work / "c++"
    command = shlex.join([str(compiler), f"-B{start.parent}"])
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    return str(script)


def has_zlib_headers(compiler):
    """Whether `compiler` finds zlib.h."""
    command = [*shlex.split(compiler), *INCLUDE_ZLIB]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def zlib_settings(compiler, work):
    """CMake's settings for zlib: none, or those of lent headers and the zlib that is there."""
    if has_zlib_headers(compiler):
        return []
    say("no zlib headers here; lending Debian's to this build")
    libraries = glob.glob("/usr/lib/*/libz.so.1") + glob.glob("/lib/*/libz.so.1")
    try:
        fetch_debs(["zlib1g-dev"], work / "zlib")
        library = libraries[0]
    except (Unavailable, IndexError) as error:
        raise Unavailable(
            "no zlib headers; install them (Debian: zlib1g-dev) and run make env again"
        ) from error
    include = work / "zlib/root/usr/include"
    for header in include.glob("*/zconf.h"):
        shutil.copy(header, include)
    return [f"-DZLIB_INCLUDE_DIR={include}", f"-DZLIB_LIBRARY={library}"]
