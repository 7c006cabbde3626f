"""What there is to run, by name: `reactorrl bench NAME`.

Each module named there offers `cases(settings)`, which makes its cases, and may offer `FIGURES`.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from .figures import Figure
from .harness import Case, Settings


@dataclass(frozen=True)
class Experiment:
    """A family of cases. Its module is imported when it is asked for: some need torch."""

    name: str
    module: str  # below this package
    question: str

    def cases(self, settings: Settings) -> list[Case]:
        """All cases; what a smoke run leaves out is missing with that reason."""
        return list(self._module().cases(settings))

    def figures(self) -> Sequence[Figure]:
        """The pictures that its results give."""
        return getattr(self._module(), "FIGURES", ())

    def _module(self):
        return importlib.import_module(f".{self.module}", __package__)


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("micro", "micro.cases", "What does the runtime itself cost?"),
        Experiment("sampling", "sampling.cases", "What does it cost to gather experience?"),
    )
}
