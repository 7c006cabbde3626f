"""From a main reactor to a declared graph: walk the tree, check everything, add everything.

Every problem is collected, and told at once. Each step is linear in what there is, and iterates
over the tree instead of recursing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from . import _core
from .declare import (
    EFFECT,
    PEEK,
    USE,
    ambiguous,
    elsewhere_text,
    is_built_in,
    misused,
    role_name,
)
from .elements import ELEMENTS, POLICIES, PhysicalAction, reset
from .errors import (
    AssemblyError,
    AssemblyValueError,
    CausalityLoopError,
    CausalityLoopValueError,
)
from .modes import Modes, mode_in
from .placement import MAX_WORKERS
from .plan import ACTION, MODE, MULTIPORT, NO_TRIGGER, PORT, PlannedReaction, kind_of
from .ports import MULTIPORTS, OUTPUTS, PORTS, path_of
from .reactor import AddedReaction, Reactor, hidden_methods
from .time import FOREVER, Tag, to_ns
from .tree import Enclave, Membership, Node, node_of, scan
from .wiring import Wiring, shown_link

if TYPE_CHECKING:
    from .diagram import Graph

Instrument = Callable[[int, str, Node, Callable[[Any], object]], Callable[[Any], object]]
"""From id, path, reactor and body of a reaction to what the workers call in its place."""


class Assembly:
    """The declared graph of one program, with what Python needs to name its parts.

    Args:
        main: The top reactor.
        instrument: How tests look into bodies, or `None`.

    Attributes:
        graph: The `_core.Graph`.
        membership: What every node of the program has.
        nodes: Every reactor, in static order.
        paths: Of every reaction, by id; unique.
        owners: The node of every reaction, by id.
        modes: Of every reaction, by id: the mode of its own reactor that it is in, or `None`.
        deadlines: Of every reaction, by id, in ns; -1 for none.
        enclaves: The top node of every enclave, by id; the main reactor first.
        wiring: The connections.
        loops: Causality loops; of each the ids of its reactions and its live ports, in order.
        problems: What is wrong; empty for a program that can run.
    """

    def __init__(self, main: Reactor, instrument: Instrument | None = None) -> None:
        self._instrument = instrument
        self.graph: _core.Graph = _core.Graph()
        self.membership: Membership = Membership()
        self.nodes: list[Node] = []
        self.paths: list[str] = []
        self.owners: list[Node] = []
        self.modes: list[Any] = []
        self.deadlines: list[int] = []
        self.enclaves: list[Node] = [node_of(main)]
        self.problems: list[str] = []
        self._has_bad_number = False
        self.loops: list[list[int | Any]] = []
        self._ports: list[Any] = []  # by id
        self._taken: dict[str, int] = {}  # by path: how many reactions were to have it
        self._modes = Modes(self.graph, self._problem)
        self.wiring: Wiring = Wiring(self.graph, self.membership, self._problem)
        self._add_reactors(node_of(main))
        for node in self.nodes:
            self._add_reactions(node)
            for added in node.added or ():
                self._add_added(node, added)
        for node in self.nodes:
            for connection in node.connections or ():
                mode = connection.mode
                if mode is not None:
                    mode = self._modes.own(node, mode, "connect", connection.line)
                self.wiring.add(node, connection, mode)

    def elements(self) -> Iterator[Any]:
        """Yield every live port (of multiports the channels), action and timer."""
        for node in self.nodes:
            elements = [getattr(node.reactor, name) for name, _, _ in node.plan.elements]
            elements += [element for _, element in node.extra or ()]
            for element in elements:
                if isinstance(element, MULTIPORTS):
                    yield from element.channels
                else:
                    yield element

    def declared(self) -> Iterator[list[tuple[int, Any]]]:
        """Yield what each reaction declares, by id: (role, live element or a built-in trigger)."""
        for node in self.nodes:
            for planned in node.plan.reactions:
                yield [
                    (role, getattr(node.reactor, what) if type(what) is str else what)
                    for role, what in planned.declared
                ]
            for added in node.added or ():
                yield list(added.declared)

    def idle(self) -> list[str]:
        """Return in words which reactors can never run a reaction, though the program is fine."""
        if not self.paths:
            main = self.nodes[0]
            return [
                f"{main.path}: neither it nor what it contains has a reaction; decorate methods"
                " with @rr.reaction(...)"
            ]
        texts = []
        for node in self.nodes:
            if node.plan.awaited and not node.added and not self._is_fed(node):
                ports = " and ".join(f"{node.path}.{name}" for name in node.plan.awaited)
                advice = f"; see {node.parent.path}.connect" if node.parent else ""
                texts.append(f"{node.path} never runs: nothing is connected to {ports}{advice}")
        return texts

    def _is_fed(self, node: Node) -> bool:
        links, writers = self.wiring.links, self.wiring.writers
        for name in node.plan.awaited:
            port = getattr(node.reactor, name)
            for channel in port.channels if isinstance(port, MULTIPORTS) else (port,):
                if channel.id in links or channel.id in writers:
                    return True
        return False

    def replaced(self) -> list[str]:
        """Return in words which elements hold something else by now, as a body assigned it."""
        return [
            f"{node.path}.{name} was assigned a value ({type(value).__name__}) by a reaction, which"
            f" sends nothing; call self.{name}.set(value), or schedule(value) of an action"
            for node in self.nodes
            for name, _, declaration in node.plan.elements
            if not isinstance(value := getattr(node.reactor, name, declaration), ELEMENTS)
        ]

    def error(self) -> AssemblyError:
        """Return the error that tells all problems."""
        is_bad = self._has_bad_number
        if self.loops:
            loop_error = CausalityLoopValueError if is_bad else CausalityLoopError
            is_sound = len(self.problems) == len(self.loops)
            return loop_error(
                self.problems,
                [self._shown_stop(stop) for stop in self.loops[0]],
                self._draw if is_sound else None,
            )
        return (AssemblyValueError if is_bad else AssemblyError)(self.problems)

    def count_workers(self, n_main: int) -> int:
        """Return how many workers the enclaves have beyond those of the main one.

        Args:
            n_main: Workers of the main enclave.

        Raises:
            AssemblyError: There are too many in all; told with all problems.
        """
        given = [(node.enclave.workers, node) for node in self.enclaves[1:] if node.enclave]
        more = sum(number for number, _ in given)
        if n_main + more > MAX_WORKERS:
            most, node = max(given, key=lambda each: each[0])
            self._problem(
                f"{node.path} is an enclave with workers={most}: all enclaves have {more}, and the"
                f" program {n_main}, but at most {MAX_WORKERS} in all are possible; give"
                " rr.enclave(workers=) or workers= a smaller number, or make fewer enclaves",
                True,
            )
            raise self.error()
        return more

    def add_loops(self, steps: Sequence[tuple[int, int]]) -> None:
        """Name the loops that the core found, each a problem.

        Args:
            steps: (reaction id, port id): the reaction comes before that of the next step because
                of the port, or with -1 because both belong to one reactor. -1 twice lies between
                two loops.
        """
        loops: list[list[tuple[int, int]]] = [[]]
        for step in steps:
            if step == (-1, -1):
                loops.append([])
            else:
                loops[-1].append(step)
        for loop in loops:
            self._problem(self._causality_loop(loop))

    def overflows(self, found: Sequence[tuple[bool, int, tuple[int, int]]]) -> list[str]:
        """Return what the core found in words: events that would come past the end of time.

        Args:
            found: Whether it is of an action, else of a connection; the number of the action or of
                the port that it leads to; the tag at which it was known.
        """
        if not found:
            return []
        actions = {each.id: each for each in self.elements() if isinstance(each, _core.Action)}
        texts = []
        for is_action, number, tag in found:
            what, came, advice = str(actions.get(number)), "came", "min_delay, delay or min_spacing"
            if not is_action:
                link = self.wiring.links[number]
                what, came, advice = shown_link(link), "was sent", "after="
                if link[2].delay_ns == 0:
                    texts.append(
                        f"{what}: what was sent at {Tag(*tag)} needs one microstep more than there"
                        " are; give after= a time, or schedule less often at one time"
                    )
                    continue
            texts.append(
                f"{what}: what {came} at {Tag(*tag)} would happen past the end of time; give a"
                f" smaller {advice}, or end the program before, with timeout= or request_stop()"
            )
        return texts

    def _causality_loop(self, steps: Sequence[tuple[int, int]]) -> str:
        """Add a loop to `loops` and say it in words."""
        loop: list[int | Any] = []
        links: dict[str, None] = {}
        told = {port for reaction, port in steps if reaction < 0}  # in a loop of connections alone
        for reaction, port in steps:
            if reaction >= 0:
                loop.append(reaction)
            chain: list[Any] = []
            while port >= 0:
                chain.append(self._ports[port])
                link = self.wiring.links.get(port)
                if link is None or link[2].delay_ns >= 0 or chain[-1] in chain[:-1]:
                    break
                links[shown_link(link)] = None
                port = link[0].id
                if port in told:
                    break
            loop += reversed(chain)
        self.loops.append(loop)
        cycle = [self._shown_stop(stop) for stop in loop]
        text = "causality loop, each waits for the one before: " + " -> ".join([*cycle, cycle[0]])
        if links:
            where = " or ".join(links)
            text += f". A delay breaks it: give after=0 (one microstep) to the connection {where}"
        else:
            text += (
                ". None of its connections can be delayed; schedule a LogicalAction in one of them"
            )
        return text

    def _shown_stop(self, stop: int | Any) -> str:
        return self.paths[stop] if isinstance(stop, int) else path_of(stop)

    def _draw(self) -> Graph:
        from .diagram import Graph  # noqa: PLC0415 - few loops are drawn

        return Graph(self)

    def _problem(self, text: str, is_bad_number: bool = False) -> None:
        self.problems.append(text)
        self._has_bad_number |= is_bad_number

    # Reactors and their elements, depth first, a reactor before its children.

    def _add_reactors(self, main: Node) -> None:
        pending = [main]
        while pending:
            node = pending.pop()
            path = type(main.reactor).__name__
            if node.parent is not None:
                # The bench of a Simulation has no name, so that paths below it are as without it.
                path = f"{node.parent.path}.{node.label}" if node.parent.path else node.label
            if node.membership is not None:
                self._problem(
                    f"{path} belongs to another program, as {node.path}; make a new"
                    f" {type(node.reactor).__name__}"
                )
                continue
            node.path = path
            node.membership = self.membership
            scan(node, self.membership)
            parent = node.parent
            if parent is not None:
                node.within, node.enclave_id = parent.within, parent.enclave_id
                if node.mode is not None:
                    self._modes.enclose(node, parent)
            if node.enclave is not None:
                self._add_enclave(node, node.enclave)
            node.id = self.graph.add_reactor(node.reactor, node.enclave_id)
            self.nodes.append(node)
            plan = node.plan
            hidden = hidden_methods(node)
            if plan.problems or hidden or node.problems:
                self._check_node(node, hidden)
            self._add_elements(node)
            if node.children:
                pending += reversed(node.children)
        for node in self.nodes:
            if node.built:
                self._report_orphans(node, node.built)

    def _add_enclave(self, node: Node, enclave: Enclave) -> None:
        if node.parent is None:
            self._problem(
                f"{node.path} is the main reactor and so an enclave already; its workers are those"
                " of the program"
            )
        elif node.within is not None:
            self._problem(
                f"{node.path} is an enclave and in the mode {node.within}; an enclave's time does"
                " not stand still, so make it outside of all modes"
            )
        else:
            node.enclave_id = self.graph.add_enclave(enclave.workers, enclave.capacity)
            self.enclaves.append(node)

    def _check_node(self, node: Node, hidden: Sequence[str]) -> None:
        for text in node.plan.problems:
            self._problem(f"{node.path}.{text}")
        for text, is_bad_number in node.problems or ():
            self._problem(f"{node.path}: {text}", is_bad_number)
        for name in hidden:
            self._problem(f"{node.path}: self.{name} hides the {name} of every reactor; rename it")

    def _add_elements(self, node: Node) -> None:
        reactor, graph, ports = node.reactor, self.graph, self._ports
        if node.plan.has_modes or node.extra:
            self._modes.add(node)
        for name, kind, declaration in node.plan.elements:
            element = getattr(reactor, name, None)
            if type(element) is not type(declaration) or element.reactor is not reactor:
                self._replaced(node, name, declaration, element)
            elif kind == PORT:
                graph.add_port(element)
                ports.append(element)
            else:
                self._add_element(node, kind, element)
        for name, element in node.extra or ():
            if getattr(reactor, name, None) is element:
                if element.mode is not None:
                    self._modes.place(node, element)
                self._add_element(node, kind_of(element), element)
            else:
                self._replaced(node, name, element, getattr(reactor, name, None))

    def _replaced(self, node: Node, name: str, element: Any, value: Any) -> None:
        self._problem(
            f"{node.path}.{name} is declared as an element ({type(element).__name__}) and then"
            f" assigned a value ({type(value).__name__}); use two names"
        )

    def _add_element(self, node: Node, kind: int, element: Any) -> None:
        graph = self.graph
        if kind == PORT:
            graph.add_port(element)
            self._ports.append(element)
        elif kind == MULTIPORT:
            graph.add_multiport(element)
            self._ports += element.channels
        elif kind == ACTION:
            spec = element.spec
            if spec.policy != "defer" and spec.min_spacing_ns < 0:
                self._problem(
                    f"{element} has policy={spec.policy!r} and no min_spacing, so that nothing is"
                    " ever too early; give min_spacing, or leave the policy out"
                )
            graph.add_action(
                element,
                isinstance(element, PhysicalAction),
                spec.min_delay_ns,
                spec.min_spacing_ns,
                POLICIES.index(spec.policy),
                spec.capacity,
                element.mode or node.within,
            )
        elif kind != MODE:  # those were added first
            offset = self._timer_ns(node, element, "offset", element.spec.offset)
            period = self._timer_ns(node, element, "period", element.spec.period)
            graph.add_timer(element, offset, period, element.mode or node.within)

    def _timer_ns(self, node: Node, timer: Any, what: str, given: int | str | None) -> int:
        if not isinstance(given, str):
            return self._finite(timer, what, given or 0)
        if not hasattr(node.reactor, given):
            self._problem(
                f"{timer}: its {what} is self.{given}, which is not there; set it in __init__"
            )
            return 0
        value = getattr(node.reactor, given)
        try:
            return self._finite(
                timer, what, 0 if value is None else to_ns(value, f"its {what} self.{given}")
            )
        except (TypeError, ValueError, OverflowError) as error:
            self._problem(f"{timer}: {error}", not isinstance(error, TypeError))
            return 0

    def _finite(self, timer: Any, what: str, time_ns: int) -> int:
        if time_ns < FOREVER:
            return time_ns
        self._problem(f"{timer}: its {what} is FOREVER, so that it never fires", True)
        return 0

    def _report_orphans(self, node: Node, built: Sequence[Node]) -> None:
        lost: dict[str, int] = {}
        for child in built:
            if child.membership is None:
                name = type(child.reactor).__qualname__
                lost[name] = lost.get(name, 0) + 1
        for name, count in lost.items():
            made = f"a {name}" if count == 1 else f"{count} {name}"
            self._problem(
                f"{node.path}.__init__ makes {made} that no attribute of self holds at its end, and"
                f" that is no child so; write self.<name> = {name}(...); several of them go into a"
                " list or an rr.Bank, not into a dict or a set"
            )

    # Reactions, in order of priority.

    def _add_reactions(self, node: Node) -> None:
        reactor, declare = node.reactor, self.graph.declare
        for planned in node.plan.reactions:
            path = f"{node.path}.{planned.name}"
            mode = planned.mode and getattr(reactor, planned.mode)
            number = self._add_reaction(node, path, planned, mode)
            for role, what in planned.declared:
                if what is reset and mode is None:
                    self._check_reset(node, path)
                element = getattr(reactor, what) if type(what) is str else what
                if not self.problems or self._is_in_graph(element):
                    declare(number, role, element)

    def _add_reaction(
        self, node: Node, path: str, reaction: PlannedReaction | AddedReaction, mode: Any
    ) -> int:
        self.paths.append(path)
        self._taken[path] = 1
        self.owners.append(node)
        self.modes.append(mode)
        self.deadlines.append(reaction.deadline_ns)
        path_hash = int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "little")
        function, handler = reaction.function, reaction.handler
        if self._instrument is not None:
            number = len(self.paths) - 1
            function = self._instrument(number, path, node, function)
            if handler is not None:
                handler = self._instrument(number, path, node, handler)
        return self.graph.add_reaction(
            node.id,
            function,
            node.reactor,
            path_hash,
            mode or node.within,
            reaction.deadline_ns,
            handler,
        )

    def _unique(self, path: str) -> str:
        """The path, with a number behind it if a reaction has it already."""
        numbered = path
        while numbered in self._taken:
            self._taken[path] += 1
            numbered = f"{path}#{self._taken[path]}"
        return numbered

    def _add_added(self, node: Node, added: AddedReaction) -> None:
        path = self._unique(f"{node.path}.{added.name}")
        mode = self._modes.own(node, added.mode, added.name, added.line)
        number = self._add_reaction(node, path, added, mode)
        if not added.has_trigger:
            self._problem(f"{path} {NO_TRIGGER} ({added.line})")
        doubled = ambiguous(added.declared)
        if doubled is not None:
            self._problem(f"{path} {doubled} ({added.line})")
        for role, element in added.declared:
            is_own = is_built_in(element) or element.reactor is node.reactor
            reason = None if is_built_in(element) else self._out_of_reach(node, element, mode)
            reason = reason or misused(role, element, is_own)
            if element is reset and mode is None:
                self._check_reset(node, path, f" ({added.line})")
            if reason is not None:
                self._problem(f"{path} has {element} as {role_name(role)}: {reason} ({added.line})")
                continue
            if role == USE and is_own and isinstance(element, OUTPUTS):
                role = PEEK
            self.graph.declare(number, role, element)
            if role == EFFECT and isinstance(element, PORTS):
                channels = element.channels if isinstance(element, MULTIPORTS) else (element,)
                for channel in channels:
                    self.wiring.writers.setdefault(channel.id, []).append((mode, path))

    def _out_of_reach(self, node: Node, element: Any, mode: Any) -> str | None:
        """Why a reaction of `node`, in this mode of it, cannot name an element."""
        reason = self.wiring.out_of_reach(node, element)
        if reason is not None:
            return reason
        within = mode_in(node, element)
        if within is not None and within is not mode:
            return elsewhere_text("it", within)
        owner = node_of(element.reactor)
        if owner.enclave_id == node.enclave_id:
            return None
        return (
            f"{owner.path} is an enclave, with a time line of its own; connect the port, with"
            f" after=, to one of {node.path} or of a child beside it"
        )

    def _check_reset(self, node: Node, path: str, where: str = "") -> None:
        if node.within is None:
            self._problem(
                f"{path} has {reset} as trigger and lies in no mode, so that it would never come;"
                f" put it into `with <mode>:`{where}"
            )

    def _is_in_graph(self, element: Any) -> bool:
        return is_built_in(element) or (isinstance(element, ELEMENTS) and element.id >= 0)
