"""Diagrams: what is folded, labelled and marked, what lies where, and that formats are sound."""

import pickle
import re
import sys
from itertools import combinations, groupby, pairwise
from xml.etree import ElementTree

import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from programs import Pass, Wire
from real import RealProgram

import reactorrl as rr
from reactorrl.diagram import shown_time

pytest.importorskip("networkx")
from reactorrl.layout import lay_out


class Rollout(rr.Reactor):
    weights, trajectory = rr.Input(), rr.Output()

    @rr.reaction(rr.startup)
    def make_env(self):
        pass

    @rr.reaction(weights, effects=trajectory)
    def sample(self):
        pass


class Learner(rr.Reactor):
    trajectories, weights = rr.Input(width="n"), rr.Output()
    tick = rr.Timer("wait", rr.msec(5))
    flush = rr.LogicalAction(rr.usec(3))
    key = rr.PhysicalAction()

    def __init__(self, n):
        self.n, self.wait = n, rr.sec(1)

    @rr.reaction(trajectories, key, effects=[weights, flush])
    def learn(self):
        pass

    @rr.reaction(tick, flush, rr.shutdown, uses=trajectories)
    def log(self):
        pass


class Train(rr.Reactor):
    def __init__(self, n):
        self.rollouts = rr.Bank(n, Rollout)
        self.learner = Learner(n)
        self.connect(self.learner.weights, self.rollouts.weights, broadcast=True, after=0)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)
        self.add_reaction(self.watch, triggers=[self.learner.weights])

    def watch(self):
        pass


def graph_of(main):
    return rr.Program(main, workers=1).graph


def shown(graph):
    """Edges as (source, target, kind, label), with the box and the name at each end."""
    return {
        (
            f"{edge.source.box.label}.{edge.source.label}",
            f"{edge.target.box.label}.{edge.target.label}",
            edge.kind,
            edge.label,
        )
        for edge in graph.edges
    }


def test_levels():
    """The paths of the reactions, level by level."""
    assert graph_of(Train(2)).levels == [
        ["Train.rollouts[0].make_env", "Train.rollouts[1].make_env"],
        ["Train.rollouts[0].sample", "Train.rollouts[1].sample"],
        ["Train.learner.learn"],
        ["Train.watch", "Train.learner.log"],
    ]


def test_banks_are_folded():
    """A bank is one box with its number, whatever the number."""
    for n in (2, 6):
        graph = graph_of(Train(n))
        assert [box.title for box in graph.boxes] == [
            "Train",
            f"rollouts x{n} : Rollout",
            "learner : Learner",
        ]
        assert len(graph.edges) == 14


def test_edges():
    """Connections have delay and number; the rest is what the reactions declare."""
    assert shown(graph_of(Train(3))) == {
        ("learner.weights", "rollouts.weights", "delayed", "x3 after 0"),
        ("rollouts.trajectory", "learner.trajectories[3]", "connection", "x3"),
        ("learner.weights", "Train.watch", "trigger", ""),
        ("rollouts.startup", "rollouts.make_env", "trigger", ""),
        ("rollouts.weights", "rollouts.sample", "trigger", ""),
        ("rollouts.sample", "rollouts.trajectory", "effect", ""),
        ("learner.trajectories[3]", "learner.learn", "trigger", ""),
        ("learner.key", "learner.learn", "trigger", ""),
        ("learner.learn", "learner.weights", "effect", ""),
        ("learner.learn", "learner.flush", "effect", ""),
        ("learner.tick", "learner.log", "trigger", ""),
        ("learner.flush", "learner.log", "trigger", ""),
        ("learner.shutdown", "learner.log", "trigger", ""),
        ("learner.trajectories[3]", "learner.log", "use", ""),
    }


