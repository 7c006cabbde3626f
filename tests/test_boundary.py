"""The borders that a script can check: layers, the mirror of rrl.h, errors, breadcrumbs."""

import ast
import builtins
import inspect
import re
from pathlib import Path

import pytest

from reactorrl import errors

ROOT = Path(__file__).resolve().parents[1]
CSRC = sorted((ROOT / "csrc").rglob("*.[ch]"))
PACKAGE = ROOT / "reactorrl"
HEADER = ROOT / "csrc" / "rrl.h"
MIRROR = PACKAGE / "_rrl.pxd"
CORE = PACKAGE / "_core.pyx"
PARTS = [CORE, *sorted(PACKAGE.glob("_*.pxi"))]
"""The one module of the binding: what it includes is in files of its own."""
APPLICATIONS = {"demo.py", "__main__.py", "graph_command.py"}
"""Modules of the package that are programs of their own: they may import everything."""

pytestmark = pytest.mark.skipif(not CSRC, reason="the sources are not here")


def c_code(path):
    """The file without comments."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(), flags=re.DOTALL)


def cython_code(path):
    """The file without comments and docstrings."""
    return re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)


def where(pattern, paths, read=c_code):
    """The names of the files whose code has the pattern."""
    return {path.name for path in paths if re.search(pattern, read(path))}


# -- what may be where


def test_the_core_knows_nothing_of_python():
    """No file under csrc/ includes Python.h or names a PyObject."""
    assert where(r"Python\.h|\bPy_?[A-Z]\w+", CSRC) == set()


def test_atomics_are_in_one_header():
    """Only atomic.h includes <stdatomic.h>; orders lie on operations: no fence, no volatile."""
    assert where(r"stdatomic\.h", CSRC) == {"atomic.h"}
    assert where(r"\bvolatile\b|atomic_thread_fence|__sync_|\bseq_cst\b", CSRC) == set()


def test_memory_comes_from_one_header():
    """Only memory.h allocates and frees, so that a test can refuse any allocation of the core."""
    assert where(r"(?<![\w>.])(malloc|calloc|realloc|aligned_alloc|free)\((?!\)|\*)", CSRC) == {
        "memory.h"
    }


def test_the_operating_system_is_in_two_files():
    """System calls, pthreads and #ifdef __linux__ are in platform_linux.c and topology.c only."""
    assert where(
        r"\bpthread_|\bsched_|ifdef\s+__linux__|defined\(__linux__\)|\bsyscall\(", CSRC
    ) <= {
        "platform_linux.c",
        "topology.c",
    }


def test_the_core_has_no_globals():
    """No mutable variable at file scope, no output, no exit outside of assert.h.

    What test builds alone have does not count.
    """
    mutable = (
        r"^(?:static\s+)?(?!const\b|typedef\b|struct\b|enum\b|return\b|_Static)"
        r"[a-z_]\w*[\s*]+\w+(?:\[[^\]]*\])?\s*(?:=[^;]*)?;"
    )
    found = {}
    for path in CSRC:
        if path.suffix == ".c":
            code = re.sub(r"#ifdef RRL_TEST_\w+\n.*?#endif", "", c_code(path), flags=re.DOTALL)
            lines = re.findall(mutable, code, flags=re.MULTILINE)
            if lines:
                found[path.name] = lines
    assert found == {}
    assert where(r"\bprintf\(|\bexit\(|\babort\(", CSRC) <= {"assert.h"}


def test_only_the_binding_sees_the_core():
    """_rrl is cimported by _core, and by nothing else."""
    users = where(r"cimport\s+_rrl|_rrl\s+cimport", PACKAGE.rglob("*.p[yx]*"), cython_code)
    assert users == {"_core.pyx", "_core.pxd"}
    included = re.findall(r'^include "(.*)"$', CORE.read_text(), flags=re.MULTILINE)
    assert sorted(included) == [path.name for path in PARTS[1:]]


