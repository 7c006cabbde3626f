"""Reading the bodies of reactions without running them."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import inspect
import linecache
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from .. import _core
from ..declare import EFFECTS
from ..reactor import Reactor
from ..tree import Node
from .observe import Written
from .sources import MUTATORS, clock_read, global_random, is_mutable, is_scope

_READS = {"value", "is_present", "get", "present", "lookup"}
_MOST_CALLS = 12  # deep


class Found(NamedTuple):
    """Something that a body does and should not.

    Attributes:
        kind: As in `Finding`.
        file: Where.
        line: Of the file.
        what: In words.
    """

    kind: str
    file: str
    line: int
    what: str


class Reading:
    """One reaction of one instance, and everything of its package that its body calls.

    Args:
        written: The reaction.

    Attributes:
        found: What it does and should not.
        unread: Names of functions whose source is not there.
        names: Mutable containers outside the reactor that it names: (name, container).
    """

    def __init__(self, written: Written) -> None:
        self.node: Node = written.node
        functions, declared = written.functions, written.declared
        self.effects: set[int] = {id(each) for role, each in declared if role in EFFECTS}
        self.readable: set[int] = {id(each) for _, each in declared}
        for _, each in declared:
            channels = getattr(each, "channels", None) or ()
            self.readable.update(map(id, channels))
            if id(each) in self.effects:
                self.effects.update(map(id, channels))
        self.wholes: set[int] = {
            id(getattr(each.reactor, each.name, None))
            for _, each in declared
            if getattr(each, "index", -1) >= 0
        }
        self.package: str = type(self.node.reactor).__module__.partition(".")[0]
        self.found: dict[Found, None] = {}
        self.unread: list[str] = []
        self.names: dict[int, tuple[str, Any]] = {}
        self._visited: set[Any] = set()
        for function in functions:
            self.read(function, 0)

    def read(self, function: Any, depth: int) -> None:
        """Read a function, once."""
        function = inspect.unwrap(getattr(function, "__func__", function))
        code = getattr(function, "__code__", None)
        if code is None or code in self._visited or depth > _MOST_CALLS:
            return
        self._visited.add(code)
        tree = _node_of(code)
        if tree is None:
            self.unread.append(getattr(function, "__qualname__", code.co_name))
            return
        _Body(self, function, tree, depth).visit_body()

    def is_followed(self, function: Any) -> bool:
        """Whether a function that is called is read, too: those of the reactor's own package."""
        module = getattr(function, "__module__", None) or ""
        return isinstance(function, FunctionType) and module.partition(".")[0] == self.package


class _Channel(NamedTuple):
    """A channel of a multiport whose index is not known."""

    multiport: Any


_UNKNOWN = object()


