"""Runs small scripts in processes of their own, each with a time limit."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

SECONDS = 60
ROOT = Path(__file__).resolve().parents[1]

HEADER = """
import os, signal, sys, threading, time
import reactorrl as rr

def say(text):
    os.write(1, (text + "\\n").encode())
"""


class Script:
    """A running script; leaving the block ends it if it is still there."""

    def __init__(self, body, *options):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self.process = subprocess.Popen(
            [sys.executable, *options, "-c", HEADER + textwrap.dedent(body)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, start_new_session=True,
        )  # fmt: skip
        self.lines = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def expect(self, line):
        """Reads up to this line; the hang watchdog bounds the wait."""
        while line not in self.lines:
            text = self.process.stdout.readline()
            assert text, (
                f"the script ended without {line!r}: {self.lines}, {self.process.stderr.read()}"
            )
            self.lines.append(text.rstrip("\n"))

    def interrupt(self, number=signal.SIGINT):
        os.kill(self.process.pid, number)

    def interrupt_until_it_ends(self, seconds=3.0):
        """Sends SIGINT again and again, as an impatient user does; how often."""
        for n in range(1, SECONDS + 1):
            self.interrupt()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return n
        raise AssertionError("the script does not end")

    def end(self):
        """(exit code, lines of stdout, stderr) once it has ended."""
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, [*self.lines, *out.splitlines()], err


def run_script(body, *options):
    with Script(body, *options) as script:
        return script.end()