def test_notes():
    """Reactions have their level, timers and actions their times."""
    items = [item for box in graph_of(Train(2)).boxes for item in box.items.values()]
    assert {item.caption for item in items if item.note} == {
        "make_env L0",
        "sample L1",
        "learn L2",
        "watch L3",
        "log L3",
        "tick every 5 ms from 1 s",
        "flush +3 us",
    }


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0"), (1, "1 ns"), (2_000, "2 us"), (1_500_000, "1500 us"), (3 * 10**9, "3 s")],
)
def test_times(ns, text):
    """The largest unit that shows the time exactly."""
    assert shown_time(ns) == text


def test_lists_are_folded_by_class():
    """Members of a list are one box for each class, with loops for what connects them."""

    class Stage(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        @rr.reaction(inp, effects=out)
        def go(self):
            pass

    class Other(Stage):
        pass

    class Main(rr.Reactor):
        def __init__(self):
            self.stages = [Stage(), Stage(), Other()]
            for one, next_one in pairwise(self.stages):
                self.connect(one.out, next_one.inp, after=rr.msec(1))

    graph = graph_of(Main())
    assert [box.title for box in graph.boxes] == ["Main", "stages x2 : Stage", "stages : Other"]
    delayed = [edge for edge in graph.edges if edge.kind == "delayed"]
    assert [(e.source.box.title, e.target.box.title, e.label) for e in delayed] == [
        ("stages x2 : Stage", "stages x2 : Stage", "after 1 ms"),
        ("stages x2 : Stage", "stages : Other", "after 1 ms"),
    ]


class Bell(rr.Reactor):
    inp = rr.Input()


class Light(rr.Reactor):
    cars, lamp = rr.Input(), rr.Output()
    red, green = rr.Mode(initial=True), rr.Mode()
    with red:
        wait = rr.Timer(rr.sec(3))

        @rr.reaction(wait, rr.reset, effects=[green, lamp])
        def go(self):
            pass

    with green:

        @rr.reaction(cars, effects=[rr.history(red), green])
        def stop(self):
            pass

    def __init__(self):
        with self.green:
            self.bell = Bell()
            self.add_reaction(self.stop, rr.reset, effects=self.bell.inp)

    @rr.reaction(cars, effects=red, deadline=rr.msec(5))
    def outside(self):
        pass


class Lights(rr.Reactor):
    def __init__(self):
        self.lights = rr.enclave(rr.Bank(2, Light))


def test_modes():
    """A mode is a box in that of its reactor; transitions lead to its edge and are named."""
    graph = graph_of(Lights())
    assert [(box.title, box.parent and box.parent.title) for box in graph.boxes] == [
        ("Lights", None),
        ("lights x2 : Light, enclave", "Lights"),
        ("mode red, initial", "lights x2 : Light, enclave"),
        ("mode green", "lights x2 : Light, enclave"),
        ("bell : Bell", "mode green"),
    ]
    assert shown(graph) == {
        ("mode red, initial.wait", "mode red, initial.go", "trigger", ""),
        ("mode red, initial.reset", "mode red, initial.go", "trigger", ""),
        ("mode red, initial.go", "mode green.enter", "transition", "reset"),
        ("mode red, initial.go", "lights.lamp", "effect", ""),
        ("lights.cars", "mode green.stop", "trigger", ""),
        ("mode green.stop", "mode red, initial.enter", "transition", "history"),
        ("mode green.stop", "mode green.enter", "transition", "reset"),
        ("lights.cars", "lights.outside", "trigger", ""),
        ("lights.outside", "mode red, initial.enter", "transition", "reset"),
        ("mode green.reset", "mode green.stop#2", "trigger", ""),
        ("mode green.stop#2", "bell.inp", "effect", ""),
    }
    places = {
        (edge.source.label, edge.target.label): edge.box.title.partition(" ")[0]
        for edge in graph.edges
    }
    assert places["wait", "go"] == places["stop#2", "inp"] == "mode"
    assert places["go", "enter"] == places["stop", "enter"] == places["go", "lamp"] == "lights"
    notes = [item.note for box in graph.boxes for item in box.items.values() if item.note]
    assert sum(note.endswith(", within 5 ms") for note in notes) == 1


def test_modes_in_every_format():
    """The boxes of modes and enclaves are marked."""
    graph = graph_of(Lights())
    areas = lay_out(graph)
    outer, *inner = (areas[box] for box in graph.boxes[1:4])
    assert all(outer.x < area.x < area.x + area.width < outer.x + outer.width for area in inner)
    svg = graph.to_svg()
    ElementTree.fromstring(svg)
    assert svg.count(' rx="14"') == 2
    assert svg.count('stroke-dasharray="9 5"') == 3  # a bank is three shadows deep
    mermaid = graph.to_mermaid()
    assert '==>|"history"|' in mermaid
    assert "style r1 fill:none,stroke-dasharray" in mermaid
    dot = graph.to_dot()
    assert dot.count("style=rounded") == 2
    assert dot.count("style=bold") == 4


def test_svg():
    """Well-formed XML without references to anything outside, with every label."""
    svg = graph_of(Train(6)).to_svg()
    root = ElementTree.fromstring(svg)
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {
        "Train",
        "rollouts x6 : Rollout",
        "trajectories[6]",
        "learn",
        "L2",
        "x6 after 0",
    } <= texts
    assert set(re.findall(r'(?:href|src)="([^"]*)"', svg)) == set()


def rectangle(area, unit):
    x, y = area.x + unit.x, area.y + unit.y
    return x, y, x + unit.width, y + unit.height


def lie_apart(one, other):
    return any(
        first[end] <= second[start] + 0.01  # both are sums of fractions
        for first, second in ((one, other), (other, one))
        for start, end in ((0, 2), (1, 3))
    )


def strokes(route):
    """The straight parts of a route, and for each of its curves the box around it."""
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(route.points)):
        if route.is_lane or i % 2 == 0:
            assert x0 == x1 or y0 == y1
        yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def check_layout(graph):
    """Nothing overlaps, nothing sticks out, and no line crosses a box or an item."""
    areas = lay_out(graph)
    for area in areas.values():
        places = {unit: rectangle(area, unit) for unit in area.units}
        for x0, y0, x1, y1 in places.values():
            assert area.x <= x0
            assert area.y + 20 <= y0, "the title is free"
            assert x1 <= area.x + area.width
            assert y1 <= area.y + area.height
        for one, other in combinations(places.values(), 2):
            assert lie_apart(one, other)
        sides = {
            kind: sorted(y for item, y in area.ports.items() if item.kind == kind and item.label)
            for kind in ("input", "output")
        }
        for heights in sides.values():
            assert all(below - above >= 19.9 for above, below in pairwise(heights))
        for route in area.routes:
            ends = {route.source, route.target, route.source.box, route.target.box}
            for left, top, right, bottom in strokes(route):
                assert area.x <= left
                assert right <= area.x + area.width
                for unit, place in places.items():
                    if unit.item not in ends and unit.box not in ends:
                        assert lie_apart((left, top, right, bottom), place)
    return areas


