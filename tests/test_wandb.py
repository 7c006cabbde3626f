"""`--track` with the real wandb, which writes a run without a network and without an account."""

import csv
import importlib.util
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

if importlib.util.find_spec("wandb") is None:
    pytest.skip("wandb is not installed", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 240
pytestmark = pytest.mark.timeout(SECONDS + 60)
HEADER, BLOCK = 7, 2**15  # bytes of a wandb file; of a block in the log format of LevelDB


SCRIPT = """
import sys
from pathlib import Path
from reactorrl.__main__ import main

few = ["--num-envs", "2", "--num-steps", "32", "--eval-episodes", "1", "--total-timesteps", "256"]
track = ["train", "ppo", "--track", "--wandb-project-name", "walks"]
status = main([*track, *few])
(run,) = Path("runs").iterdir()
sys.exit(status or main([*track, "--resume", str(run), "--total-timesteps", "512"]))
"""


def records(path):
    """What wandb wrote, in order."""
    from wandb.proto import wandb_internal_pb2 as pb  # not while tests are collected: it is large

    data = path.read_bytes()
    found, parts, at = [], b"", HEADER
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:  # too little room for another record: padding
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        parts += data[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = pb.Record()
            record.ParseFromString(parts)
            found.append(record)
            parts = b""
    return found


def test_a_tracked_run_has_the_scalars_of_the_log_and_goes_on_under_its_name(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("WANDB")},
            "PYTHONPATH": str(ROOT),
            "WANDB_MODE": "offline",
            "WANDB_CACHE_DIR": str(tmp_path / "cache"),
            "WANDB_CONFIG_DIR": str(tmp_path / "config"),
            "WANDB_DATA_DIR": str(tmp_path / "data"),
        },
    )
    assert ended.returncode == 0, ended.stderr
    (run,) = (tmp_path / "runs").iterdir()
    files = sorted(run.glob(f"wandb/offline-run-*/run-{run.name}.wandb"))
    assert len(files) == 2
    tracked = set()
    for file in files:
        found = records(file)
        (about,) = (record.run for record in found if record.HasField("run"))
        assert (about.project, about.run_id, about.display_name) == ("walks", run.name, run.name)
        config = {item.key: json.loads(item.value_json) for item in about.config.update}
        assert config["num_steps"] == 32
        for record in found:
            if record.HasField("history"):
                items = record.history.item
                row = {item.nested_key[0]: json.loads(item.value_json) for item in items}
                step = row["global_step"]
                tracked |= {(step, name) for name in row if "/" in name}
    with (run / "progress.csv").open() as log:
        logged = {(int(row["global_step"]), row["name"]) for row in csv.DictReader(log)}
    assert len(logged) > 20
    assert tracked == logged
