"""The same interpreter without a runtime: loops of one thread, and two threads with a barrier."""

from typing import Any

from ...shares import in_threads
from ...stopwatch import Stopwatch
from ..parts import Policies, Policy, Traffic


def per_agent(file: str, agents: int, warm: int, rounds: int) -> dict[str, Any]:
    """One policy after the other."""
    traffic = Traffic(file, agents)
    policies = [Policy(agent, traffic.n_features) for agent in range(agents)]
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            rows = traffic.rows
            traffic.step([policy.act(rows[i : i + 1]) for i, policy in enumerate(policies)])
    return watch.reply(traffic.digest.hexdigest())


def batched(file: str, agents: int, warm: int, rounds: int) -> dict[str, Any]:
    """All policies in one pass."""
    traffic = Traffic(file, agents)
    policies = Policies(agents, traffic.n_features)
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            traffic.step(policies.act(traffic.rows))
    return watch.reply(traffic.digest.hexdigest())


def barrier(file: str, agents: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """Each thread acts for its share of the agents; then the calling one steps the env."""
    traffic = Traffic(file, agents)
    actions = [0] * agents

    def make(number: int) -> dict[int, Policy]:
        first, end = number * agents // threads, (number + 1) * agents // threads
        return {agent: Policy(agent, traffic.n_features) for agent in range(first, end)}

    def run(share: dict[int, Policy], _rounds: int) -> None:
        rows = traffic.rows
        for agent, policy in share.items():
            actions[agent] = policy.act(rows[agent : agent + 1])

    watch, _ = in_threads(
        threads, make, run, warm, rounds, meets=True, after=lambda: traffic.step(actions)
    )
    return watch.reply(traffic.digest.hexdigest())
