"""Learning results, one row for each experiment: ours, the published or exact figure, the bar.

    python -m bench.learning                      everything
    python -m bench.learning tabular              one group
    python -m bench.learning --quick              the short cases, with one seed
    python -m bench.learning --only q-Taxi        the cases whose names contain this
    python -m bench.learning --json FILE          also write the results
    python -m bench.learning --markdown FILE      also write the table

Returns 1 if a bar is missed.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .. import machine
from . import deep, multiagent, tabular
from .case import Case, Finding, markdown

GROUPS = {"tabular": tabular.CASES, "deep": deep.CASES, "multiagent": multiagent.CASES}


def chosen_cases(groups: Sequence[str], only: Sequence[str], *, is_quick: bool) -> list[Case]:
    """The cases asked for; in quick mode only the short ones, with their first seed."""
    every = [case for group in groups or GROUPS for case in GROUPS[group]]
    if is_quick:
        every = [replace(case, seeds=case.seeds[:1]) for case in every if case.is_quick]
    return [case for case in every if not only or any(word in case.name for word in only)]


def run(case: Case) -> Finding:
    """Train with every seed, saying how it goes."""
    outcomes = []
    for seed in case.seeds:
        outcome = case.train(seed)
        outcomes.append(outcome)
        print(
            f"{case.name} seed {seed}: {outcome.value:.4f} after {outcome.env_steps:,} env steps,"
            f" {outcome.wall_time_s:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    return Finding(case, outcomes)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)}; all if none is named")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args(arguments)
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    cases = chosen_cases(options.groups, options.only, is_quick=options.quick)
    if not cases:
        parser.error("no case has such a name")

    description = machine.describe()
    findings = []
    for case in cases:
        findings.append(run(case))
        if options.json:  # after every case, as a long run may be cut off
            results = {"machine": description, "findings": [f.as_json() for f in findings]}
            options.json.write_text(json.dumps(results, indent=1) + "\n")
    table = markdown(findings)
    print(table)
    if options.markdown:
        options.markdown.write_text(table + "\n")
    return 0 if all(finding.reached for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
