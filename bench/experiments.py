"""What there is to run, by name: `reactorrl bench NAME`.

Each module named there offers `cases(settings)`, which makes its cases, and may offer `FIGURES`,
`PUBLISHED`, what others published of the same experiment, and `CONTROLS`, the sides that say what a
difference to that is made of.
"""

import importlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .figures import Figure
from .harness import Case, Settings
from .peers import PEERS, named
from .results import Controls, Published


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

    def published(self) -> Sequence[Published]:
        """What others published, shown beside its results."""
        return getattr(self._module(), "PUBLISHED", ())

    def controls(self) -> Controls | None:
        """The sides that isolate one thing each; None where nothing of the kind was published."""
        return getattr(self._module(), "CONTROLS", None)

    def _module(self):
        return importlib.import_module(f".{self.module}", __package__)


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "broadcast-gather",
            "broadcast_gather.cases",
            "What does it cost to send an object to N actors and to gather their answers?",
        ),
        Experiment("micro", "micro.cases", "What does the runtime itself cost?"),
        Experiment("overhead", "overhead.cases", "What does talking cost, over a long run?"),
        Experiment("sampling", "sampling.cases", "What does it cost to gather experience?"),
        Experiment("q-learning", "q_learning.cases", "What does a round of Q-learning cost?"),
        Experiment("marl", "marl.cases", "What does a step of many agents cost?"),
        Experiment("determinism", "determinism.cases", "How many results does one seed give?"),
    )
}


def chosen(
    cases: Iterable[Case], words: Sequence[str] = (), peers: Sequence[str] | None = None
) -> list[Case]:
    """The cases with one of `words` in their names, without peers that are not asked for.

    Raises:
        ValueError: No peer has such a name.
    """
    kept = [case for case in cases if not words or any(word in case.name for word in words)]
    if peers is None:
        return kept
    dropped = {peer.name for peer in PEERS} - {peer.name for peer in named(peers)}
    return [
        replace(case, contenders=[c for c in case.contenders if c.place.name not in dropped])
        for case in kept
    ]


def refuse_unknown(words: Iterable[str], cases: Collection[Case]) -> None:
    """ValueError, with all names, where no case has such a word in its name."""
    for word in words:
        if not any(word in case.name for case in cases):
            names = ", ".join(case.name for case in cases)
            raise ValueError(f"no case has {word!r} in its name; there are {names}")


def where(cases: Sequence[Case], at: Mapping[str, object]) -> list[Case]:
    """The cases with these coordinates; each is one value, or several of which one is enough.

    Raises:
        ValueError: No case has a coordinate of such a name, or of such a value.
    """
    kept = list(cases)
    for name, wanted in at.items():
        values = dict.fromkeys(case.at[name] for case in cases if name in case.at)
        if not values:
            names = dict.fromkeys(name for case in cases for name in case.at)
            raise ValueError(f"no case has {name!r}; there are {', '.join(names) or 'none'}")
        several = isinstance(wanted, Collection) and not isinstance(wanted, str)
        asked = set(wanted) if several else {wanted}
        if unknown := asked - values.keys():
            raise ValueError(f"no case has {name}={unknown.pop()!r}; there are {list(values)}")
        kept = [case for case in kept if case.at.get(name) in asked]
    return kept
