"""What is done between an Atari 2600 and an agent, and the two usual ways of doing it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a game is shown to an agent. A *frame* is one picture of the emulator, 1/60 s.

    Args:
        repeat_action_probability: In each frame, how likely the joystick stays as it was in the
            frame before ("sticky actions"), from 0 to 1.
        noop_max: A new game begins with 1 to `noop_max` frames of no action, drawn uniformly; 0:
            with none.
        frame_skip: Frames for which each action is held. The agent sees, pixel by pixel, the
            brighter of the last two; with 1, the only one.
        frame_shape: Rows and columns of what the agent sees, averaged over areas.
        stack: How many of these, the last ones, make an observation.
        padding: What stands for the past after a reset: frames of `"zero"`, or the first frame
            (`"reset"`).
        terminal_on_life_loss: Losing a life terminates the episode; the reset after it goes on
            with the next life, after one step of no action.
        fire_on_reset: A reset presses fire for one step, then the third action for another, in
            games that know the fire button.
        reward: `"raw"`, its `"sign"`, or `"clip"`: limited to [-1, 1].
        max_frames: A game is truncated after so many frames, those of the reset included; 0:
            never.
        full_action_space: All 18 actions, not only those with an effect in the game.

    Raises:
        ValueError: A value is out of its range.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning; Machado et
        al. (2018), Revisiting the Arcade Learning Environment.
    """

    repeat_action_probability: float = 0.0
    noop_max: int = 30
    frame_skip: int = 4
    frame_shape: tuple[int, int] = (84, 84)
    stack: int = 4
    padding: Literal["zero", "reset"] = "zero"
    terminal_on_life_loss: bool = False
    fire_on_reset: bool = False
    reward: Literal["raw", "sign", "clip"] = "raw"
    max_frames: int = 108_000
    full_action_space: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.repeat_action_probability <= 1:
            value = self.repeat_action_probability
            raise ValueError(f"repeat_action_probability={value}: from 0 to 1")
        for name, least in (("noop_max", 0), ("frame_skip", 1), ("stack", 1), ("max_frames", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: {least} or more")
        for name, allowed in (("padding", ("zero", "reset")), ("reward", ("raw", "sign", "clip"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r}: one of {', '.join(allowed)}")


PRESETS: dict[str, Preprocessing] = {
    "dqn": Preprocessing(terminal_on_life_loss=True, fire_on_reset=True, reward="sign"),
    "machado": Preprocessing(repeat_action_probability=0.25, padding="reset"),
}
"""`"dqn"` is what CleanRL and Stable-Baselines3 do with `NoFrameskip-v4` games; `"machado"` what
Gymnasium's `AtariPreprocessing` and `FrameStackObservation` do with `ALE/...-v5` games."""


def preprocessing_of(preset: str, changes: dict[str, Any]) -> Preprocessing:
    """A preset, changed.

    Raises:
        ValueError: There is no such preset, or a value is out of its range.
        TypeError: A change of what there is not.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset={preset!r}: one of {', '.join(PRESETS)}")
    known = [field.name for field in dataclasses.fields(Preprocessing)]
    if unknown := [name for name in changes if name not in known]:
        raise TypeError(f"no preprocessing option {unknown[0]!r}; there are {', '.join(known)}")
    return dataclasses.replace(PRESETS[preset], **changes)
