"""What a type checker makes of the public interface; pyright, if the environment has it."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDED = {"atari": "ale_py", "rl": "torch"}
"""By package, what its types are made of and not every environment has."""
APART = {"bench", *(name for name, module in NEEDED.items() if util.find_spec(module) is None)}
"""Not looked at: the benchmarks, which are programs, and what cannot be."""
BASELESS = {
    "reactorrl.rl.TrafficJunction",
    "reactorrl.rl.traffic.TrafficJunction",
    "reactorrl.vector.sb3.Sb3VecEnv",
}
"""Derived from classes without types: PettingZoo promises none, Stable-Baselines3 is not there.
Their own attributes and methods are looked at like all others."""
PROGRAMS = ("typing_use.py", "typing_use_rl.py")

if util.find_spec("pyright") is None:
    pytest.skip("no pyright", allow_module_level=True)


def pyright(*arguments, cwd):
    """Its output as JSON; what it needs is installed with it."""
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    process = subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )
    return json.loads(process.stdout)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_strict_checker_understands_a_users_program(tmp_path, name):
    """No complaint about a program that uses everything, and every type is what is asserted."""
    if name == "typing_use_rl.py" and APART & set(NEEDED):
        pytest.skip("needs torch and ale-py")
    program = Path(__file__).with_name(name)
    settings = {
        "include": [name],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    shutil.copy(program, tmp_path)
    found = pyright("-p", str(tmp_path), cwd=tmp_path)
    complaints = [
        f"{each['range']['start']['line'] + 1}: {each['message']}"
        for each in found["generalDiagnostics"]
    ]
    assert complaints == []
    assert found["summary"]["filesAnalyzed"] == 1
    assert len(re.findall(r"\bassert_type\(", program.read_text())) > 50


def test_every_public_name_has_a_type(tmp_path, monkeypatch):
    """What the package offers, and all that it leads to, is annotated throughout."""
    # Beside nothing else: pyright does not follow how a package is installed for development.
    (tmp_path / "reactorrl").symlink_to(ROOT / "reactorrl")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # Here pyright asks the first python3 on the path for packages, whatever --pythonpath says.
    interpreters = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    monkeypatch.setenv("PATH", interpreters)
    found = pyright("--verifytypes", "reactorrl", "--ignoreexternal", cwd=tmp_path)
    report = found["typeCompleteness"]
    names = [symbol["name"].split(".") for symbol in report["symbols"]]
    unknown = [
        (symbol["name"], *(each["message"] for each in symbol["diagnostics"]))
        for symbol, name in zip(report["symbols"], names, strict=True)
        if symbol["isExported"]
        and not symbol["isTypeKnown"]
        and name[1] not in APART
        and symbol["name"] not in BASELESS
    ]
    assert unknown == []
    assert sum(name[0] == "reactorrl" and name[1] not in APART for name in names) > 1000
