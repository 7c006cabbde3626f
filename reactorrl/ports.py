"""Ports and multiports: the ends of connections."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, overload

from . import _core
from .errors import AbsentError, AssemblyError, AssemblyValueError, PhaseError

if TYPE_CHECKING:  # for checkers alone: a port without [...] has values of any type
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")

MAX_WIDTH = 2**24  # of a multiport, members of a bank: beyond lies a mistake, not a program


def path_of(element: Any) -> str:
    """Return the full path of an element, as in `Train.learner.trajectories[3]`.

    A declaration has only its name, as nothing owns it.
    """
    name = element.name or f"<unnamed {type(element).__name__}>"
    if element.reactor is not None:
        name = f"{element.reactor.path}.{name}"
    index = getattr(element, "index", -1)
    return name if index < 0 else f"{name}[{index}]"


def read(element: Any, name: str) -> Any:
    """What `value` and `is_present` say when the words of the element are empty."""
    if name == "is_present":
        return element.lookup()[0]
    if name != "value":
        raise AttributeError(f"{type(element).__name__!r} object has no attribute {name!r}")
    present, value = element.lookup()
    if present:
        return value
    when, is_own = _reading(element.reactor)
    order = ""
    if is_own and isinstance(element, Output):
        order = "; reactions run in the order of their definition, so define the one that sets it"
        order += " before this one"
    raise AbsentError(
        f"{element} is absent{when}; ask .is_present first, or use .get(default){order}"
    )


def assign(element: Any, name: str, value: Any) -> None:
    """The `__setattr__` of what has a `value`; AttributeError for that."""
    if name in ("value", "is_present"):
        advice = (
            f"to send something call self.{element.name}.set(value)"
            if isinstance(element, Output)
            else f"to change what it reads write into the object (v = self.{element.name}.value;"
            " v += 1), to send something set an output"
        )
        raise AttributeError(f"{element}.{name} cannot be assigned; {advice}")
    object.__setattr__(element, name, value)


def _check_type(type: Any) -> Any:
    """Return what the values of a port are said to be; TypeError for a number."""
    if isinstance(type, int):
        raise TypeError(f"type={type}: it says what the values are; for several channels, width=")
    return type


def refuse_truth(element: Any) -> bool:
    """The `__bool__` of what may be present: TypeError in a body, as `if self.inp:` is a slip."""
    if not _core.in_reaction():
        return len(element) > 0 if isinstance(element, _core.Multiport) else True
    raise TypeError(
        f"{element} is neither true nor false; ask self.{element.name}.is_present"
        + (", or its .value" if isinstance(element, _core.Port) else "")
    )


def check_bool(value: Any, what: str) -> bool:
    """Return `value`; TypeError unless it is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{what}={value!r}: it is True or False")
    return value


def _reading(reactor: Any) -> tuple[str, bool]:
    """When an element of `reactor` is read, and whether by itself, not by what contains it."""
    for reader in (reactor, reactor._rrl_container):  # noqa: SLF001
        try:
            return f" at {_core.current_tag(reader)}", reader is reactor
        except (PhaseError, TypeError):
            continue
    return "", False


class _Port(_core.Port, Generic[T]):
    __slots__ = ()

    value: T
    is_present: bool

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def get(self) -> T | None: ...
        @overload
        def get(self, default: T) -> T: ...
        def get(self, default: Any = None) -> Any: ...
        def set(self, value: T) -> None: ...

    else:

        def __getattr__(self, name):
            return read(self, name)

        __setattr__ = assign
        __bool__ = refuse_truth

        def __getitem__(self, index):
            raise TypeError(
                f"{self} is a single port and has no channel [{index!r}]; give it some: width=2"
            )

    __str__ = path_of

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class Input(_Port[T]):
    """An input port, or a multiport of inputs when `width` is given.

    At each tag it is present with the value that its one writer set, or absent. `None`, `0` and
    `False` are values like any other. In a body: `.value` (`AbsentError` when absent),
    `.get(default=None)`, `.is_present`; of a multiport `len`, indexing, iteration, `.is_present`
    (any) and `.present()`, the present channels in order. A channel has an `.index`.

    Args:
        type: What the values are, for the reader; not checked.
        width: `None` for a single port, the number of channels, or the name of an attribute of the
            instance that holds it at the end of `__init__`.
        mutable: The reactor may write into the value. It gets the object itself if nobody else
            reads it, and a copy of its own at each tag otherwise: `ndarray.copy`, `Tensor.clone`,
            or `copy.deepcopy`, when it reads. The writer of the port does not count as a reader:
            it has given the object away.

    Raises:
        TypeError: `width` is neither an int nor a name, or `mutable` no bool.
        ValueError: `width` is negative or over 2**24.

    >>> Input[int](width=2).width
    2
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __new__(
            cls, type: Any = None, *, width: None = None, mutable: bool = False
        ) -> Input[T]: ...
        @overload
        def __new__(
            cls, type: Any = None, *, width: int | str, mutable: bool = False
        ) -> InputMultiport[T]: ...

    def __new__(cls, type: Any = None, *, width: Any = None, mutable: bool = False) -> Any:
        port = super().__new__(MutableInput if mutable is True and cls is Input else cls)
        if width is None:
            return port
        _core.Port.__init__(port, _check_type(type), check_bool(mutable, "mutable"))
        return InputMultiport(port, check_width(width))

    def __init__(self, type: Any = None, *, width: Any = None, mutable: bool = False) -> None:
        _core.Port.__init__(self, _check_type(type), check_bool(mutable, "mutable"))


class MutableInput(Input[T]):
    """What `Input(mutable=True)` makes: its `value` copies what others read, too."""

    __slots__ = ()

    if not TYPE_CHECKING:
        value = _core.Port.own_value


class Output(_Port[T]):
    """An output port, or a multiport of outputs when `width` is given.

    In a body that declares it as an effect: `.set(value)`, or `port[i].set(value)`; the last of
    several in one tag wins. What is set is given away, as a mutable reader may write into the very
    object: set a copy of what you keep. A later reaction of the same reactor may read it back.
    Arguments as for `Input`.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __new__(cls, type: Any = None, *, width: None = None) -> Output[T]: ...
        @overload
        def __new__(cls, type: Any = None, *, width: int | str) -> OutputMultiport[T]: ...

    def __new__(cls, type: Any = None, *, width: Any = None) -> Any:
        port = super().__new__(cls)
        if width is None:
            return port
        _core.Port.__init__(port, _check_type(type))
        return OutputMultiport(port, check_width(width))

    def __init__(self, type: Any = None, *, width: Any = None) -> None:
        _core.Port.__init__(self, _check_type(type))