class _Body(ast.NodeVisitor):
    """The syntax of one function, with what its names stand for."""

    def __init__(self, reading: Reading, function: Any, tree: Any, depth: int) -> None:
        self.reading, self.function, self.tree, self.depth = reading, function, tree, depth
        self.file = function.__code__.co_filename
        arguments = [*tree.args.posonlyargs, *tree.args.args]
        self.locals: dict[str, Any] = dict.fromkeys(_local_names(tree), _UNKNOWN)
        self.mixed: set[str] = set()
        is_method = getattr(type(reading.node.reactor), function.__name__, None) is not None
        if arguments and (is_method or depth == 0):
            self.locals[arguments[0].arg] = reading.node.reactor
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self.outer = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}

    def visit_body(self) -> None:
        body = self.tree.body if isinstance(self.tree.body, list) else [self.tree.body]
        # Twice, so that a name is known wherever it stands.
        for statement in body:
            for each in ast.walk(statement):
                self._bind(each)
        for statement in body:
            self.visit(statement)

    def tell(self, kind: str, node: ast.AST, what: str) -> None:
        self.reading.found[Found(kind, self.file, getattr(node, "lineno", 0), what)] = None

    # What names stand for.

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                self.locals[name] = _module(alias.name if alias.asname else name)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                found = getattr(_module(node.module), alias.name, _UNKNOWN)
                self.locals[alias.asname or alias.name] = found
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._name(node.targets[0], self.resolve(node.value))
        elif isinstance(node, (ast.For, ast.comprehension)):
            whole = self.resolve(node.iter)
            self._name(node.target, _Channel(whole) if _is_multiport(whole) else _UNKNOWN)

    def _name(self, target: ast.expr, value: Any) -> None:
        if not isinstance(target, ast.Name) or target.id not in self.locals:
            return
        known = self.locals[target.id]
        if target.id in self.mixed or (known is not _UNKNOWN and known is not value):
            self.mixed.add(target.id)  # two meanings are none
            value = _UNKNOWN
        self.locals[target.id] = value

    def resolve(self, node: ast.AST) -> Any:
        """The object that an expression stands for before the program runs, or _UNKNOWN."""
        if isinstance(node, ast.Name):
            for scope in (self.locals, self.outer, self.function.__globals__, vars(builtins)):
                if node.id in scope:
                    return scope[node.id]
        elif isinstance(node, ast.Attribute):
            return _attribute(self.resolve(node.value), node.attr)
        elif isinstance(node, ast.Subscript):
            whole = self.resolve(node.value)
            if _is_multiport(whole):
                return _Channel(whole)
            if isinstance(node.slice, ast.Constant) and isinstance(whole, (list, tuple)):
                try:
                    return whole[node.slice.value]
                except (TypeError, IndexError):
                    return _UNKNOWN
        elif isinstance(node, ast.Call):
            is_type = self.resolve(node.func) is type and len(node.args) == 1
            if is_type and self.resolve(node.args[0]) is self.reading.node.reactor:
                return type(self.reading.node.reactor)
        return _UNKNOWN

    # What is done with them.

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = self.resolve(node.value)
        if isinstance(node.ctx, ast.Load):
            self._touch(node, owner)
        elif is_scope(owner):
            kind = "shared-state" if isinstance(owner, type) else "global-write"
            self.tell(kind, node, f"assigns {owner.__name__}.{node.attr}")
        self.generic_visit(node)

    def _touch(self, node: ast.Attribute, owner: Any) -> None:
        element = owner.multiport if isinstance(owner, _Channel) else owner
        if not isinstance(element, _core.Element) or element.reactor is None:
            return
        is_known = id(element) in self.reading.wholes
        if node.attr in ("set", "schedule"):
            if id(element) not in self.reading.effects and not is_known:
                verb = "sets" if node.attr == "set" else "schedules"
                self.tell("undeclared-effect", node, f"{verb} {element}")
        elif node.attr in _READS and id(element) not in self.reading.readable and not is_known:
            self.tell("undeclared-use", node, f"reads {element}")

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._write(node, node.value, "an item of")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and is_mutable(self.resolve(node.target)):
            self._write(node, node.target, "")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = self.resolve(node.func)
        n_arguments = len(node.args) + len(node.keywords)
        if isinstance(node.func, ast.Attribute):
            self._call_of(node, node.func)
        if function is not _UNKNOWN:
            clock = clock_read(function, n_arguments)
            if clock is not None:
                self.tell("wall-clock", node, f"reads the wall clock, {clock}")
            keywords = {keyword.arg or "" for keyword in node.keywords}
            given = [each for each in node.args if not _is_none(each)]
            drawn = global_random(function, len(given) + len(node.keywords), keywords)
            if drawn is not None:
                self.tell("global-random", node, f"uses {drawn}")
            if self.reading.is_followed(getattr(function, "__func__", function)):
                self.reading.read(function, self.depth + 1)
        self.generic_visit(node)

    def _call_of(self, node: ast.Call, method: ast.Attribute) -> None:
        reactor = self.reading.node.reactor
        is_super = isinstance(method.value, ast.Call) and self.resolve(method.value.func) is super
        if is_super or self.resolve(method.value) is reactor:
            if method.attr in ("physical_elapsed", "lag"):
                self.tell("physical-time", node, f"reads the physical time, self.{method.attr}()")
            for owner in type(reactor).__mro__ if is_super else ():
                value = vars(owner).get(method.attr)
                if owner is not Reactor and value is not None:
                    self.reading.read(getattr(value, "function", value), self.depth + 1)
        elif method.attr in MUTATORS:
            self._write(node, method.value, "")

    def _write(self, node: ast.AST, container: ast.expr, what: str) -> None:
        """A container is changed: is it the reactor's own?"""
        value = self.resolve(container)
        if not is_mutable(value):
            return
        text = ast.unparse(container)
        if isinstance(container, ast.Name):
            if container.id in self.locals:
                return
            self.tell("global-write", node, f"changes {what} {text}".replace("  ", " "))
        elif isinstance(container, ast.Attribute):
            owner = self.resolve(container.value)
            if owner is self.reading.node.reactor and container.attr not in vars(owner):
                if not _is_stored(type(owner), container.attr):
                    self.tell(
                        "shared-state",
                        node,
                        f"changes {what} {text}, an attribute of the class".replace("  ", " "),
                    )
            elif is_scope(owner):
                kind = "shared-state" if isinstance(owner, type) else "global-write"
                self.tell(kind, node, f"changes {what} {text}".replace("  ", " "))

    def visit_Name(self, node: ast.Name) -> None:
        if node.id not in self.locals:
            value = self.resolve(node)
            if is_mutable(value):
                self.reading.names[id(value)] = (node.id, value)

    def visit_Global(self, node: ast.Global) -> None:
        self._assigned(node, "global")

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._assigned(node, "outer")

    def _assigned(self, node: ast.Global | ast.Nonlocal, where: str) -> None:
        for each in ast.walk(self.tree):
            if (
                isinstance(each, ast.Name)
                and each.id in node.names
                and not isinstance(each.ctx, ast.Load)
            ):
                self.tell("global-write", each, f"assigns the {where} variable {each.id}")


