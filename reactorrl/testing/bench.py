"""What a reactor under test is fed with: its ports, however they are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _core
from ..ports import INPUTS, MULTIPORTS
from ..reactor import Reactor


def fed_ports(main: Reactor, feed: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the live input ports of `main` that are fed, with their values.

    Args:
        main: The reactor under test.
        feed: From inputs to values: a port of it, one declared by its class (`Rollout.weights`), or
            the name of one. For a multiport a sequence with a value for each channel, or a mapping
            from indices.

    Raises:
        TypeError: Something is no input of `main`.
    """
    fed: dict[Any, Any] = {}
    for key, value in feed.items():
        port = port_of(main, key)
        if not isinstance(port, INPUTS):
            raise TypeError(f"{key!r} is no input of {type(main).__name__}")
        if isinstance(port, MULTIPORTS):
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            fed.update((port[index], item) for index, item in items)
        else:
            fed[port] = value
    return fed


def port_of(main: Reactor, key: Any) -> Any:
    """The live port of `main` that a port, a declaration or a name means, or `None`."""
    if isinstance(key, (_core.Port, _core.Multiport)) and key.reactor is not None:
        return key if key.reactor is main else None
    name = key if isinstance(key, str) else getattr(key, "name", None)
    port = getattr(main, name, None) if isinstance(name, str) else None
    return port if isinstance(port, (_core.Port, _core.Multiport)) else None
