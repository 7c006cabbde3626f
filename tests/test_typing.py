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
APART = {"atari", "bench", "demo", "doctor", "film", "rl", "testing", "vector", "make_vec"}
"""What is built on the runtime, some of it on libraries without types."""
PROGRAM = Path(__file__).with_name("typing_use.py")

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


def test_a_strict_checker_understands_a_users_program(tmp_path):
    """No complaint about a program that uses everything, and every type is what is asserted."""
    settings = {
        "include": [PROGRAM.name],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    shutil.copy(PROGRAM, tmp_path)
    found = pyright("-p", str(tmp_path), cwd=tmp_path)
    complaints = [
        f"{each['range']['start']['line'] + 1}: {each['message']}"
        for each in found["generalDiagnostics"]
    ]
    assert complaints == []
    assert found["summary"]["filesAnalyzed"] == 1
    assert len(re.findall(r"\bassert_type\(", PROGRAM.read_text())) > 50


def test_every_name_of_the_runtime_has_a_type(tmp_path, monkeypatch):
    """What `import reactorrl` offers, and all that it leads to, is annotated throughout."""
    # Beside nothing else: pyright does not follow how a package is installed for development.
    (tmp_path / "reactorrl").symlink_to(ROOT / "reactorrl")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = pyright("--verifytypes", "reactorrl", "--ignoreexternal", cwd=tmp_path)
    report = found["typeCompleteness"]
    names = [symbol["name"].split(".") for symbol in report["symbols"]]
    unknown = [
        (symbol["name"], *(each["message"] for each in symbol["diagnostics"]))
        for symbol, name in zip(report["symbols"], names, strict=True)
        if symbol["isExported"] and not symbol["isTypeKnown"] and name[1] not in APART
    ]
    assert unknown == []
    assert sum(name[0] == "reactorrl" and name[1] not in APART for name in names) > 300