def imported(path):
    """Every module that a file imports, in full."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "reactorrl" if node.level else ""
            module = ".".join(filter(None, (package, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_reactors_do_not_know_reinforcement_learning():
    """No module of reactorrl/ imports reactorrl.rl, except the programs."""
    users = {
        path.name
        for path in PACKAGE.glob("*.py")
        if any(
            name == "reactorrl.rl" or name.startswith("reactorrl.rl.") for name in imported(path)
        )
    }
    assert users <= APPLICATIONS


def test_programs_do_not_know_their_tests():
    """No module of reactorrl/ or reactorrl/rl/ imports reactorrl.testing."""
    modules = [*PACKAGE.glob("*.py"), *PACKAGE.glob("rl/*.py")]
    assert len(modules) > 30
    users = {
        path.name
        for path in modules
        if any(name.startswith("reactorrl.testing") for name in imported(path))
    }
    assert users <= {"__init__.py"}  # for type checkers; imported when it is first asked for


def test_the_lower_layers_of_the_package_do_not_look_up():
    """time, errors and elements import nothing of the layers above them."""
    above = {"reactor", "program", "assembly", "bank", "tree", "plan"}
    for name in ("time.py", "errors.py", "elements.py"):
        users = {
            module.split(".")[1]
            for module in imported(PACKAGE / name)
            if module.startswith("reactorrl.")
        }
        assert not users & above, name


# -- the mirror


def functions(code):
    """{name: (return type, parameters)} of every rrl_ prototype, without spaces."""
    found = {}
    for returned, name, parameters in re.findall(
        r"([\w *]+?)\b(rrl_[a-z0-9_]+)\s*\(([^()]*)\)", code
    ):
        parts = [
            re.sub(r"\s+", "", text) for text in (returned.strip().split("\n")[-1], parameters)
        ]
        found[name] = tuple("" if part == "void" and i else part for i, part in enumerate(parts))
    return found


def header_code():
    return re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", "", c_code(HEADER), flags=re.MULTILINE)


def mirror_code():
    return cython_code(MIRROR).replace("bint", "bool").replace(" noexcept", "")


def test_every_function_is_mirrored():
    """The functions of rrl.h and of _rrl.pxd are the same, with the same parameters."""
    assert functions(mirror_code()) == functions(header_code())
    assert len(functions(header_code())) > 40


def enumerators(path):
    code = c_code(path)
    names = set(re.findall(r"X\((RRL_\w+),", code))
    for body in re.findall(r"typedef enum \w+ \{(.*?)\}", code, flags=re.DOTALL):
        names |= set(re.findall(r"\b(RRL_[A-Z_]+)\b", re.sub(r"#[^\n]*", "", body)))
    names |= set(re.findall(r"#define (RRL_[A-Z_]+) \S", code))
    return names - {"RRL_STATUS_MAP", "RRL_STATUS_ENUM"}


def test_every_constant_is_mirrored():
    """Enumerators and constants of rrl.h are all in the mirror, and the reverse."""
    assert set(re.findall(r"\bRRL_[A-Z_]+\b", mirror_code())) == enumerators(HEADER)


def members(body):
    """Names of a struct's members, function pointers too, in order."""
    names = []
    for statement in re.split(r"[;\n]", body):
        pointer = re.search(r"\(\*(\w+)\)", statement)
        if pointer:
            names.append(pointer[1])
        elif statement.strip() and statement.strip() != "pass":
            first, *more = statement.split(",")
            names += [re.findall(r"\w+", part)[-1] for part in (first, *more)]
    return names


def test_every_struct_is_mirrored():
    """Members have the same names and order; opaque types are opaque in both."""
    in_c = {
        name: members(re.sub(r"\s*\n\s*(?=[^;{}]*\))", " ", body))
        for body, name in re.findall(
            r"typedef struct \w+ \{(.*?)\} (\w+);", header_code(), flags=re.DOTALL
        )
    }
    opaque = {name for _, name in re.findall(r"typedef struct (\w+) (\w+);", header_code())}
    in_cython = {
        name: members(re.sub(r",\s*\n\s*", ", ", body))
        for name, body in re.findall(
            r"ctypedef struct (\w+):\n((?: {8,}[^\n]*\n|\n)+)", mirror_code() + "\n"
        )
    }
    assert {name for name, names in in_cython.items() if not names} == opaque
    assert {name: names for name, names in in_cython.items() if names} == in_c


