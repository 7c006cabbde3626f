"""The command line that all families of benchmarks have."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from . import machine, peers
from .experiments import EXPERIMENTS
from .harness import FULL, QUICK, SMOKE, Case, Servers, Settings, measure
from .results import Results
from .samples import Measured
from .table import header, text_lines

BAR = "{desc:<28.28} {bar:24} {percentage:3.0f}%  {elapsed} done, {remaining} left"


def run(cases: Sequence[Case], settings: Settings, path: Path | None) -> Results:
    """Measures one case after the other and prints each as soon as it is known."""
    results = Results(machine.describe(), settings.mode, peers.describe())
    print(header(results.as_json()))
    servers, probe = Servers(), machine.Probe()
    bar = tqdm(
        total=sum(case.seconds for case in cases),
        bar_format=BAR,
        disable=not sys.stderr.isatty(),
        leave=False,
    )
    try:
        for case in cases:
            bar.set_description_str(case.name)
            measured = watched(case, settings, servers, probe, bar)
            entry = results.add(case, measured)
            bar.write("\n".join(text_lines(entry)))
            results.probe = probe.as_json()
            if path:
                path.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    finally:
        bar.close()
        servers.close()
        probe.close()
    return results


def watched(
    case: Case, settings: Settings, servers: Servers, probe: machine.Probe, bar: tqdm
) -> Measured:
    """One case, moving the bar between repetitions."""
    shown = bar.n
    for progress in measure(case, settings, servers, probe):
        if isinstance(progress, Measured):
            bar.update(shown + case.seconds - bar.n)
            return progress
        bar.update(shown + progress * case.seconds - bar.n)
    raise AssertionError("a case ended without a result")


def closing_lines(results: Results) -> list[str]:
    """Every goal that was missed or could not be tried, plainly."""
    findings = [(c["name"], f) for c in results.cases for f in c["findings"]]
    goals = [(n, f) for n, f in findings if f["at_most"] is not None or f["at_least"] is not None]
    reached = sum(f["reached"] is True for _, f in goals)
    lines = [f"{reached} of {len(goals)} goals reached"]
    lines += [f"  missed: {name}: {f['what']}" for name, f in goals if f["reached"] is False]
    lines += [f"  not measured: {name}: {f['what']}" for name, f in goals if f["reached"] is None]
    return lines


def is_complete(results: Results) -> bool:
    """Whether all of our own sides were measured."""
    return not any(
        label.startswith("reactorrl") for case in results.cases for label in case["missing"]
    )


def main(arguments: Sequence[str]) -> int:
    """Runs `reactorrl bench ARGUMENTS...` and returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="reactorrl bench",
        description="Measure on this machine, now, next to peers.",
        epilog="\n".join(f"  {e.name:<10} {e.question}" for e in EXPERIMENTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", choices=EXPERIMENTS)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="10 short repetitions")
    size.add_argument("--smoke", action="store_true", help="2 tiny repetitions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--only", action="append", default=[], metavar="CASE", help="repeatable")
    options = parser.parse_args(arguments)
    settings = SMOKE if options.smoke else QUICK if options.quick else FULL
    words = options.only
    cases = EXPERIMENTS[options.experiment].cases(settings)
    cases = [c for c in cases if not words or any(word in c.name for word in words)]
    if not cases:
        parser.error("no case has such a name")
    results = run(cases, settings, options.json)
    if settings is not SMOKE:
        print("\n".join(closing_lines(results)))
    return 0 if is_complete(results) else 1
