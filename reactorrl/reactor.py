"""`Reactor`: state, elements, reactions, children and connections."""

from __future__ import annotations

import hashlib
import operator
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core
from .bank import ReactorBase, channels_of, flattened
from .declare import Reaction, check_body, in_roles
from .elements import ELEMENTS
from .errors import AssemblyError, AssemblyValueError, PhaseError
from .notebook import file_name
from .plan import Plan, make_plan
from .scope import building, current_mode
from .time import FOREVER, Tag, TimeLike, to_ns
from .tree import Node, finish, passed_over

if TYPE_CHECKING:
    import numpy as np

_DEEPEST_NESTING_OF_A_CLASS = 50  # taken for endless when Python's stack runs out, too


class Connection(NamedTuple):
    """One call of `connect`."""

    sources: list[Any]
    destinations: list[Any]
    delay_ns: int  # -1: same tag
    physical: bool
    broadcast: bool
    line: str
    mode: Any  # in whose `with` block it was made


class AddedReaction(NamedTuple):
    """One call of `add_reaction`."""

    name: str
    function: Callable[[Any], object]
    declared: tuple[tuple[int, Any], ...]  # (role, element)
    line: str
    has_trigger: bool  # as written: a bank's ports may be none
    mode: Any  # in whose `with` block it was made
    deadline_ns: int  # -1: none
    handler: Callable[[Any], object] | None


class _Body(dict[str, Any]):
    """The names of a class body; knows of elements and reactions whose names were given away."""

    def __setitem__(self, name: str, value: Any) -> None:
        before = self.get(name)
        if isinstance(before, (*ELEMENTS, Reaction)) and value is not before:
            what = "reaction" if isinstance(before, Reaction) else type(before).__name__
            text = (
                f"{name} is defined twice, so that the first, a {what}, would be lost; rename one"
            )
            self.setdefault("_rrl_lost", []).append(text)
        super().__setitem__(name, value)


