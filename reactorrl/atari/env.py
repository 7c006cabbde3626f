"""One Atari game as a Gymnasium environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from numpy.typing import NDArray

from . import ale
from ._frames import FrameStack
from .preprocessing import PRESETS, Preprocessing, preprocessing_of

if TYPE_CHECKING:  # ale-py is an extra
    from ale_py import ALEInterface

FRAMES_PER_SECOND = 60
_NOOP = 0  # ALE's code
_WORD = 2**64 - 1


def make(
    game: str,
    preset: str = "dqn",
    *,
    seed: int | None = None,
    render_mode: Literal["rgb_array"] | None = None,
    **changes: Any,
) -> AtariEnv:
    """Make an Atari environment.

    Args:
        game: `"Pong"`, `"pong"`, `"ALE/Pong-v5"` or `"PongNoFrameskip-v4"`. The version names the
            game only; how it is preprocessed says `preset`.
        preset: `"dqn"` or `"machado"`, see `PRESETS`.
        seed: The first reset without a seed uses this one.
        render_mode: `"rgb_array"` allows `render`.
        **changes: Fields of `Preprocessing` that differ from the preset.

    Raises:
        gymnasium.error.NameNotFound: There is no such game; close ones are named.
        gymnasium.error.DependencyNotInstalled: ale-py is missing.
        ValueError: No such preset, or a value is out of its range.
        TypeError: A change of what there is not.
    """
    preprocessing = preprocessing_of(preset, changes)
    env = AtariEnv(game, preprocessing, seed=seed, render_mode=render_mode)
    env.spec = spec(game, preset, **changes)
    return env


def spec(game: str, preset: str = "dqn", **changes: Any) -> EnvSpec:
    """What `gymnasium.make` and `reactorrl.make_vec` take in place of an id.

    Args:
        game: As for `make`.
        preset: As for `make`.
        **changes: As for `make`.

    Raises:
        gymnasium.error.Error, ValueError, TypeError: As `make`; nothing has been loaded.

    >>> gym.make(spec("ALE/Pong-v5", "machado"), render_mode="rgb_array").unwrapped.game
    'Pong'
    """
    preprocessing_of(preset, changes)
    return EnvSpec(
        id=f"reactorrl-atari/{ale.name_of(game)}",
        entry_point="reactorrl.atari:make",
        order_enforce=False,  # the environment does so itself
        disable_env_checker=True,
        kwargs={"game": game, "preset": preset, **changes},
    )


class AtariEnv(gym.Env[NDArray[np.uint8], int]):
    """An Atari game. Not thread-safe itself; any number of them may run side by side.

    Observations are `(stack, *frame_shape)` uint8, oldest frame first, each a new array. Rewards
    are floats as `Preprocessing.reward` says. `info` has `"lives"` after every reset and step, and
    with the last step of a *game* (from its start to its real end, all lives):

        info["game"] = {"r": sum of all unclipped rewards, those of the reset included,
                        "l": steps, over all lives,
                        "frames": frames, those of the reset included}

    A reset goes on with the next life if a lost life has just terminated the episode; in all
    other cases, and always with a seed, it starts a new game. With a seed it brings the emulator
    back to where it was when the ROM had been loaded, so that all that follows depends on the
    seed and the actions only. Without one, the emulator's RAM starts the next game with other
    random bytes, as it does in ale-py; few games look at them.

    Args:
        game: As for `make`.
        preprocessing: What is done with screens, actions and rewards.
        seed: The first reset without a seed uses this one.
        render_mode: `"rgb_array"` allows `render`.

    Raises:
        gymnasium.error.NameNotFound: There is no such game; close ones are named.
        gymnasium.error.DependencyNotInstalled: ale-py is missing.
        ValueError: A screen cannot be averaged to such frames.

    Deviations:
        1. From Stable-Baselines3 and CleanRL: the brighter of two screens is found on grey levels,
           not on each colour before it becomes grey.
        2. From ale-py: sticky actions are drawn from this environment's generator, because ALE
           does not save the action that it would repeat.
        3. From Gymnasium's `AtariPreprocessing`: where a game ends before the last two frames of
           a step, the observation shows its last screen, not screens of the step before.
    """

    def __init__(
        self,
        game: str,
        preprocessing: Preprocessing = PRESETS["dqn"],
        *,
        seed: int | None = None,
        render_mode: Literal["rgb_array"] | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r}: None or 'rgb_array'")
        self.game: str = ale.name_of(game)
        self.preprocessing = preprocessing
        self.render_mode = render_mode
        skip = preprocessing.frame_skip
        self.metadata: dict[str, Any] = {
            "render_modes": ["rgb_array"],
            "render_fps": max(1, round(FRAMES_PER_SECOND / skip)),
        }
        self.ale: ALEInterface = ale.load(
            self.game, {"max_num_frames_per_episode": preprocessing.max_frames}
        )
        self._loaded = self.ale.cloneState()
        self._stack = FrameStack(
            self.ale.getScreenDims(), preprocessing.frame_shape, preprocessing.stack
        )
        actions = (
            self.ale.getLegalActionSet()
            if preprocessing.full_action_space
            else self.ale.getMinimalActionSet()
        )
        self._meanings = [action.name for action in actions]
        self._codes = [action.value for action in actions]
        self._start_actions = (
            self._codes[1:3] if preprocessing.fire_on_reset and "FIRE" in self._meanings else []
        )
        self.action_space: gym.spaces.Discrete = gym.spaces.Discrete(len(actions))
        shape = (preprocessing.stack, *preprocessing.frame_shape)
        self.observation_space: gym.spaces.Box = gym.spaces.Box(0, 255, shape, np.uint8)
        if seed is not None:
            self._np_random, self._np_random_seed = seeding.np_random(seed)
        self._pending: Literal["game", "life", ""] = "game"  # what reset begins; "": not finished
        self._held = _NOOP  # the joystick in the last frame
        self._shows_newest_only = True  # not the brighter of the last two screens
        self._lives = 0
        self._return = 0.0
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin the next life or a new game, see above; there are no options."""
        super().reset(seed=seed)
        if seed is not None:
            self.ale.restoreState(self._loaded)
        if self._pending == "life" and seed is None:
            self._emulate(_NOOP)
            self._start_if_over()
        else:
            self._start_game()
        for code in self._start_actions:
            self._emulate(code)
            self._start_if_over()
        self._pending = ""
        self._lives = self.ale.lives()
        frames = self._stack.frames
        frames[:] = 0
        self._stack.push(self._shows_newest_only)
        if self.preprocessing.padding == "reset":
            frames[:] = frames[-1]
        return frames.copy(), {"lives": self._lives}

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Hold an action for `frame_skip` frames.

        Raises:
            gymnasium.error.ResetNeeded: The episode has not begun, or has ended.
            ValueError: There is no such action.
        """
        if self._pending:
            raise ResetNeeded(f"{self.game}: the episode has ended or not begun; call reset()")
        if not 0 <= action < len(self._codes):
            raise ValueError(f"{self.game}: action {action}: from 0 to {len(self._codes) - 1}")
        reward = self._emulate(self._codes[action])
        self._stack.push(self._shows_newest_only)
        self._steps += 1
        lives, before = self.ale.lives(), self._lives
        self._lives = lives
        info: dict[str, Any] = {"lives": lives}
        terminated = self.ale.game_over(with_truncation=False)
        truncated = self.ale.game_truncated()
        if terminated or truncated:
            self._pending = "game"
            frames = self.ale.getEpisodeFrameNumber()
            info["game"] = {"r": self._return, "l": self._steps, "frames": frames}
        # Some games show no lives for a while before they end.
        elif self.preprocessing.terminal_on_life_loss and 0 < lives < before:
            self._pending = "life"
            terminated = True
        return self._stack.frames.copy(), self._shaped(reward), terminated, truncated, info

    def render(self) -> NDArray[np.uint8]:
        """The emulator's screen now, `(rows, columns, 3)` RGB; stale right after `set_state`.

        Raises:
            ValueError: Made without `render_mode="rgb_array"`.
        """
        if self.render_mode is None:
            raise ValueError(f'{self.game}: make it with render_mode="rgb_array" to render')
        return self.ale.getScreenRGB()

    def get_action_meanings(self) -> list[str]:
        """What each action does, such as `"UPRIGHT"`."""
        return list(self._meanings)

    def get_state(self) -> dict[str, Any]:
        """All that the future depends on, as NumPy arrays and plain scalars; copies.

        `set_state` of an environment made with the same arguments goes on from there bit for bit,
        but for one thing that ALE does not save: what is on the screen. Where a game leaves some
        of it undrawn for a whole step, such as 3-D Tic-Tac-Toe while it thinks, the next frame
        shows there what the screen had before `set_state`. The game itself is not affected.
        """
        generator = self.np_random.bit_generator.state
        words = [
            generator["state"]["state"] >> 64,
            generator["state"]["state"] & _WORD,
            generator["state"]["inc"] >> 64,
            generator["state"]["inc"] & _WORD,
            generator["has_uint32"],
            generator["uinteger"],
        ]
        return {
            "game": self.game,
            "emulator": np.frombuffer(self.ale.cloneState().serialize(), np.uint8),
            "frames": self._stack.frames.copy(),
            "generator": np.array(words, np.uint64),
            "pending": self._pending,
            "held": self._held,
            "lives": self._lives,
            "return": self._return,
            "steps": self._steps,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of `get_state`.

        Raises:
            ValueError: It is of another game, or of other frames; nothing has changed.
            KeyError: It is not complete; nothing has changed.
        """
        frames = np.asarray(state["frames"])
        if state["game"] != self.game or frames.shape != self._stack.frames.shape:
            raise ValueError(
                f"a state of {state['game']} with frames {frames.shape} is none of {self.game} "
                f"with frames {self._stack.frames.shape}"
            )
        words = [int(word) for word in state["generator"]]
        bits = np.random.PCG64()
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": words[0] << 64 | words[1], "inc": words[2] << 64 | words[3]},
            "has_uint32": words[4],
            "uinteger": words[5],
        }
        emulator = ale.import_ale().ALEState(np.asarray(state["emulator"]).tobytes())
        values = [state[name] for name in ("pending", "held", "lives", "return", "steps")]
        # A state of ALE lacks what the first frame after a reset finishes.
        self.ale.act(_NOOP)
        self.ale.restoreState(emulator)
        self.np_random = np.random.Generator(bits)
        self._stack.frames[:] = frames
        self._pending, self._held, self._lives, self._return, self._steps = values

    def _start_game(self) -> None:
        """A new game, up to and with its frames of no action; its last screen is the newest."""
        self.ale.reset_game()
        self._held, self._return, self._steps = _NOOP, 0.0, 0
        noop_max = self.preprocessing.noop_max
        for _ in range(self.np_random.integers(1, noop_max + 1) if noop_max else 0):
            self._return += self.ale.act(_NOOP)
            if self.ale.game_over():
                self.ale.reset_game()
                self._return = 0.0
        self._see()
        self._shows_newest_only = True

    def _start_if_over(self) -> None:
        if self.ale.game_over():
            self._start_game()

    def _emulate(self, code: int) -> float:
        """Holds an action for one step and sees the screens of its last two frames.

        After a game's end the emulator stands still, so that both are its last screen.
        """
        act, n = self.ale.act, self.preprocessing.frame_skip
        codes = self._sticky(code) if self.preprocessing.repeat_action_probability else [code] * n
        reward = 0
        for code in codes[:-2]:
            reward += act(code)
        if n > 1:
            reward += act(codes[-2])
            self._see()
        reward += act(codes[-1])
        self._see()
        self._shows_newest_only = n == 1
        self._return += reward
        return reward

    def _sticky(self, code: int) -> list[int]:
        """The joystick in each frame of a step that asks for `code`."""
        draws = self.np_random.random(self.preprocessing.frame_skip)
        codes = []
        for moves in (draws >= self.preprocessing.repeat_action_probability).tolist():
            self._held = code if moves else self._held
            codes.append(self._held)
        return codes

    def _see(self) -> None:
        """Takes the screen; asks ALE for grey levels only where a colour is new."""
        stack = self._stack
        self.ale.getScreen(stack.screen)
        if not stack.see():
            stack.learn(self.ale.getScreenGrayscale())
            stack.see()

    def _shaped(self, reward: float) -> float:
        kind = self.preprocessing.reward
        if kind == "sign":
            return float((reward > 0) - (reward < 0))
        return float(max(-1, min(1, reward)) if kind == "clip" else reward)
