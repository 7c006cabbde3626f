"""Banks: several reactors of one class under one name, and the vectors of their ports."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from .ports import MAX_WIDTH, MULTIPORTS, PORTS


class ReactorBase:
    """What a reactor is recognised by below `reactor.py`; only `Reactor` derives from it."""

    __slots__ = ()


R = TypeVar("R", bound=ReactorBase)


class Ports(list[Any]):
    """The channels of one port over several reactors: a list, reactor by reactor.

    Attributes:
        groups: The port or multiport of each reactor, as `interleaved` and `add_reaction` need
            them.
    """

    __slots__ = ("groups",)

    def __init__(self, groups: Iterable[Any] = ()) -> None:
        self.groups: tuple[Any, ...] = tuple(groups)
        super().__init__()
        for group in self.groups:
            self.extend(channels_of(group))


class Members(Generic[R]):
    """Several reactors seen as one: an attribute of it is that attribute of each."""

    def __init__(self, members: Sequence[R]) -> None:
        self._members = tuple(members)

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[R]:
        return iter(self._members)

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[R, ...]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._members[index]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_members":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        values = [getattr(member, name) for member in self._members]
        if all(isinstance(value, PORTS) for value in values):
            # The members are complete, so their ports are for good; bodies ask for them again and
            # again.
            ports = self.__dict__[name] = Ports(values)
            return ports
        reactors = list(_reactors_in(values))
        return Members(reactors) if reactors else values


class BankNode:
    """What the library keeps of one bank.

    Attributes:
        parent: The `Node` that it is a child of, or `None`.
        label: Its name there.
    """

    __slots__ = ("label", "members", "parent")

    def __init__(self, members: Sequence[Any]) -> None:
        self.members: Sequence[Any] = members
        self.parent: Any = None
        self.label: str = ""


class Bank(Members[R]):
    """`n` reactors of one class; assigned to `self.<name>` they are children `<name>[0]` and so on.

    `bank_index` is set on each before its `__init__` runs. `bank[i]`, `len` and iteration give the
    members; `bank.port` is the list of that port's channels over all of them, bank-major: all
    channels of the first member, then of the second (see `interleaved` for the other order).

    Args:
        n: How many; 0 is allowed.
        cls: The reactor class.
        *args: Given to each `__init__`.
        **kwargs: Given to each `__init__`, too.

    Raises:
        TypeError: `cls` is no reactor class or `n` no int.
        ValueError: `n` is negative or over 2**24.
    """

    def __init__(self, n: int, cls: type[R], /, *args: Any, **kwargs: Any) -> None:
        if not (isinstance(cls, type) and issubclass(cls, ReactorBase)):
            hint = ""
            if isinstance(cls, ReactorBase):
                hint = f"; give the class, {type(cls).__name__}, and its arguments after it"
            elif isinstance(n, type):
                hint = f"; the number comes first: Bank({cls!r}, {n.__name__})"
            raise TypeError(f"Bank(n, cls): cls is a reactor class, got {cls!r}{hint}")
        if isinstance(n, bool) or not hasattr(type(n), "__index__"):
            raise TypeError(f"Bank(n, cls): n is a {type(n).__name__} ({n!r}); give an int")
        if operator.index(n) < 0:
            raise ValueError(f"Bank(n, cls): n is negative ({n})")
        if operator.index(n) > MAX_WIDTH:
            raise ValueError(f"Bank(n, cls): n is {n}; at most {MAX_WIDTH} are possible")
        build = cls._rrl_build  # type: ignore[attr-defined]
        super().__init__([build(index, args, kwargs) for index in range(operator.index(n))])
        self._cls = cls
        self._rrl = BankNode(self._members)

    @property
    def path(self) -> str:
        """Where it stands in the program, as in `Train.rollouts`."""
        node = self._rrl
        return f"{node.parent.where()}.{node.label}" if node.parent else f"<{self!r}>"

    def __repr__(self) -> str:
        return f"Bank({len(self)}, {self._cls.__qualname__})"


def interleaved(ports: Any) -> list[Any]:
    """Return a bank's channels channel-major: the first of every member, then the second.

    Args:
        ports: `bank.port`, a multiport, or a list of multiports.

    Raises:
        TypeError: Something in it is no port.
    """
    groups = [channels_of(group) for group in flattened([ports])]
    depth = max(map(len, groups), default=0)
    return [group[channel] for channel in range(depth) for group in groups if channel < len(group)]


def channels_of(port: Any) -> Sequence[Any]:
    """Return the channels of a multiport, or the port itself as the only one; TypeError."""
    if isinstance(port, MULTIPORTS):
        len(port)  # makes the channels if they are not there yet
        return port.channels or ()
    if isinstance(port, PORTS):
        return (port,)
    if isinstance(port, (ReactorBase, Bank)):
        cls = port._cls if isinstance(port, Bank) else type(port)  # noqa: SLF001
        declared = cls._rrl_plan.declarations.items()  # type: ignore[attr-defined]
        ports = ", ".join(name for name, element in declared if isinstance(element, PORTS))
        raise TypeError(f"{port!r} is no port; name one of its ports ({ports or 'it has none'})")
    raise TypeError(
        f"expected a port, a multiport, a bank's ports or a list of these, got {port!r}"
    )


def flattened(elements: Iterable[Any]) -> Iterator[Any]:
    """Yield the leaves of nested lists and tuples; multiports stay whole, those of banks too."""
    for element in elements:
        if isinstance(element, Ports):
            yield from element.groups
        elif isinstance(element, (list, tuple)):
            yield from flattened(element)
        else:
            yield element


def _reactors_in(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, ReactorBase):
            yield value
        elif isinstance(value, (Members, list, tuple)):
            yield from _reactors_in(value)