def test_boxes_lie_inside_of_their_parents_and_apart():
    """In every program here nothing overlaps, and lines run between the boxes."""
    for main in (Train(6), Lights(), Ring(5), Uneven(4), Long(12)):
        areas = check_layout(graph_of(main))
        assert all(area.width > 0 for area in areas.values())


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(strategies.programs(strategies.MIXED_ENCLAVES))
def test_random_programs_are_laid_out_without_overlaps(spec):
    """Whatever a program consists of: modes, banks, enclaves, nesting."""
    check_layout(graph_of(RealProgram(spec).main()))


class Ring(rr.Reactor):
    """A bank in a ring, with an own delay."""

    def __init__(self, n):
        self.stages = rr.Bank(n, Pass)
        members = list(self.stages)
        for one, following in pairwise([*members, members[0]]):
            self.connect(one.out, following.inp, after=rr.msec(one.bank_index + 1))


class Long(rr.Reactor):
    """A chain of differently named children."""

    def __init__(self, n):
        stages = [Pass() for _ in range(n)]
        for number, stage in enumerate(stages):
            setattr(self, f"stage{number}", stage)
        for one, following in pairwise(stages):
            self.connect(one.out, following.inp)
        self.connect(stages[-1].out, stages[0].inp, after=0)


def test_a_long_chain_is_broken_into_rows():
    """No picture is wider than a page because many reactors follow each other."""
    graph = graph_of(Long(12))
    areas = check_layout(graph)
    main, *stages = (areas[box] for box in graph.boxes)
    assert main.width < 1100
    rows = [[stage.box.label for stage in row] for _, row in groupby(stages, lambda a: round(a.y))]
    assert rows == [[f"stage{i}" for i in range(start, start + 3)] for start in (0, 3, 6, 9)]