class ReactorMeta(type):
    """Takes the elements out of the class body and builds instances by the class's plan.

    The class keeps no attribute of an element's name: an instance attribute that hides a class
    attribute is not specialised by CPython, and `self.inp.value` is what bodies do most.
    """

    _rrl_plan: Plan

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], **kwargs: Any) -> dict[str, Any]:
        return _Body()

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> ReactorMeta:
        declared = {key: value for key, value in namespace.items() if isinstance(value, ELEMENTS)}
        if not any(isinstance(base, ReactorMeta) for base in bases):
            return super().__new__(mcls, name, bases, namespace, **kwargs)
        for key, element in declared.items():
            del namespace[key]
            element.name = element.name or key
        namespace["_rrl_declared"] = declared
        cls = super().__new__(mcls, name, bases, namespace, **kwargs)
        cls._rrl_plan = make_plan(cls, declared, Reactor, _RESERVED)
        return cls

    if not TYPE_CHECKING:  # checkers read the class body itself

        def __getattr__(cls, name):
            for owner in cls.__mro__:
                declared = vars(owner).get("_rrl_declared")
                if declared is not None and name in declared:
                    return declared[name]
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

        def __call__(cls, *args, **kwargs):
            return cls._rrl_build(0, args, kwargs)

        def __setattr__(cls, name, value):
            if isinstance(value, (*ELEMENTS, Reaction)):
                raise TypeError(
                    f"{cls.__name__}.{name}: elements and reactions are declared in the"
                    " body of the class, or made in __init__"
                )
            super().__setattr__(name, value)

    def __dir__(cls) -> Iterable[str]:
        return [*super().__dir__(), *cls._rrl_plan.declarations]

    def _rrl_build(cls, bank_index: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        new = cls.__new__
        self = new(cls) if new is object.__new__ else new(cls, *args, **kwargs)
        if not isinstance(self, cls):
            return self
        plan = cls._rrl_plan
        stack = building.stack
        builder = stack[-1] if stack else None
        node = self._rrl = Node(self, plan, builder)
        self.bank_index = bank_index
        for name, make, arguments in plan.makers:
            setattr(self, name, make(self, *arguments))
        init = cls.__init__
        if init is object.__init__ and new is object.__new__ and (args or kwargs):
            raise TypeError(f"{cls.__name__}() takes no arguments, as it has no __init__")
        if init is not object.__init__ or args or kwargs:
            stack.append(node)
            try:
                if init(self, *args, **kwargs) is not None:
                    raise TypeError(f"{cls.__name__}.__init__() must return None; use a plain def")
            except RecursionError:
                _explain_endless(cls, stack)
                raise
            finally:
                stack.pop()
            finish(node)
        elif plan.multiports:
            finish(node)
        if builder is None:
            _core.note_made()
        else:
            if builder.built is None:
                builder.built = []
            builder.built.append(node)
        return self


passed_over.add(ReactorMeta)


class Reactor(ReactorBase, metaclass=ReactorMeta):
    """A component with state of its own, elements, reactions and children.

    Derive from it, declare elements as class attributes (or assign them to `self` in `__init__`)
    and reactions with `@reaction`. `super().__init__()` is not needed. A `Reactor`, a `Bank` or a
    list of reactors that is assigned to `self.<name>` becomes a child of that name.

    Attributes:
        bank_index: Index in its `Bank`, set before `__init__`; 0 outside one.

    >>> import reactorrl as rr
    >>> class Source(rr.Reactor):
    ...     out = rr.Output()
    """

    bank_index: int
    _rrl: Node

    if TYPE_CHECKING:

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    @property
    def tag(self) -> Tag:
        """The tag at which the running body runs. PhaseError outside a body of this reactor."""
        return _core.current_tag(self)

    @property
    def path(self) -> str:
        """Full name, as in `"Train.rollouts[3]"`; complete when the parent's `__init__` is done."""
        return self._rrl.where()

    @property
    def _rrl_container(self) -> Reactor | None:
        parent = self._rrl.parent
        return None if parent is None else parent.reactor

    @property
    def rng(self) -> np.random.Generator:
        """A generator of its own, spawned from the program's `seed` by `path`.

        The numbers depend neither on the number of workers nor on other reactors.

        Raises:
            PhaseError: There is no program yet, or it was given no `seed`.
        """
        rng = self._rrl.rng
        if rng is None:
            membership = self._rrl.membership
            if membership is None:
                raise PhaseError(
                    f"{self.path}.rng is there once a Program has been made of the reactor; use it"
                    " in reactions, such as one on rr.startup"
                )
            rng = self._rrl.rng = _spawned(membership.seed, self.path)
        return rng

    def physical_elapsed(self) -> int:
        """Return the physical time since the start in ns. PhaseError outside a body of it."""
        return _core.physical_elapsed(self)

    def lag(self) -> int:
        """Return how far physical time is past this tag, in ns. PhaseError outside a body of it."""
        return _core.lag(self)

    def request_stop(self) -> None:
        """End the program at the next microstep; shutdown reactions run there.

        Other enclaves (see `enclave`) end when a value sent now would arrive; those to which no
        delayed connection leads stop where they are, which is not the same in every run.

        Raises:
            PhaseError: Called outside a body of this reactor.
        """
        _core.request_stop(self)

    def connect(
        self,
        sources: Any,
        destinations: Any,
        *,
        after: TimeLike | None = None,
        physical: bool = False,
        broadcast: bool = False,
    ) -> None:
        """Connect ports: what is set on a source is present at its destination.

        From an own input or a child's output, to a child's input or an own output. A destination
        has one source; a source may have any number of destinations.

        Args:
            sources: A port, a multiport, a bank's ports, or a list of these; taken channel by
                channel.
            destinations: As many channels.
            after: Delay in ns or a `timedelta`; 0 is one microstep later. `None`: at the same tag.
                A value whose tag would lie past the end of time ends the program with an
                OverflowError.
            physical: Stamp the value with the physical time of its arrival (plus `after`) instead.
            broadcast: Repeat the sources until they are as many as the destinations.

        Raises:
            TypeError: Something is no port, or `after` no time.
            ValueError: `after` is negative.
            OverflowError: `after` is `FOREVER`.
            PhaseError: The program has been assembled.

        Note:
            Widths, directions and writers are checked at assembly, all problems at once.
        """
        node = self._unassembled("connect")
        delay_ns = -1 if after is None else to_ns(after, "after")
        if delay_ns == FOREVER:
            raise OverflowError("after is FOREVER: no value would ever arrive")
        connection = Connection(
            _ports(sources),
            _ports(destinations),
            delay_ns,
            bool(physical),
            bool(broadcast),
            _line(),
            current_mode(),
        )
        if node.connections is None:
            node.connections = []
        node.connections.append(connection)

    def add_reaction(
        self,
        body: Callable[..., object],
        triggers: Any = (),
        uses: Any = (),
        effects: Any = (),
        deadline: TimeLike | None = None,
        on_deadline_miss: Callable[..., object] | None = None,
    ) -> None:
        """Add a reaction on elements of children, or on those made in `__init__`.

        It comes after all decorated reactions, in order of the calls.

        Args:
            body: A method of this reactor (`self.merge`), a function of no argument, or one of
                `self`.
            triggers: One element or several, in nested lists if convenient; so are the others.
            uses: May be read, do not trigger.
            effects: Own outputs, actions and modes, inputs of children.
            deadline: As for `@reaction`.
            on_deadline_miss: What runs instead of the body when the deadline was missed; as `body`.

        Raises:
            TypeError: Something is no element, or the body takes other arguments.
            ValueError: The deadline is negative or missing, or the body is a method of another
                reactor.
            PhaseError: The program has been assembled.
        """
        node = self._unassembled("add_reaction")
        function = self._callable_on_worker(body)
        deadline_ns = -1 if deadline is None else to_ns(deadline, "deadline")
        handler = None
        if on_deadline_miss is not None:
            if deadline is None:
                raise AssemblyValueError(
                    f"{node.where()}.add_reaction(on_deadline_miss=...) has no deadline to miss;"
                    " give deadline=, too"
                )
            handler = self._callable_on_worker(on_deadline_miss)
        elements = (flattened([given]) for given in (triggers, uses, effects))
        declared = {
            (role, id(element)): (role, element)
            for role, element in in_roles("add_reaction", *elements)
        }
        if node.added is None:
            node.added = []
        node.added.append(
            AddedReaction(
                getattr(body, "__name__", type(body).__name__),
                function,
                tuple(declared.values()),
                _line(),
                triggers != (),
                current_mode(),
                deadline_ns,
                handler,
            )
        )

    def _unassembled(self, call: str) -> Node:
        node = self._rrl
        if node.membership is not None or (_core.in_reaction() and not building.stack):
            raise PhaseError(
                f"{node.where()}.{call}() is for before the program is assembled; call it in"
                " __init__"
            )
        return node

    def _callable_on_worker(self, body: Any) -> Callable[[Any], object]:
        """The function that a worker calls with this reactor."""
        owner = getattr(body, "__self__", None)
        if isinstance(owner, Reactor):
            if owner is not self:
                raise ValueError(
                    f"{owner.path}.{body.__name__} is a method of another reactor than {self.path};"
                    " only its own reactions may touch its state"
                )
            check_body(body, 0)
            return body.__func__
        try:
            check_body(body, 0)
        except TypeError:
            check_body(body, 1)
            return body

        def call(_: Reactor) -> None:
            body()

        call.__name__ = getattr(body, "__name__", "reaction")
        return call

    def __repr__(self) -> str:
        node = getattr(self, "_rrl", None)
        return f"<{type(self).__qualname__} {node.where() if node else 'being made'}>"


_RESERVED = frozenset(name for name in vars(Reactor) if not name.startswith("_")) | {"bank_index"}
Reactor._rrl_plan = make_plan(Reactor, {}, Reactor, _RESERVED)  # noqa: SLF001


_METHODS = {n: f for n, f in vars(Reactor).items() if n in _RESERVED and callable(f)}
_FUNCTIONS = tuple(_METHODS.values())
_functions_of = operator.attrgetter(*(f"{name}.__func__" for name in _METHODS))


def hidden_methods(node: Node) -> list[str]:
    """Return the methods of `Reactor` that an attribute of this very instance hides."""
    reactor = node.reactor
    try:
        if _functions_of(reactor) == _FUNCTIONS:
            return []
    except AttributeError:
        pass
    return [
        name
        for name, function in _METHODS.items()
        if getattr(getattr(reactor, name), "__func__", None) is not function
        and getattr(type(reactor), name) is function
    ]


def _refuse(name: str) -> Callable[[Reactor, Any], None]:
    def setter(self: Reactor, _: Any) -> None:
        node = self._rrl
        if node.membership is not None:
            raise AttributeError(f"{node.where()}.{name} cannot be set")
        node.problem(f"self.{name} is assigned, but {name} belongs to every reactor; rename it")

    return setter


if not TYPE_CHECKING:
    for _name in ("tag", "path", "rng"):
        setattr(Reactor, _name, vars(Reactor)[_name].setter(_refuse(_name)))


def _spawned(seed: int | None, path: str) -> np.random.Generator:
    import numpy as np  # noqa: PLC0415 - only programs with random numbers need it

    if seed is None:
        raise PhaseError(f"{path}.rng needs a seed: rr.run(main, seed=...)")
    words = np.frombuffer(hashlib.blake2b(path.encode(), digest_size=16).digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words.tolist()))


def _ports(ports: Any) -> list[Any]:
    if isinstance(ports, (list, tuple)):
        return [channel for item in ports for channel in _ports(item)]
    return list(channels_of(ports))


def _line() -> str:
    """Where the caller's caller was called, for messages."""
    frame = sys._getframe(2)  # noqa: SLF001
    return f"{file_name(frame.f_code.co_filename)}:{frame.f_lineno}"


def _explain_endless(cls: type, stack: list[Node]) -> None:
    nested = [node for node in stack if type(node.reactor) is cls]
    if len(nested) >= _DEEPEST_NESTING_OF_A_CLASS:
        raise AssemblyError(
            f"{nested[0].where()} contains its own class {cls.__qualname__} without end: its"
            " __init__ makes another, which makes another; stop at some depth"
        ) from None
