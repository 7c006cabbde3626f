"""Packages that reactorrl needs or can use: which are there, and how to get the others."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DISTRIBUTION = "reactorrl"
NOT_FOR_USERS = ("dev",)
# Where a module is not called as its distribution in lower case, with underscores.
_MODULES = {"tensorboardX": "tensorboardX", "pillow": "PIL"}

_REQUIREMENT = re.compile(
    r"(?P<name>[\w.-]+)\s*(?:>=\s*(?P<least>[\w.]+))?.*?(?:extra\s*==\s*['\"](?P<extra>[\w-]+))?['\"]?$"
)


def known_packages() -> dict[str, list[dict[str, Any]]]:
    """What is required, under `""`, and what each extra brings.

    Returns:
        For each package `name`, `module`, `least` (the lowest version that will do), `version`
        (`None` if it is not installed) and `missing`: whether it is not there, or too old.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for text in _requirements():
        match = _REQUIREMENT.match(text)
        if match is None or match["extra"] in NOT_FOR_USERS:
            continue
        name, least, version = match["name"], match["least"] or "0", installed(match["name"])
        found.setdefault(match["extra"] or "", []).append(
            {
                "name": name,
                "module": _MODULES.get(name, name.lower().replace("-", "_")),
                "least": least,
                "version": version,
                "missing": version is None or _numbers(version) < _numbers(least),
            }
        )
    return found


def extra_command(extra: str) -> str:
    """The command that installs an extra into this very environment."""
    return install_command(f"{DISTRIBUTION}[{extra}]" if _distribution() else f"{_tree()}[{extra}]")


def install_command(requirement: str) -> str:
    """The command that installs something into this very environment, which may have no pip."""
    python = shlex.quote(sys.executable)
    pip = f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
    return f"{pip} {shlex.quote(requirement)}"


def installed(name: str) -> str | None:
    """The version of a distribution, or `None`."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _distribution() -> metadata.Distribution | None:
    try:
        return metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def _tree() -> Path:
    """Where the sources are, if this runs from them."""
    return Path(__file__).resolve().parents[2]


def _requirements() -> list[str]:
    distribution = _distribution()
    if distribution is not None:
        return distribution.requires or []
    try:
        project = tomllib.loads((_tree() / "pyproject.toml").read_text())["project"]
    except (OSError, KeyError):
        return []
    extras = project["optional-dependencies"].items()
    return project["dependencies"] + [
        f'{text}; extra == "{extra}"' for extra, texts in extras for text in texts
    ]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
