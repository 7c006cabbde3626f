"""DQN, PPO, A2C and A3C on classic control, with the settings of the published results.

CleanRL reports the mean return of the last episodes of training, rl-zoo that of a policy evaluated
after it; each row says which of the two it is. rl-zoo publishes one run of each.
"""

from functools import cache, partial
from typing import Any

from reactorrl import rl
from reactorrl.rl.evaluate import evaluate
from reactorrl.rl.presets import load_program, preset_for

from .case import Case, Outcome, mean_and_interval, trained

LAST = 100
"""Training episodes whose mean CleanRL reports."""
EPISODES = 100
"""Of an evaluation."""
CHOOSING = 10
"""Episodes of each evaluation by which the best weights are chosen."""
EVALUATIONS = 20
"""Of them, evenly spread over the training."""


def program_of(name: str, env_id: str, seed: int, **changes: Any) -> rl.Algorithm:
    """A program with the preset of its env."""
    make, options = load_program(name)
    values = {**preset_for(name, env_id).values, **changes}
    return make(options(env_id=env_id, seed=seed, cuda=False, **values))


def last_episodes(name: str, env_id: str, changes: dict[str, Any], seed: int) -> Outcome:
    """Train with the program's own defaults, which are CleanRL's, but for `changes`."""
    make, options = load_program(name)
    algorithm = make(options(env_id=env_id, seed=seed, cuda=False, **changes))
    seconds = trained(algorithm)
    return Outcome(algorithm.episodes.mean_return(LAST), algorithm.episodes.env_steps, seconds)


@cache
def evaluated(name: str, env_id: str, seed: int) -> tuple[Outcome, Outcome]:
    """Train with the preset; evaluate the last weights, and those that were best on the way."""
    algorithm = program_of(name, env_id, seed)
    every = max(1, algorithm.options.rounds // EVALUATIONS)
    make_env = rl.env_maker(env_id)
    best: list[Any] = [float("-inf"), None]
    rounds = 0

    def choose() -> None:
        nonlocal rounds
        rounds += 1
        if rounds % every == 0:
            weights = algorithm.learner.latest
            returns = evaluate(
                algorithm.greedy_policy(), weights, make_env, episodes=CHOOSING, seed=seed + 1_000
            )
            if sum(returns) > best[0]:
                best[:] = sum(returns), weights

    algorithm.gate.hook = choose
    seconds = trained(algorithm)
    found = []
    for weights in (algorithm.learner.latest, best[1]):
        policy = algorithm.greedy_policy()
        returns = evaluate(policy, weights, make_env, episodes=EPISODES, seed=seed + 2_000)
        mean, half = mean_and_interval(returns)
        note = f"{mean:.1f} ± {half:.1f} (95 %) over {EPISODES} episodes"
        found.append(Outcome(mean, algorithm.episodes.env_steps, seconds, note))
    return found[0], found[1]


def zoo(name: str, env_id: str, published: str, bar: float) -> list[Case]:
    """Two rows from the same runs: what came out at the end, and the best on the way."""

    def which(index: int, seed: int) -> Outcome:
        return evaluated(name, env_id, seed)[index]

    return [
        Case(
            name=f"{name}-{env_id}-{what}",
            experiment=f"{name.upper()} with rl-zoo's settings, {env_id}",
            measure=f"greedy return, {words}",
            reference=published,
            bar=bar,
            train=partial(which, index),
        )
        for index, (what, words) in enumerate(
            (("last", "last weights"), ("best", f"best weights of {EVALUATIONS} evaluations"))
        )
    ]


def clean(
    name: str, env_id: str, published: str, bar: float, *, at_most: float = float("inf")
) -> Case:
    """A row with CleanRL's settings and 500 000 env steps."""
    return Case(
        name=f"{name}-{env_id}",
        experiment=f"{name.upper()} with CleanRL's settings, {env_id}",
        measure=f"return of the last {LAST} episodes of training",
        reference=published,
        bar=bar,
        train=partial(last_episodes, name, env_id, {"total_timesteps": 500_000}),
        at_most=at_most,
    )


def pong(seed: int) -> Outcome:
    """A tenth of the steps that CleanRL takes: enough to see that it learns."""
    algorithm = program_of("ppo", "ALE/Pong-v5", seed, total_timesteps=1_000_000)
    seconds = trained(algorithm)
    return Outcome(algorithm.episodes.mean_return(LAST), algorithm.episodes.env_steps, seconds)


CASES = [
    *zoo("dqn", "CartPole-v1", "500 (rl-zoo)", 475.0),
    *zoo("dqn", "Acrobot-v1", "-76.6 ± 11.8 (rl-zoo)", -106.0),
    clean("ppo", "CartPole-v1", "490.04 ± 6.12 (CleanRL)", 478.0),
    clean("ppo", "Acrobot-v1", "-86.36 ± 1.32 (CleanRL)", -95.0),
    clean("ppo", "MountainCar-v0", "-200 ± 0 (CleanRL)", -200.0, at_most=-200.0),
    *zoo("a2c", "CartPole-v1", "500 (rl-zoo)", 475.0),
    Case(
        name="a3c-CartPole-v1",
        experiment="A3C with its defaults, CartPole-v1",
        measure=f"return of the last {LAST} episodes of training",
        reference="none with these settings",
        bar=475.0,
        train=partial(last_episodes, "a3c", "CartPole-v1", {}),
    ),
    Case(
        name="ppo-Pong",
        experiment="PPO with CleanRL's settings for Atari, a tenth of its steps, ALE/Pong-v5",
        measure=f"return of the last {LAST} episodes of training",
        reference="-21 at the start; 20.36 after ten times as many steps (CleanRL)",
        bar=-19.0,
        train=pong,
        seeds=(1,),
    ),
]
