"""Connections of a program under assembly, checked channel by channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .declare import elsewhere_text
from .modes import mode_in
from .plan import declaring_class
from .ports import INPUTS, OUTPUTS
from .reactor import Connection
from .tree import Membership, Node, node_of

Link = tuple[Any, Any, Connection, Node]
"""Source and destination channel, the call of `connect`, and whose call it was.

Several lead to one destination only if they are in different modes of the reactor that connects."""

_NAMED_PORTS = 3  # of a long list in a message


class Wiring:
    """The connected pairs of one program, by the id of the destination.

    Attributes:
        links: Port id to `Link`, the first one.
        writers: Port id to (mode or `None`, path) of reactions added with it as effect.
    """

    def __init__(self, graph: Any, membership: Membership, report: Callable[[str], None]) -> None:
        self.links: dict[int, Link] = {}
        self.writers: dict[int, list[tuple[Any, str]]] = {}
        self._others: dict[int, list[Link]] = {}  # links beyond the first
        self._graph = graph
        self._membership = membership
        self._report = report

    def add(self, node: Node, connection: Connection, mode: Any) -> None:
        """Check one call of `connect`, in this mode of `node`, and add its pairs to the graph."""
        sources = self._repeated(node, connection)
        if sources is None:
            return
        links, connect = self.links, self._graph.connect
        delay_ns, physical = connection.delay_ns, connection.physical
        if connection.mode is not mode:
            connection = connection._replace(mode=mode)
        within = mode or node.within
        checked = None
        enclave = -1  # that the destination must be in, if in a certain one
        for source, destination in zip(sources, connection.destinations, strict=True):
            if source is not checked:
                checked = source if _may_send(node, source, mode) else None
                if checked is not None and delay_ns < 0 and not physical:
                    enclave = node_of(source.reactor).enclave_id
            if checked is None or not self._may_receive(node, destination, mode, enclave):
                self._report(self._why_not(node, source, destination, connection))
                continue
            number = destination.id
            link = (source, destination, connection, node)
            if number in links:
                self._others.setdefault(number, []).append(link)
            else:
                links[number] = link
            connect(source, destination, delay_ns, physical, within)

    def all_links(self) -> Iterator[Link]:
        """Yield the links, by destination in the order in which each was connected first."""
        for number, link in self.links.items():
            yield link
            yield from self._others.get(number, ())

    def out_of_reach(self, node: Node, element: Any) -> str | None:
        """Return why reactions and connections of `node` cannot name this element, or `None`."""
        if element.reactor is None:
            cls = declaring_class(element)
            if cls is None:
                return "it belongs to no reactor; assign it to self, or name that of an instance"
            name = cls.__name__
            return (
                f"it is what the class {name} declares; name that of an instance: self.<child> ="
                f" {name}(...), and self.<child>.{element.name}"
            )
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

    def _may_receive(self, node: Node, port: Any, mode: Any, enclave: int) -> bool:
        if port.reactor is None or port.id < 0:
            return False
        owner = node_of(port.reactor)
        if enclave not in (-1, owner.enclave_id):
            return False
        if owner is node:
            if not isinstance(port, OUTPUTS):
                return False
            is_free = port.name not in node.plan.writers
        else:
            is_free = isinstance(port, INPUTS) and owner.parent is node
            if not is_free or owner.within not in (node.within, mode):
                return False
        is_free = is_free and port.id not in self.links and port.id not in self.writers
        return is_free or self._rival(node, port, mode) is None

    def _rival(self, node: Node, port: Any, mode: Any) -> str | None:
        """Say what else sets the port, unless that is in another mode."""
        first = self.links.get(port.id)
        for link in (first, *self._others.get(port.id, ())) if first is not None else ():
            if not _exclude(mode, link[2].mode):
                return f"{link[0]} is connected to it already ({link[2].line})"
        for other, path in self.writers.get(port.id, ()):
            if not _exclude(mode, other):
                return f"the reaction {path} sets it"
        if port.reactor is node.reactor:
            for name, reaction in node.plan.writers.get(port.name, ()):
                if name is None or mode is None or name == mode.name:
                    return f"the reaction {node.path}.{reaction} sets it"
        return None

    def _why_not(self, node: Node, source: Any, destination: Any, connection: Connection) -> str:
        mode = connection.mode
        reason = (
            _named(source, self.out_of_reach(node, source))
            or _wrong_source(node, source)
            or _elsewhere(node, source, mode)
            or _named(destination, self.out_of_reach(node, destination))
            or _wrong_destination(node, destination)
            or _elsewhere(node, destination, mode)
            or _apart(source, destination, connection)
        )
        if reason is None:
            reason = f"{self._rival(node, destination, mode)}; a port has one writer"
            if mode is not None:
                reason += " in each mode"
        return f"{node.path}.connect: {source} to {destination}: {reason} ({connection.line})"


def shown_link(link: Link) -> str:
    """Return a link for a message."""
    source, destination, connection, _ = link
    return f"{source} -> {destination} ({connection.line})"


def _may_send(node: Node, port: Any, mode: Any) -> bool:
    if port.reactor is None or port.id < 0:
        return False
    owner = node_of(port.reactor)
    if owner is node:
        return isinstance(port, INPUTS)
    is_output = isinstance(port, OUTPUTS) and owner.parent is node
    return is_output and owner.within in (node.within, mode)


def _exclude(one: Any, other: Any) -> bool:
    """Whether two modes of one reactor are never active at once."""
    return one is not None and other is not None and one is not other


def _elsewhere(node: Node, port: Any, mode: Any) -> str | None:
    within = mode_in(node, port)
    if within is None or within is mode:
        return None
    return elsewhere_text(str(port.reactor.path), within)


def _apart(source: Any, destination: Any, connection: Connection) -> str | None:
    """Why two enclaves cannot be connected so."""
    ends = [node_of(port.reactor) for port in (source, destination)]
    if ends[0].enclave_id == ends[1].enclave_id or connection.delay_ns >= 0 or connection.physical:
        return None
    return (
        "the two are in different enclaves, which share no tags; connect them with after= (0 is one"
        " microstep) or physical=True"
    )


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
        return (
            "an own input cannot be a destination here; it is for the container to connect. To read"
            " a child's output have a reaction on it: self.add_reaction(self.show, self.kid.out)"
        )
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
