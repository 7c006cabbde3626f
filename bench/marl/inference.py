"""Our side: the library's own program, as a user would run it."""

from typing import Any

import reactorrl as rr
from reactorrl.rl import MultiAgentInference, MultiAgentInferenceOptions

from ..stopwatch import Stopwatch
from .parts import HIDDEN, SEED


class Watch(rr.Reactor):
    """Sees every joint observation: the first, and after each env step but the last."""

    observations = rr.Input[Any]()

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.left = 1

    @rr.reaction(observations)
    def on_observations(self) -> None:
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()

    @rr.reaction(rr.shutdown)
    def on_end(self) -> None:
        self.watch.lap()


class Timed(MultiAgentInference):
    """The program, and a watch."""

    def __init__(self, options: MultiAgentInferenceOptions, watch: Stopwatch) -> None:
        super().__init__(options)
        self.watch = Watch(watch)
        self.connect(self.env.observations, self.watch.observations)


def inference(
    workers: int, agents: int, warm: int, rounds: int, batched: bool = False
) -> dict[str, Any]:
    """A round is an env step."""
    options = MultiAgentInferenceOptions(
        num_agents=agents,
        seed=SEED,
        total_timesteps=warm + rounds,
        hidden_sizes=HIDDEN,
        batched=batched,
    )
    watch = Stopwatch(warm, rounds)
    main = Timed(options, watch)
    rr.run(main, workers=workers, fast=True)
    return watch.reply(main.env.actions_sha256)
