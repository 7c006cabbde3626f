"""What a figure was measured on: processors and how they stand to each other, load, versions."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

from .registries import cache_dir
from .serve import gil_enabled
from .stopwatch import stolen_ticks

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path(__file__).with_name("roundtrip.c")
VERSIONS = ("reactorrl", "numpy", "cython", "torch", "gymnasium")

FAR_NS = 200  # of round trip; seen: 50 to 100 within one cache, 340 and more between two
SHARED_CORE = 1.35  # slow-down by a sibling; cores of their own stay at 1.0


def usable_cpus() -> list[int]:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cpu_seconds() -> tuple[float, float]:
    """Busy and total processor seconds of the whole machine since it started; zeros if unknown."""
    try:
        with open("/proc/stat") as stat:
            ticks = [int(field) for field in stat.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0.0, 0.0
    hertz = os.sysconf("SC_CLK_TCK")
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle - ticks[7]) / hertz, sum(ticks) / hertz


class Probe:
    """Asks again and again how the first two usable processors stand to each other."""

    def __init__(self) -> None:
        self.cpus = usable_cpus()[:2]
        self.reason = ""
        self.seen: list[tuple[float, float]] = []
        self._process: subprocess.Popen[str] | None = None
        if len(self.cpus) < 2:
            self.reason = "one processor"
            return
        try:
            program = self._built()
        except (OSError, subprocess.CalledProcessError) as error:
            self.reason = f"no C compiler, or it failed: {error}"
            return
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @staticmethod
    def _built() -> Path:
        """The compiled probe, kept under its source's hash."""
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise FileNotFoundError("cc")
        digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
        target = cache_dir() / "probe" / f"roundtrip-{digest}-{platform.machine()}"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            built = target.with_suffix(f".{os.getpid()}")
            command = [compiler, "-std=c11", "-O2", "-pthread", str(SOURCE), "-o", str(built)]
            subprocess.run(command, check=True, capture_output=True)
            built.replace(target)
        return target

    def kind(self) -> str:
        """`near` (one cache), `far`, `smt` (one core), or `unknown`."""
        if self._process is None:
            return "unknown"
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write("{} {}\n".format(*self.cpus))
            self._process.stdin.flush()
            trip, slow_down = map(float, self._process.stdout.readline().split())
        except (OSError, ValueError):
            self.reason = "the probe ended"
            self._process = None
            return "unknown"
        self.seen.append((trip, slow_down))
        if slow_down > SHARED_CORE:
            return "smt"
        return "far" if trip > FAR_NS else "near"

    def close(self) -> None:
        """Ends the probe's process."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait(10)
            self._process = None

    def as_json(self) -> dict[str, Any]:
        """The spread of everything seen."""
        if not self.seen:
            return {"missing": self.reason}
        trips = sorted(trip for trip, _ in self.seen)
        slow_downs = sorted(slow_down for _, slow_down in self.seen)
        return {
            "cpus": self.cpus,
            "probes": len(trips),
            "round_trip_ns": {
                "low": trips[0],
                "median": trips[len(trips) // 2],
                "high": trips[-1],
            },
            "slow_down": {"median": slow_downs[len(slow_downs) // 2], "high": slow_downs[-1]},
        }


def usual(kinds: list[str]) -> str:
    """`near`, or `near 14, far 1` where they differ."""
    counts = Counter(kinds).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return ", ".join(f"{kind} {count}" for kind, count in counts)


def processor() -> str:
    """The processor's model, as the kernel names it."""
    try:
        with open("/proc/cpuinfo") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def identity() -> str:
    """The same for two runs on one machine, and tells nothing else about it."""
    parts = [processor(), str(os.cpu_count()), platform.machine()]
    for name in ("/etc/machine-id", "/proc/sys/kernel/osrelease"):
        try:
            parts.append(Path(name).read_text().strip())
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def commit() -> str:
    """The commit measured, with `+` when the working tree differs from it."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    if not (ROOT / ".git").exists():
        return "unknown"  # installed, perhaps below another project's checkout
    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions() -> dict[str, str]:
    """Of the packages that matter and are there."""
    found = {}
    for name in VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """Everything that does not change during a run, and the load at its start."""
    return {
        "identity": identity(),
        "processor": processor(),
        "cpus": len(usable_cpus()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "compiler": platform.python_compiler(),
        "free_threaded": "free-threading" in sys.version,
        "gil": gil_enabled(),
        "versions": versions(),
        "commit": commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "steal_s": steal_seconds(),
    }


def steal_seconds() -> float:
    """Processor seconds that the hypervisor gave to others since the machine started."""
    return stolen_ticks() / os.sysconf("SC_CLK_TCK")
