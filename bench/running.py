"""Runs an experiment: one case after the other, with a bar, and results kept after each."""

import time
from collections.abc import Callable, Sequence

from tqdm.auto import tqdm

from . import machine
from .experiments import Experiment
from .harness import Case, Servers, Settings, measure
from .results import Results
from .samples import Measured

FORMAT = "{desc:<28.28} {bar} {percentage:3.0f}%  {elapsed} done, {remaining} left"


class Bar(tqdm):
    """Without the thread that tqdm would leave behind; every update looks at the clock instead."""

    monitor_interval = 0


class Progress:
    """A bar over everything that is going to be measured, whatever experiment it belongs to.

    `written` shows text above it, if it is shown.
    """

    def __init__(self, cases: Sequence[Case], *, shown: bool) -> None:
        self._bar = Bar(
            total=sum(case.seconds for case in cases),
            bar_format=FORMAT,
            ncols=100,
            smoothing=0,
            miniters=0,
            disable=not shown,
            leave=False,
        )
        self._before = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def begin(self, case: Case) -> None:
        """Names the case that is measured now."""
        self._bar.set_description_str(case.name)

    def move(self, case: Case, share: float) -> None:
        """So much of the case is done."""
        self._bar.update(self._before + share * case.seconds - self._bar.n)

    def end(self, case: Case) -> None:
        """The case is done."""
        self.move(case, 1)
        self._before += case.seconds

    def write(self, text: str) -> None:
        """Shows text above the bar."""
        self._bar.write(text)


def run(
    experiment: Experiment,
    cases: Sequence[Case],
    settings: Settings,
    bar: Progress,
    keep: Callable[[Results], None] = lambda _: None,
) -> Results:
    """Measures one case after the other.

    Whatever ends it, Ctrl-C too, ends the measured processes.

    Args:
        experiment: What the cases belong to.
        cases: In this order.
        settings: How long and how often.
        bar: Shows how far it is.
        keep: Is called with the results when another case is in them.
    """
    results = Results.begin(experiment, settings.mode)
    servers, probe = Servers(), machine.Probe()
    end = time.monotonic() + settings.experiment_s
    left = sum(case.seconds for case in cases)
    try:
        for case in cases:
            bar.begin(case)
            now = time.monotonic()
            until = now + (end - now) * case.seconds / left
            left -= case.seconds
            for progress in measure(case, settings, servers, probe, until):
                if isinstance(progress, Measured):
                    results.add(case, progress)
                else:
                    bar.move(case, progress)
            bar.end(case)
            results.probe = probe.as_json()
            keep(results)
    finally:
        servers.close()
        probe.close()
    return results
