"""Diagrams: what is folded, what is labelled, and that the formats are well formed."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

import reactorrl as rr
from reactorrl.diagram import shown_time
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
    assert (
        shown(graph_of(Train(3)))
        == {
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
        - set()
    )


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
    assert "style r1 stroke-dasharray" in mermaid
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


def test_boxes_lie_inside_of_their_parents_and_apart():
    """No two children of a box overlap, and none sticks out."""
    graph = graph_of(Train(6))
    areas = lay_out(graph)
    for box in graph.boxes:
        outer = areas[box]
        inner = [areas[child] for child in box.children]
        for area in inner:
            assert outer.x <= area.x
            assert outer.y <= area.y
            assert area.x + area.width <= outer.x + outer.width
            assert area.y + area.height <= outer.y + outer.height
        for a, b in pairwise(sorted(inner, key=lambda area: area.x)):
            assert a.x + a.width < b.x or a.y + a.height < b.y or b.y + b.height < a.y


def test_mermaid():
    """Brackets match, and every edge joins what was declared."""
    lines = graph_of(Train(2)).to_mermaid().splitlines()
    assert lines[0] == "flowchart LR"
    stripped = [line.strip() for line in lines[1:]]
    assert sum(line.startswith("subgraph") for line in stripped) == stripped.count("end") == 3
    known = {line.split('"')[0].rstrip("([{>") for line in stripped if '"' in line}
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
    assert "a'b<c>" in graph.to_mermaid()
    assert "a'b<c>" in graph.to_dot()


def test_notebooks():
    """A notebook shows the SVG, a terminal one line; the graph is the same object every time."""
    program = rr.Program(Train(2), workers=1)
    graph = program.graph
    assert program.graph is graph
    bundle = graph._repr_mimebundle_()
    assert bundle["image/svg+xml"] == graph.to_svg()
    assert bundle["text/plain"] == repr(graph) == "<Graph of Train: 7 reactions on 4 levels>"


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