class Member(rr.Reactor):
    """One of a bank whose members differ."""

    inp = rr.Input(width="n")
    extra = rr.Output()

    def __init__(self):
        self.n = self.bank_index + 1
        self.tick = rr.Timer(self.n, rr.msec(10 * self.n))
        self.parts = rr.Bank(self.bank_index, Pass)
        self.add_reaction(self.read, self.inp)
        if self.bank_index == 2:
            self.own = rr.LogicalAction(5)
            self.add_reaction(self.late, self.tick, effects=[self.own, self.extra])

    def read(self):
        pass

    def late(self):
        pass


class Uneven(rr.Reactor):
    def __init__(self, n):
        self.members = rr.Bank(n, Member)
        self.add_reaction(self.feed, rr.startup, effects=self.members[n - 1].inp)

    def feed(self):
        pass


def test_a_bank_shows_what_any_of_its_members_has():
    """Widths, levels, times and numbers are ranges where the members differ."""
    graph = graph_of(Uneven(4))
    assert [box.title for box in graph.boxes] == [
        "Uneven",
        "members x4 : Member",
        "parts x0-3 : Pass",
    ]
    captions = {item.kind: item.caption for item in graph.boxes[1].items.values()}
    assert captions == {
        "input": "inp[1-4]",
        "output": "extra",
        "timer": "tick every 10 ms from 1 ns or others",
        "logical": "own +5 ns",
        "reaction": "late L1",
    }
    assert graph.boxes[1].items["read()"].caption == "read L0-1"
    assert ("members.late", "members.own", "effect", "") in shown(graph)


def test_interleaved_connections():
    """Only those whose channels take turns are called so."""

    class Comb(rr.Reactor):
        inp, out = rr.Input(width=3), rr.Output(width=3)

    class Main(rr.Reactor):
        def __init__(self, how):
            self.left, self.right = rr.Bank(4, Comb), rr.Bank(4, Comb)
            self.connect(how(self.left.out), self.right.inp)

    (edge,) = graph_of(Main(rr.interleaved)).edges
    assert edge.label == "x12 interleaved"
    (edge,) = graph_of(Main(list)).edges
    assert edge.label == "x12"


def test_physical_connections():
    """They are named."""

    def build(self):
        self.a, self.b = Pass(), Pass()
        self.connect(self.a.out, self.b.inp, physical=True, after=rr.msec(2))

    graph = graph_of(Wire(build))
    (edge,) = [edge for edge in graph.edges if edge.kind == "physical"]
    assert edge.label == "physical after 2 ms"
    assert '|"physical after 2 ms"|' in graph.to_mermaid()


def test_elements_may_have_the_names_of_built_in_triggers():
    """A timer called `startup` is not taken for the trigger."""

    class Main(rr.Reactor):
        startup = rr.Timer(5)

        @rr.reaction(rr.startup)
        def first(self):
            pass

    assert shown(graph_of(Main())) == {("Main.startup", "Main.first", "trigger", "")}
    kinds = {item.kind for item in graph_of(Main()).boxes[0].items.values()}
    assert kinds == {"timer", "startup", "reaction"}


class Ask(rr.Reactor):
    """Reads what it gets before it asks, so that it asks too late."""

    inp, out = rr.Input(), rr.Output()

    @rr.reaction(inp)
    def answer(self):
        pass

    @rr.reaction(rr.startup, effects=out)
    def ask(self):
        pass