def _attribute(owner: Any, name: str) -> Any:
    """An attribute, found without running code of the user's."""
    if owner is _UNKNOWN or isinstance(owner, _Channel):
        return _UNKNOWN
    if isinstance(owner, Reactor):
        if name == "__class__":
            return type(owner)
        held = vars(owner).get(name, _UNKNOWN)
        if held is not _UNKNOWN:
            return held
        for base in type(owner).__mro__:
            if name in vars(base):
                value = vars(base)[name]
                return (
                    _UNKNOWN if isinstance(value, property) else getattr(value, "function", value)
                )
        return _UNKNOWN
    if is_scope(owner):
        try:
            return getattr(owner, name, _UNKNOWN)
        except Exception:  # a module may do anything
            return _UNKNOWN
    return _UNKNOWN


def _is_multiport(value: Any) -> bool:
    return isinstance(value, _core.Multiport)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _is_stored(cls: type, name: str) -> bool:
    """Whether a method of the class assigns the attribute to instances."""
    return name in getattr(cls, "_rrl_plan").stores  # noqa: B009


def _module(name: str) -> Any:
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except ImportError:
        return _UNKNOWN


def _local_names(tree: Any) -> Iterator[str]:
    """What is assigned in a function, its arguments and those of functions in it included."""
    elsewhere: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            elsewhere.update(node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            if node.id not in elsewhere:
                yield node.id
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]


@functools.lru_cache(maxsize=64)
def _syntax(lines: tuple[str, ...]) -> list[Any]:
    """The functions of a file."""
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return []
    kinds = (ast.FunctionDef, ast.Lambda)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _node_of(code: Any) -> Any:
    """The syntax of a function, or `None` if its source is not there."""
    lines = tuple(linecache.getlines(code.co_filename))
    candidates = [node for node in _syntax(lines) if code.co_firstlineno in _lines(node)]
    named = [node for node in candidates if getattr(node, "name", "<lambda>") == code.co_name]
    if len(named) > 1:  # several lambdas on one line
        arguments = code.co_varnames[: code.co_argcount]
        named = [node for node in named if tuple(_names(node)) == arguments] or named
    return named[0] if named else None


def _lines(node: Any) -> Iterator[int]:
    """Where the code of a function may say that it begins: at its first decorator, or itself."""
    yield node.lineno
    for decorator in getattr(node, "decorator_list", ()):
        yield decorator.lineno


def _names(node: Any) -> list[str]:
    return [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
