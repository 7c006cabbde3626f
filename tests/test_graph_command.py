"""`reactorrl graph`: what it takes, writes and says, and its exit status."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reactorrl import __main__, rl
from reactorrl.rl import presets

pytest.importorskip("networkx")

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

MODULE = """\
import reactorrl as rr

class Leaf(rr.Reactor):
    inp, out = rr.Input(), rr.Output()

    @rr.reaction(inp)
    def first(self):
        raise AssertionError("it runs")

    @rr.reaction(rr.startup, effects=out)
    def second(self):
        raise AssertionError("it runs")

class Main(rr.Reactor):
    def __init__(self, n, name="leaf", *, is_delayed=True):
        self.leaves = rr.Bank(n, Leaf)
        self.name = name
        delay = {"after": 0} if is_delayed else {}
        self.connect(self.leaves.out, self.leaves.inp, **delay)

class Broken(rr.Reactor):
    tick = rr.Timer("period")

def make(n=2):
    return Main(n)

def program(n):
    return rr.Program(Main(n), workers=1)

def number():
    return 3

def fail():
    return {}["key"]

made = Main(4)
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """`drawn.py` in the current folder, which Python does not search."""
    (tmp_path / "drawn.py").write_text(MODULE)
    (tmp_path / "raises.py").write_text("import json\nNUMBER = 1 / 0\n")
    (tmp_path / "needs.py").write_text("import no_such_module\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield tmp_path
    assert sys.path == before
    for name in ("drawn", "raises", "needs", "learns", "hello"):
        sys.modules.pop(name, None)


@pytest.fixture
def graph(capsys):
    """Exit status, standard output and standard error of `reactorrl graph ...`."""

    def run(*arguments):
        try:
            status = __main__.main(["graph", *arguments])
        except SystemExit as exit_:
            status = exit_.code
        return (status, *capsys.readouterr())

    return run


@pytest.mark.parametrize(
    ("arguments", "n"),
    [
        (["drawn:Main", "n=3"], 3),
        (["drawn:make"], 2),
        (["drawn:make", "n=5"], 5),
        (["drawn:program", "n=6"], 6),
        (["drawn:made"], 4),
        (["drawn.py:Main", "n=3", "name=text"], 3),
        (["-o", "-", "drawn:Main", "n=3"], 3),
    ],
)
def test_what_can_be_drawn(graph, arguments, n):
    """Classes, functions and what has been made; as Mermaid on the screen. Nothing runs."""
    status, out, err = graph(*arguments)
    assert (status, err) == (0, "")
    assert out.startswith("flowchart LR\n")
    assert f'["leaves x{n} : Leaf"]' in out
    assert f'|"x{n} after 0"|' in out


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.svg", "<svg xmlns"),
        ("a.mmd", "flowchart LR"),
        ("a.mermaid", "flowchart LR"),
        ("a.dot", "digraph program {"),
        ("a.GV", "digraph program {"),
    ],
)
def test_files(graph, module, name, start):
    """The kind of file is that of its name, wherever `-o` stands."""
    for arguments in (
        ["drawn:Main", "n=3", "-o", name],
        ["-o", name, "drawn:Main", "n=3"],
        ["drawn:Main", "-o", name, "n=3"],
    ):
        (module / name).unlink(missing_ok=True)
        status, out, err = graph(*arguments)
        assert (status, err) == (0, "")
        assert out == f"wrote {name}: <Graph of Main: 6 reactions on 2 levels>\n"
        assert (module / name).read_text().startswith(start)


def test_a_format_of_ones_own(graph, module):
    """`--format` is stronger than the name, and works on the screen."""
    assert graph("drawn:made", "--format", "dot", "-o", "a.txt")[0] == 0
    assert (module / "a.txt").read_text().startswith("digraph")
    status, out, _ = graph("drawn:make", "--format=svg")
    assert status == 0
    assert ElementTree.fromstring(out).tag.endswith("svg")


def test_levels(graph, module):
    """Paths that differ in numbers alone are one line; a diagram only if a file is named."""
    status, out, err = graph("drawn:Main", "n=1000", "--levels")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "L0: 1000 reactions",
        "  Main.leaves[0-999].first",
        "L1: 1000 reactions",
        "  Main.leaves[0-999].second",
    ]
    status, out, _ = graph("drawn:Main", "n=1", "--levels", "-o", "a.svg")
    assert out.splitlines()[0] == "L0: 1 reaction"
    assert (module / "a.svg").read_text().startswith("<svg")