class _Multiport(_core.Multiport, Generic[T]):
    __slots__ = ()

    is_present: bool

    if TYPE_CHECKING:

        def __len__(self) -> int: ...

    else:

        def __getattr__(self, name):
            if name == "is_present":
                return self.lookup()
            if name in ("value", "get", "set"):
                raise AttributeError(
                    f"{self} is a multiport and has no {name!r} of its own; ask a channel,"
                    f" self.{self.name}[0].{name}, or each one in a loop"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        __bool__ = refuse_truth

        def __setitem__(self, index, value):
            raise TypeError(
                f"{self}[{index!r}] cannot be assigned; to send something call"
                f" self.{self.name}[{index!r}].set(value)"
            )

    def _resolve(self) -> None:
        """Make the channels; called by the core when they are first asked for."""
        try:
            self.fill(resolved_width(self))
        except AssemblyError as error:
            where = "" if self.reactor is None else f"{self.reactor.path}: "
            raise type(error)(f"{where}{error}") from None

    __str__ = path_of

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class InputMultiport(_Multiport[T]):
    """A vector of inputs, made by `Input(width=...)`."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Input[T]: ...
        @overload
        def __getitem__(self, index: slice) -> tuple[Input[T], ...]: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __iter__(self) -> Iterator[Input[T]]: ...
        def present(self) -> tuple[Input[T], ...]: ...


class OutputMultiport(_Multiport[T]):
    """A vector of outputs, made by `Output(width=...)`."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Output[T]: ...
        @overload
        def __getitem__(self, index: slice) -> tuple[Output[T], ...]: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __iter__(self) -> Iterator[Output[T]]: ...
        def present(self) -> tuple[Output[T], ...]: ...


def check_width(width: Any, what: str = "width") -> int | str:
    """Return a declared width as an int or a name; TypeError, ValueError."""
    if isinstance(width, str):
        return width
    if isinstance(width, bool):
        raise TypeError(f"{what} is a bool ({width}); give an int or the name of an attribute")
    try:
        number = operator.index(width)
    except TypeError:
        raise TypeError(
            f"{what} is a {type(width).__name__}; give an int or the name of an attribute"
        ) from None
    if number < 0:
        raise ValueError(f"{what} is negative ({number})")
    if number > MAX_WIDTH:
        raise ValueError(f"{what} is {number}; at most {MAX_WIDTH} are possible")
    return number


def resolved_width(multiport: _Multiport[Any]) -> int:
    """Return the number of channels, looked up on the reactor where the width is a name.

    Raises:
        AssemblyError: The attribute is missing or no number (a `ValueError` too if it is negative).
            The text has the port's name and not its path, which may not be known yet.
    """
    width = multiport.width
    if not isinstance(width, str):
        return width
    what = f"the width of {multiport.name}, self.{width},"
    reactor = multiport.reactor
    if reactor is None:
        raise AssemblyError(f"{what} is known at the end of __init__; inside it, give the number")
    if not hasattr(reactor, width):
        raise AssemblyError(f"{what} is not there; set it in __init__ before the port is used")
    try:
        number = check_width(getattr(reactor, width), what)
    except TypeError as error:
        raise AssemblyError(str(error)) from None
    except ValueError as error:
        raise AssemblyValueError(str(error)) from None
    if isinstance(number, str):
        raise AssemblyError(f"{what} is a str; it must be an int")
    return number


INPUTS = (Input, InputMultiport)
OUTPUTS = (Output, OutputMultiport)
PORTS = INPUTS + OUTPUTS
MULTIPORTS = (InputMultiport, OutputMultiport)
