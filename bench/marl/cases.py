"""What an env step costs whose agents each have a policy of their own, and when to batch them."""

from importlib.util import find_spec

from ..figures import Figure
from ..harness import FULL, QUICK, SMOKE, Case, Settings
from ..micro.sides import OURS_1, OURS_2, faster
from ..place import Place
from ..results import Controls, Finding, Goal, Published
from ..samples import Measured
from ..sides import GIL_ON, HERE, RAY, learning_places, learning_sides

OURS_BATCHED = "reactorrl, one batched forward"
OURS_LOCKED = "same program, GIL on, 2 workers"
PER_AGENT, BATCHED = "one thread, agent by agent", "one thread, one batched forward"
BARRIER = "2 threads with a barrier"
RAY_EACH, RAY_SHARED = "Ray, tuned, an actor for each agent", "Ray, tuned, 2 actors"
RAY_COMPILED, RAY_ARTIFACT = "Ray Compiled Graph, 2 actors", "Ray, as in the artifact"
AGENTS = {FULL.mode: (2, 4, 8, 10, 16, 32), QUICK.mode: (2, 10), SMOKE.mode: (2, 10)}
OF_THE_GOALS = 10

FIGURES = (
    Figure(
        "marl",
        "Traffic junction: an env step against the number of agents",
        what="one env step",
        y_label="one env step",
        x="agents",
        x_label="agents, each with an MLP of its own",
        log_x=True,
        log_y=True,
    ),
)
PUBLISHED = tuple(
    Published(
        f"marl-{agents}",
        "one env step",
        "ns",
        {"Ray": ray / 100_000 * 1e9, "reactors": reactors / 100_000 * 1e9},
        "arXiv 2312.04704, 32 processors, 100 000 env steps",
    )
    for agents, ray, reactors in ((4, 170, 72), (10, 917, 179))
)

CONTROLS = Controls(
    one=OURS_1,
    two=OURS_2,
    gil=OURS_LOCKED,
    loop=PER_AGENT,
    threads=BARRIER,
    artifact=RAY_ARTIFACT,
    ray=(RAY_EACH, RAY_SHARED, RAY_COMPILED, RAY_ARTIFACT),
)


def cases(settings: Settings) -> list[Case]:
    """One for each number of agents."""
    places = learning_places(settings)
    return [inference(places, agents, settings) for agents in AGENTS[settings.mode]]


def inference(places: dict[str, Place], agents: int, settings: Settings) -> Case:
    """All sides must have chosen the same actions; a quick run has Ray at one number of agents."""
    ours, peers = "bench.marl.inference:inference", "bench.marl.peers"
    traffic = find_spec("reactorrl.rl.traffic")
    file = {"file": traffic.origin if traffic else ""}
    sides = [
        (OURS_1, HERE, ours, {"workers": 1}),
        (OURS_2, HERE, ours, {"workers": 2}),
        (OURS_BATCHED, HERE, ours, {"workers": 1, "batched": True}),
        (OURS_LOCKED, GIL_ON, ours, {"workers": 2}),
        (PER_AGENT, HERE, f"{peers}.here:per_agent", file),
        (BATCHED, HERE, f"{peers}.here:batched", file),
        (BARRIER, HERE, f"{peers}.here:barrier", {**file, "threads": 2}),
    ]
    if settings.mode != QUICK.mode or agents == OF_THE_GOALS:
        sides += [
            (RAY_EACH, RAY, f"{peers}.with_ray:tuned", {**file, "actors": agents}),
            (RAY_SHARED, RAY, f"{peers}.with_ray:tuned", {**file, "actors": 2}),
            (RAY_COMPILED, RAY, f"{peers}.with_ray:compiled_graph", {**file, "actors": 2}),
            (RAY_ARTIFACT, RAY, f"{peers}.with_ray:as_in_the_artifact", file),
        ]
    contenders = learning_sides(
        settings,
        places,
        {"agents": agents},
        sides,
        not_in_quick=(RAY_EACH, RAY_COMPILED, RAY_ARTIFACT),
        alone=(RAY_COMPILED,),
    )

    def conclude(measured: Measured) -> list[Finding]:
        best = faster(measured, OURS_1, OURS_2)
        times = {label: measured.summary(label) for label in measured.samples}
        found = [Finding("one env step", "ns", best, times)]
        for label, least in ((RAY_EACH, 20.0), (RAY_SHARED, 20.0), (PER_AGENT, 1.0)):
            if {best, label} <= measured.samples.keys():
                goal = Goal(at_least=least) if agents == OF_THE_GOALS else None
                ratio = {best: measured.ratio(label, best)}
                found.append(Finding(f"{label} against ours", "x", best, ratio, goal))
        return found

    return Case(
        f"marl-{agents}",
        f"What does an env step cost whose {agents} agents each have a policy?",
        contenders,
        conclude,
        seconds=40 if settings.mode == FULL.mode else 8,
        at={"agents": agents},
    )
