"""What a reactor under test is fed with: its ports, however they are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ports import INPUTS, MULTIPORTS, PORTS
from ..reactor import Reactor
from ..tree import node_of


def fed_ports(main: Reactor, feed: Mapping[Any, Any], call: str) -> dict[Any, Any]:
    """Return the live input ports of `main` that are fed, with their values.

    Args:
        main: The reactor under test.
        feed: From inputs to values: a port of it, one declared by its class (`Rollout.weights`), or
            the name of one. For a multiport a sequence with a value for each channel, or a mapping
            from indices.
        call: How messages call what took it: `"feed() takes"`.

    Raises:
        TypeError: Something is no input of `main`.
        IndexError: A multiport has no such channel.
    """
    if not isinstance(feed, Mapping):
        inputs = [port for port in ports_of(main) if isinstance(port, INPUTS)]
        example = f"{type(main).__name__}.{inputs[0].name if inputs else 'input'}"
        raise TypeError(f"{call} {{{example}: value}}, got {feed!r}")
    fed: dict[Any, Any] = {}
    for key, value in feed.items():
        port = port_of(main, key, INPUTS, "input")
        if isinstance(port, MULTIPORTS):
            fed.update(_channels(main, port, value))
        else:
            fed[port] = value
    return fed


def port_of(main: Reactor, key: Any, kinds: tuple[type, ...], what: str) -> Any:
    """Return the live port of `main` that a port, a declaration or a name means.

    Raises:
        TypeError: It means none, or none of these kinds; the message calls them `what`.
    """
    port = _live_port(main, key)
    if isinstance(port, kinds):
        return port
    names = [port.name for port in ports_of(main) if isinstance(port, kinds)]
    there = f"it has {', '.join(names)}" if names else f"it has no {what}s"
    raise TypeError(f"{key!r} is no {what} of {type(main).__name__}; {there}")


def ports_of(main: Reactor) -> list[Any]:
    """The live ports of `main` itself."""
    node = node_of(main)
    elements = [getattr(main, name, None) for name, _, _ in node.plan.elements]
    elements += [element for _, element in node.extra or ()]
    return [element for element in elements if isinstance(element, PORTS)]


def _live_port(main: Reactor, key: Any) -> Any:
    if isinstance(key, PORTS):
        if key.reactor is not None:
            return key if key.reactor is main else None
        declared = node_of(main).plan.elements  # by its class, or a base of it
        return next((getattr(main, name, None) for name, _, each in declared if each is key), None)
    port = getattr(main, key, None) if isinstance(key, str) else None
    return port if isinstance(port, PORTS) and port.reactor is main else None


def _channels(main: Reactor, port: Any, value: Any) -> dict[Any, Any]:
    width = len(port)
    try:
        items = dict(value.items() if isinstance(value, Mapping) else enumerate(value))
    except TypeError:  # no sequence
        items = None
    if items is None or not all(index in range(width) for index in items):
        values = ", ".join(f"v{index}" for index in range(min(width, 3)))
        more = ", ..." if width > 3 else ""
        error = TypeError if items is None else IndexError
        raise error(
            f"{type(main).__name__}.{port.name} is a multiport of {width}: give"
            f" [{values}{more}] or {{index: v}}, got {value!r}"
        )
    return {port[index]: item for index, item in items.items()}