def test_a_causality_loop_is_drawn_and_is_an_error(graph, module):
    """The picture is written, the text of the error tells the loop, the status is 1."""
    arguments = ["drawn:Main", "n=1", "is_delayed=False"]
    status, out, err = graph(*arguments, "-o", "loop.svg")
    assert status == 1
    assert err.startswith("reactorrl graph: causality loop, each waits for the one before: ")
    assert "give after=0" in err
    assert out == "wrote loop.svg: <Graph of Main, with a causality loop>\n"
    assert "#d1242f" in (module / "loop.svg").read_text()
    status, out, err = graph(*arguments)
    assert status == 1
    assert "linkStyle" in out
    status, out, _ = graph(*arguments, "--levels")
    assert (status, out) == (1, "no levels, as the reactions of the loop wait for each other\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drawn:Main"], "drawn:Main(n, name='leaf', *, is_delayed=True): missing a required"),
        (
            ["drawn:Main", "n=1", "k=2"],
            "got an unexpected keyword argument 'k'; give its arguments",
        ),
        (["drawn:Leaf", "n=1"], "drawn:Leaf(): got an unexpected keyword argument 'n'"),
        (["drawn:made", "n=1"], "drawn:made has been made already, so it takes no n="),
        (["drawn:Nope"], "drawn has no 'Nope'; name what to draw: drawn:Leaf, drawn:Main"),
        (["drawn"], "drawn is a module; name what to draw: drawn:Leaf, drawn:Main, drawn:Broken"),
        (["drawn.py"], "drawn.py is a module; name what to draw: drawn.py:Leaf"),
        (["drawn:MODULE"], "drawn has no 'MODULE'"),
        (["drawn:number"], "drawn:number returned int; it must return a Reactor, or a Program"),
        (["drawn:fail"], "drawn:fail raised KeyError: 'key'"),
        (["drawn:Broken"], "Broken.tick: its offset is self.period, which is not there"),
        (["nothing:Main"], "no module 'nothing' in "),
        (["drawn.more:Main"], "no module 'drawn.more' in "),
        (["nothing.py:Main"], "no file nothing.py in "),
        (["raises:Main"], "importing raises raised ZeroDivisionError"),
        (["raises.py:Main"], "importing raises.py raised ZeroDivisionError"),
        (["needs:Main"], "importing needs needs no_such_module, which is not installed"),
        (["nothing"], "no program 'nothing'; give module:Class, file.py:Class, or dqn, ppo"),
        ([""], "no program ''; give module:Class"),
        (["drawn:made", "-o", "no/a.svg"], "make the folder first"),
        (["qlearning", "colour=3"], "qlearning has no option 'colour'; there are env_id, seed"),
        (["qlearning", "num_envs=0"], "qlearning: num_envs=0: must be at least 1"),
    ],
)
def test_what_cannot_be_drawn(graph, module, arguments, message):
    """Every error says what to do; no file is left."""
    status, out, err = graph(*arguments)
    assert (status, out) == (1, "")
    assert message in err
    assert err.splitlines()[-1].startswith("reactorrl graph: ")
    assert {path.suffix for path in module.iterdir()} <= {".py", ""}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: program"),
        (["drawn:Main", "3"], "'3': arguments of the program are given as name=value"),
        (["drawn:Main", "a b=3"], "arguments of the program are given as name=value"),
        (["drawn:Main", "-o", "a.png"], "end it in .svg, .mmd or .dot, or name one with --format"),
        (["drawn:Main", "-o", "plain"], "end it in .svg, .mmd or .dot"),
        (["drawn:Main", "--format", "png"], "invalid choice: 'png'"),
        (["drawn:Main", "--nope"], "unrecognized arguments: --nope"),
    ],
)
def test_wrong_use(graph, arguments, message):
    """It is refused before anything is imported."""
    status, out, err = graph(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "drawn" not in sys.modules


def test_programs_that_learn(graph, module, monkeypatch):
    """By the name that `train` has for them, or as one's own; with the options of `train`."""
    (module / "learns.py").write_text(
        "from reactorrl import rl\n\nclass Mine(rl.QLearning): ...\n\n"
        "class MineOptions(rl.QLearningOptions): ...\n"
    )
    preset = presets.Preset("here", {"num_envs": 6, "num_rollouts": 6})
    env_id = rl.QLearningOptions().env_id
    monkeypatch.setattr(presets, "PRESETS", {("qlearning", env_id): preset})
    for arguments, n in (
        (["qlearning"], 6),
        (["qlearning", "num_rollouts=2"], 2),
        (["qlearning", "env_id=FrozenLake8x8-v1", "num_envs=3"], 3),
        (["learns:Mine", "num_envs=2"], 2),
        (["learns.py:Mine", "num_envs=3"], 3),
    ):
        status, out, err = graph(*arguments)
        assert (status, err) == (0, "")
        assert f'["rollouts x{n} : ' in out


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["hello.py:Hello"], "prompt : Printer"),
        (["a3c.py:A3C", "updates=3"], "actors x4 : ActorLearner, enclave"),
        (["asynchronous.py:Bandit"], "learner : Learner"),
        (["parallel_dqn.py:Train", "env_id=CartPole-v1", "n=6", "rounds=8"], "rollouts x6"),
    ],
)
def test_the_examples(graph, arguments, title):
    """Every reactor program among them, by its file."""
    file, *values = arguments
    status, out, err = graph(str(EXAMPLES / file), *values, "--format", "svg")
    assert (status, err) == (0, "")
    texts = [element.text for element in ElementTree.fromstring(out).iter()]
    assert any(text and text.startswith(title) for text in texts)


def test_as_a_process(module):
    """A module beside the user is found, and the status is that of the process."""
    command = [sys.executable, "-P", "-m", "reactorrl", "graph", "drawn:Main", "n=1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("flowchart LR")
    done = subprocess.run([*command, "is_delayed=False"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_help(graph, capsys):
    """It shows what can be drawn, and is listed."""
    status, out, _ = graph("--help")
    assert status == 0
    assert "module:Class" in out
    assert "reactorrl graph dqn num_envs=6 -o dqn.svg" in out
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    assert "draw a program without running it" in capsys.readouterr().out
