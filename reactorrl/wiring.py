"""Connections of a program under assembly, checked channel by channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .ports import INPUTS, OUTPUTS
from .reactor import Connection
from .tree import Membership, Node, node_of

Link = tuple[Any, Any, Connection, Node]
"""Source and destination channel, the call of `connect`, and whose call it was."""

_NAMED_PORTS = 3  # of a long list in a message


class Wiring:
    """The connected pairs of one program, by the id of the destination.

    Attributes:
        links: Port id to `Link`.
        writers: Port id to the path of a reaction added with it as effect.
    """

    def __init__(self, graph: Any, membership: Membership, report: Callable[[str], None]) -> None:
        self.links: dict[int, Link] = {}
        self.writers: dict[int, str] = {}
        self._graph = graph
        self._membership = membership
        self._report = report

    def add(self, node: Node, connection: Connection) -> None:
        """Check one call of `connect` and add its pairs to the graph."""
        sources = self._repeated(node, connection)
        if sources is None:
            return
        links, connect = self.links, self._graph.connect
        delay_ns, physical = connection.delay_ns, connection.physical
        checked = None
        for source, destination in zip(sources, connection.destinations, strict=True):
            if source is not checked:
                checked = source if _may_send(node, source) else None
            number = destination.id
            if checked is None or number in links or not self._may_receive(node, destination):
                self._report(self._why_not(node, source, destination, connection))
                continue
            links[number] = (source, destination, connection, node)
            connect(source, destination, delay_ns, physical)

    def out_of_reach(self, node: Node, element: Any) -> str | None:
        """Return why reactions and connections of `node` cannot name this element, or `None`."""
        if element.reactor is None:
            return "it belongs to no reactor; assign it to self, or name that of an instance"
        owner = node_of(element.reactor)
        if owner.membership is not self._membership:
            return f"{owner.where()} is not in this program"
        if element.id < 0:
            return "it has been replaced by another value of that name"
        if owner is node or owner.parent is node:
            return None
        above = owner.parent
        while above is not None and above is not node:
            above = above.parent
        if above is node:
            return "it is more than one level down; pass it on through a port of the child between"
        return f"it belongs neither to {node.path} nor to a child of it"

    def _repeated(self, node: Node, connection: Connection) -> list[Any] | None:
        """The sources, as many as the destinations; `None` when that cannot be (reported)."""
        sources, destinations = connection.sources, connection.destinations
        n, m = len(sources), len(destinations)
        if n == m:
            return sources
        if connection.broadcast and n and m % n == 0:
            return sources * (m // n)
        if connection.broadcast:
            advice = "broadcast repeats the left side a whole number of times"
        elif n and m % n == 0:
            advice = "make them equal, or repeat the left side with broadcast=True"
        else:
            advice = "make them equal"
        self._report(
            f"{node.path}.connect: {_shown(sources)} on the left and {_shown(destinations)} on the"
            f" right; {advice} ({connection.line})"
        )
        return None

    def _may_receive(self, node: Node, port: Any) -> bool:
        owner = port.reactor
        if owner is None or port.id < 0 or port.id in self.writers:
            return False
        if owner is node.reactor:
            return isinstance(port, OUTPUTS) and port.name not in node.plan.writers
        return isinstance(port, INPUTS) and node_of(owner).parent is node

    def _why_not(self, node: Node, source: Any, destination: Any, connection: Connection) -> str:
        reason = (
            _named(source, self.out_of_reach(node, source))
            or _wrong_source(node, source)
            or _named(destination, self.out_of_reach(node, destination))
            or _wrong_destination(node, destination)
        )
        if reason is None:
            link = self.links.get(destination.id)
            if link is not None:
                first = f"{link[0]} is connected to it already ({link[2].line})"
            else:
                writer = self.writers.get(destination.id)
                writer = writer or f"{node.path}.{node.plan.writers[destination.name]}"
                first = f"the reaction {writer} sets it"
            reason = f"{first}; a port has one writer"
        return f"{node.path}.connect: {source} to {destination}: {reason} ({connection.line})"


def shown_link(link: Link) -> str:
    """Return a link for a message."""
    source, destination, connection, _ = link
    return f"{source} -> {destination} ({connection.line})"


def _may_send(node: Node, port: Any) -> bool:
    owner = port.reactor
    if owner is None or port.id < 0:
        return False
    if owner is node.reactor:
        return isinstance(port, INPUTS)
    return isinstance(port, OUTPUTS) and node_of(owner).parent is node


def _wrong_source(node: Node, port: Any) -> str | None:
    if port.reactor is node.reactor:
        if isinstance(port, INPUTS):
            return None
        return "an own output cannot be a source here; it is for the container to connect"
    if isinstance(port, OUTPUTS):
        return None
    return "a child's input cannot be a source; connect what feeds it"


def _wrong_destination(node: Node, port: Any) -> str | None:
    if port.reactor is node.reactor:
        if isinstance(port, OUTPUTS):
            return None
        return "an own input cannot be a destination here; it is for the container to connect"
    if isinstance(port, INPUTS):
        return None
    return "a child's output cannot be a destination; only the child sets it"


def _named(port: Any, reason: str | None) -> str | None:
    return None if reason is None else f"{port}: {reason}"


def _shown(ports: Sequence[Any]) -> str:
    count = f"{len(ports)} channel{'' if len(ports) == 1 else 's'}"
    if not ports:
        return count
    if len(ports) > _NAMED_PORTS:
        return f"{count} ({ports[0]} to {ports[-1]})"
    return f"{count} ({', '.join(map(str, ports))})"
