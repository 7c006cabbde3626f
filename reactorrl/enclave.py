"""`enclave`: a reactor with a time line and workers of its own."""

from __future__ import annotations

import operator
from typing import Any, TypeVar

from .bank import Bank, ReactorBase
from .errors import PhaseError
from .placement import MAX_WORKERS
from .tree import Enclave, node_of

R = TypeVar("R", bound=ReactorBase | Bank[Any])


def enclave(reactor: R, *, workers: int = 1, capacity: int = 256) -> R:
    """Make a reactor, with all that is in it, an enclave; return it.

    An enclave has its own tag and its own workers, and runs ahead of or behind the others as far as
    the connections allow: they have `after=` or `physical=True`. What it computes, and at which
    tags, is what one time line for all would give. The main reactor, with all that is in no other,
    is an enclave too.

    When a body calls `request_stop` or raises, its enclave ends at the next microstep or at this
    tag, others when a value sent then would arrive, and those to which no delayed connection leads
    where they are, which is not the same in every run.

    Args:
        reactor: A `Reactor`, or a `Bank`, of which each member becomes one.
        workers: Threads that run its reactions.
        capacity: Events on their way into it before those who send more wait; the results do not
            depend on it.

    Raises:
        TypeError: `reactor` is neither, or a number is no int.
        ValueError: A number is below 1 or too large, or `reactor` is an enclave already.
        PhaseError: The program has been assembled.

    >>> import reactorrl as rr
    >>> class Train(rr.Reactor):
    ...     def __init__(self):
    ...         self.learner = rr.enclave(rr.Reactor(), workers=2)
    """
    if not isinstance(reactor, (ReactorBase, Bank)):
        hint = ""
        if isinstance(reactor, type) and issubclass(reactor, ReactorBase):
            hint = f"; make an instance: rr.enclave({reactor.__name__}(...))"
        elif isinstance(reactor, (list, tuple)):
            hint = "; use rr.enclave(rr.Bank(n, cls)), or call it for each"
            if reactor and isinstance(reactor[0], ReactorBase):
                hint = hint.replace("cls", type(reactor[0]).__name__)
        raise TypeError(f"enclave() takes a reactor or a bank, got {reactor!r}{hint}")
    asked = Enclave(_count(workers, "workers", MAX_WORKERS), _count(capacity, "capacity", 2**31))
    nodes = [node_of(each) for each in (reactor if isinstance(reactor, Bank) else (reactor,))]
    for node in nodes:
        if node.membership is not None:
            raise PhaseError(f"enclave({node.where()}) is for before the program is assembled")
        if node.enclave is not None:
            raise ValueError(f"{node.where()} is an enclave already")
    for node in nodes:
        node.enclave = asked
    return reactor


def _count(number: int, what: str, largest: int) -> int:
    if isinstance(number, bool) or not hasattr(type(number), "__index__"):
        raise TypeError(f"enclave({what}={number!r}): give an int")
    if not 1 <= operator.index(number) <= largest:
        raise ValueError(f"enclave({what}={number}): it is at least 1 and at most {largest}")
    return operator.index(number)
