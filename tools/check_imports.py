"""Import every required package and fail loudly where one is missing or turns the GIL on.

Run by the environment's own Python: check_imports.py REQUIREMENTS
"""

import importlib
import importlib.metadata
import re
import sys
import warnings
from pathlib import Path

# Command-line tools: nothing here imports them.
TOOLS = {"clang-format", "cython-lint", "pip", "ruff"}


def required_distributions(requirements):
    """The names in a requirements file, without versions and markers."""
    lines = Path(requirements).read_text().splitlines()
    names = [re.match(r"[\w.-]+", line) for line in lines if not line.startswith(("#", "-"))]
    return [name.group().lower() for name in names if name]


def modules_by_distribution():
    """The public top-level modules of each installed distribution."""
    found = {}
    for module, owners in importlib.metadata.packages_distributions().items():
        for owner in owners:
            if not module.startswith("_"):
                found.setdefault(owner.lower().replace("_", "-"), set()).add(module)
    return found


def main(requirements, *absent):
    """Return the exit status; `absent` names distributions that could not be had."""
    warnings.filterwarnings("ignore", message="The global interpreter lock")
    modules = modules_by_distribution()
    for name in required_distributions(requirements):
        if name in TOOLS or name in absent:
            continue
        for module in sorted(modules.get(name, {name})):
            try:
                importlib.import_module(module)
            except ImportError as error:
                print(f"error: import {module} ({name}) fails: {error}")
                return 1
            if sys._is_gil_enabled():
                print(f"error: import {module} ({name}) turns the GIL on")
                return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