class Loop(rr.Reactor):
    def __init__(self):
        self.ask, self.back, self.aside = Ask(), Pass(), Pass()
        self.connect(self.ask.out, self.back.inp)
        self.connect(self.back.out, self.ask.inp)
        self.connect(self.ask.out, self.aside.inp)


def loop_of(main):
    with pytest.raises(rr.CausalityLoopError) as caught:
        rr.Program(main, workers=1)
    return caught.value


def test_a_causality_loop_is_marked():
    """The error carries the diagram; in it the loop is marked, and nothing else."""
    error = loop_of(Loop())
    graph = error.graph
    assert error.graph is graph
    marked = {(e.source.name, e.target.name, e.kind) for e in graph.edges if e.is_in_loop}
    assert marked == {
        ("answer", "ask", "order"),
        ("ask", "out", "effect"),
        ("out", "inp", "connection"),
        ("inp", "forward", "trigger"),
        ("forward", "out", "effect"),
        ("inp", "answer", "trigger"),
    }
    assert sum(edge.is_in_loop for edge in graph.edges) == 7
    items = [item for box in graph.boxes for item in box.items.values() if item.is_in_loop]
    assert {f"{item.box.label}.{item.name}" for item in items} == {
        "ask.inp",
        "ask.answer",
        "ask.ask",
        "ask.out",
        "back.inp",
        "back.forward",
        "back.out",
    }
    assert graph.levels == []
    assert repr(graph) == "<Graph of Loop, with a causality loop>"
    check_layout(graph)


def test_a_causality_loop_is_red_in_every_format():
    """The strokes of its edges and reactions, and a line that says what red means."""
    graph = loop_of(Loop()).graph
    root = ElementTree.fromstring(graph.to_svg())
    red = [element for element in root.iter() if element.get("stroke") == "#d1242f"]
    assert len(red) == 7 + 3
    assert "in red: a causality loop" in graph.to_svg()
    numbers = [i for i, edge in enumerate(graph.edges) if edge.is_in_loop]
    mermaid = graph.to_mermaid()
    assert f"linkStyle {','.join(map(str, numbers))} stroke:#d1242f" in mermaid
    assert mermaid.count("stroke:#d1242f") == 1 + 7
    assert graph.to_dot().count('color="#d1242f"') == 7 + 7
    assert "#d1242f" not in graph_of(Train(2)).to_svg()


def test_a_loop_through_a_bank_is_marked_on_its_one_box():
    """The members are one box, so the loop leads from it to itself."""

    def build(self):
        self.stages = rr.Bank(3, Pass)
        members = list(self.stages)
        for one, following in pairwise([*members, members[0]]):
            self.connect(one.out, following.inp)

    graph = loop_of(Wire(build)).graph
    assert {(e.source.name, e.target.name) for e in graph.edges if e.is_in_loop} == {
        ("out", "inp"),
        ("inp", "forward"),
        ("forward", "out"),
    }


def test_a_loop_through_a_mode_is_red_inside_of_it():
    """Also where another edge takes the same way out of the mode."""

    class Modal(rr.Reactor):
        inp, other, out = rr.Input(), rr.Output(), rr.Output()
        on = rr.Mode(initial=True)
        with on:

            @rr.reaction(inp, effects=[other, out])
            def go(self):
                pass

    def build(self):
        self.modal = Modal()
        self.connect(self.modal.out, self.modal.inp)

    graph = loop_of(Wire(build)).graph
    areas = check_layout(graph)
    inside, outside = (
        [route.edge.is_in_loop for route in areas[box].routes] for box in graph.boxes[:0:-1]
    )
    assert inside == [True, True]
    assert sorted(outside) == [False, True, True]