# -- errors


STATUS = re.findall(
    r'X\((RRL_\w+),\s*(-?\d+),\s*"([^"]+)",\s*"(\w*)"\)',
    HEADER.read_text().replace("\\\n", " ") if CSRC else "",
)
WITHOUT_STATUS = {
    "ReactorError",
    "AssemblyError",
    "AssemblyValueError",
    "CausalityLoopValueError",
    "AbsentError",
    "RecordingError",
}
"""Raised by Python alone: the base, what the assembly finds, absence, and files."""


def test_every_error_status_has_a_class_and_the_reverse():
    """Errors are negative and map to an exception; ordinary outcomes map to nothing."""
    own = {
        name: cls
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, Exception) and cls.__module__ == errors.__name__
    }
    assert len(STATUS) == len({value for _, value, *_ in STATUS}) >= 16
    for name, value, text, exception in STATUS:
        assert (int(value) < 0) == name.startswith("RRL_E_") == bool(exception), name
        assert text
        if exception:
            assert exception in own or issubclass(getattr(builtins, exception), Exception), name
    mapped = {exception for *_, exception in STATUS}
    assert set(own) - mapped == WITHOUT_STATUS
    assert all(issubclass(cls, errors.ReactorError) for cls in own.values())


# -- the binding


def test_the_binding_is_thin():
    """A part longer than 400 lines has taken in something from above or from below."""
    lengths = {path.name: len(path.read_text().splitlines()) for path in PARTS}
    assert max(lengths.values()) <= 400, lengths
    assert sum(lengths.values()) <= 1100, lengths


PYTHON_TYPES = {"object", "tuple", "list", "dict", "str", "bytes", "set", "type"}


@pytest.mark.parametrize("name", [*(path.name for path in PARTS), "_core.pxd"])
def test_every_cdef_function_states_its_exception_contract(name):
    """A cdef function that returns a C type says `except` or `noexcept`."""
    code = cython_code(PACKAGE / name)
    if name.endswith(".pxd"):  # of the types' own methods; the header's functions are C
        code = "\n".join(
            re.findall(r"^cdef class .*?(?=^\S|\Z)", code, flags=re.MULTILINE | re.DOTALL)
        )
    silent = []
    for returned, function, rest in re.findall(
        r"^[ ]*cdef (?!class )(?:inline )?([\w. *]*?[ *])(\w+)\([^()]*\)([^\n]*)",
        code,
        flags=re.MULTILINE,
    ):
        kind = returned.strip()
        is_python = kind in PYTHON_TYPES or re.fullmatch(r"_?[A-Z][a-z]\w*", kind)
        if not is_python and "except" not in rest:
            silent.append(f"{kind} {function}")
    assert silent == []


def test_the_extension_says_that_it_needs_no_gil():
    """_core is declared compatible with free-threading, in its first lines."""
    assert re.search(
        r"freethreading_compatible\s*=\s*True", "\n".join(CORE.read_text().splitlines()[:5])
    )


# -- documents


def test_each_stop_of_an_event_is_marked_once():
    """`event path k/10` stands once for each k, where ARCHITECTURE.md says."""
    found = []
    for path in [*CSRC, *PACKAGE.glob("*.py"), *PACKAGE.glob("*.p[yx][xi]"), *PACKAGE.glob("*.h")]:
        found += [(int(k), path.name) for k in re.findall(r"event path (\d+)/10", path.read_text())]
    assert [k for k, _ in sorted(found)] == list(range(1, 11)), sorted(found)


def test_the_architecture_names_the_files_of_the_ten_stops():
    """The table of stops tells the file in which each breadcrumb lies."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for path in [*CSRC, *PACKAGE.glob("*.py"), *PARTS]:
        for k in re.findall(r"event path (\d+)/10", path.read_text()):
            row = [line for line in text.splitlines() if re.match(rf"\|\s*{k}\s*\|", line)]
            assert row, f"no row for stop {k}"
            assert any(path.name in line for line in row), (k, path.name, row)


def test_the_readme_names_the_two_commands():
    """A new user needs `make demo` and `make test`, and finds them."""
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text