def test_a_loop_beside_other_problems_is_not_drawn():
    """What is wrong otherwise comes first; and an error from another process has no diagram."""

    class Main(Loop):
        act = rr.LogicalAction(policy="drop")

    error = loop_of(Main())
    assert len(error.problems) == 2
    assert error.graph is None
    original = loop_of(Loop())
    copy = pickle.loads(pickle.dumps(original))
    assert copy.cycle == original.cycle
    assert str(copy) == str(original)
    assert copy.graph is None


def test_mermaid():
    """Brackets match, and every edge joins what was declared."""
    lines = graph_of(Train(2)).to_mermaid().splitlines()
    assert lines[0] == "flowchart LR"
    stripped = [line.strip() for line in lines[1:]]
    assert sum(line.startswith("subgraph") for line in stripped) == stripped.count("end") == 3
    items = [re.match(r"(r\d+_\d+)(?:\W+\"|>\")", line) for line in stripped]
    known = {match[1] for match in items if match}
    edges = [re.match(r"(\w+) -[-.]+>(?:\|.*\|)? (\w+)$", line) for line in stripped]
    ends = [match.groups() for match in edges if match]
    assert len(ends) == 14
    assert {end for pair in ends for end in pair} <= known
    assert any('|"x2 after 0"|' in line for line in stripped)


def test_dot():
    """Brackets match, and there is an arrow for each edge."""
    dot = graph_of(Train(2)).to_dot()
    assert dot.count("{") == dot.count("}") == 4
    assert dot.count(" -> ") == 14
    assert 'label="rollouts x2 : Rollout"' in dot


def test_quotes_in_names():
    """A name from outside cannot break the formats."""

    class Main(rr.Reactor):
        pass

    main = Main()
    setattr(main, 'a"b<c>', [Rollout()])
    graph = graph_of(main)
    assert "a&quot;b&lt;c&gt;" in graph.to_svg()
    assert '["a#quot;b#lt;c#gt; : Rollout"]' in graph.to_mermaid()
    assert 'label="a\\"b<c> : Rollout"' in graph.to_dot()
    main = Main()
    setattr(main, "%%{#`&\\", [Rollout()])
    graph = graph_of(main)
    assert '["#37;#37;{#35;#96;#amp;\\ : Rollout"]' in graph.to_mermaid()
    assert 'label="%%{#`&\\\\ : Rollout"' in graph.to_dot()


def test_notebooks():
    """A notebook shows the SVG, a terminal one line; the graph is the same object every time."""
    program = rr.Program(Train(2), workers=1)
    graph = program.graph
    assert program.graph is graph
    bundle = graph._repr_mimebundle_()
    assert bundle["image/svg+xml"] == graph.to_svg()
    assert bundle["text/plain"] == repr(graph) == "<Graph of Train: 7 reactions on 4 levels>"


def test_without_networkx(monkeypatch):
    """Only the SVG needs it; the error says what to install, and notebooks get Mermaid."""
    for name in ("networkx", "reactorrl.svg", "reactorrl.layout", "reactorrl.layers"):
        monkeypatch.setitem(sys.modules, name, None)
        if name != "networkx":
            monkeypatch.delitem(sys.modules, name)
            monkeypatch.delattr(rr, name.rpartition(".")[2], raising=False)
    graph = graph_of(Train(2))
    with pytest.raises(ImportError, match=r"networkx .*pip install 'reactorrl\[viz\]'"):
        graph.to_svg()
    bundle = graph._repr_mimebundle_()
    assert bundle["text/vnd.mermaid"] == graph.to_mermaid()
    assert bundle["text/plain"].startswith("<Graph of Train: 7 reactions on 4 levels>\nnetworkx")
    assert graph.to_dot().startswith("digraph")


def test_deep_nesting():
    """A tree deeper than Python's stack is drawn, too."""

    class Doll(rr.Reactor):
        pass

    main = inner = Doll()
    for _ in range(1500):
        inner.doll = Doll()
        inner = inner.doll
    graph = graph_of(main)
    assert len(graph.boxes) == 1501
    assert graph.to_mermaid().count("subgraph") == 1501
    ElementTree.fromstring(graph.to_svg())
