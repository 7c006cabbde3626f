"""Small envs for the tests of vector envs, and the comparison of what they give."""

import copy
import threading
import time

import gymnasium as gym
import numpy as np
from gymnasium import spaces

BOUND_S = 20


class Colour(gym.Space):
    """A space that Gymnasium knows nothing of."""

    def sample(self, mask=None, probability=None):
        return ("red", "green", "blue")[self.np_random.integers(3)]

    def contains(self, x):
        return x in ("red", "green", "blue")

    def __eq__(self, other):
        return isinstance(other, Colour)

    __hash__ = None


BOX = spaces.Box(-1, 1, (3,), np.float32)
SPACES = {
    "Box": BOX,
    "Box-image": spaces.Box(0, 255, (4, 3, 2), np.uint8),
    "Box-scalar": spaces.Box(-1.0, 1.0, (), np.float64),
    "Discrete": spaces.Discrete(5, start=-2),
    "MultiDiscrete": spaces.MultiDiscrete([3, 4]),
    "MultiBinary": spaces.MultiBinary([2, 3]),
    "Tuple": spaces.Tuple([spaces.Discrete(3), BOX, spaces.Tuple([spaces.MultiBinary(2)])]),
    "Dict": spaces.Dict({"box": BOX, "more": spaces.Dict({"n": spaces.Discrete(4)})}),
    "Text": spaces.Text(6, min_length=1),
    "mixed": spaces.Dict({"text": spaces.Text(3), "pair": spaces.Tuple([spaces.Text(2), BOX])}),
    "Sequence": spaces.Sequence(spaces.Discrete(3)),
    "custom": Colour(),
}


class Probe(gym.Env):
    """Draws observations and ends from its generator, and tells much in its infos."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium has it

    def __init__(
        self, number, obs=BOX, action=None, length=None, busy=(), raises=(), reuse=False,
        render_mode=None,
    ):  # fmt: skip
        self.number = number
        # With a generator of its own: envs run side by side.
        self.observation_space = copy.deepcopy(obs)
        self.action_space = spaces.Discrete(3) if action is None else copy.deepcopy(action)
        self.render_mode = render_mode
        self.last_action = None
        self.is_closed = 0
        self._length = length
        self._busy = busy[number] if number < len(busy) else 0
        self._raises = raises[number] if number < len(raises) else None
        self._memory = np.zeros(3, np.float32) if reuse else None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.count = 0
        info = {"start": float(self.np_random.random()), "who": f"env {self.number}"}
        if options:
            info["options"] = sorted(options)
        if self.number % 2:
            info["odd"] = self.number
        return self._observe(), info

    def step(self, action):
        self.count += 1
        self.last_action = action
        end = time.perf_counter_ns() + 1000 * self._busy
        while time.perf_counter_ns() < end:
            pass
        if self.count == self._raises:
            self.fail()
        chance = self.np_random.random()
        over = self.count == self._length if self._length else chance < 0.15
        info = {"count": self.count, "flag": chance < 0.5, "np": np.float32(chance)}
        if chance < 0.6:
            info["array"] = np.full((2,), chance)
            info["nested"] = {"deep": {"count": self.count}, "text": "x" * self.count}
        if chance < 0.3:
            info["nothing"] = None
            info["list"] = [self.count]
        is_truncated = self._length is None and chance > 0.9
        return self._observe(), chance * 4 - 2, over, is_truncated, info

    def fail(self):
        raise ZeroDivisionError("as asked")

    def render(self):
        return np.full((2, 2, 3), self.number, np.uint8)

    def double(self, x, plus=0):
        return 2 * x + plus + self.number

    def close(self):
        self.is_closed += 1

    def _observe(self):
        obs = self.observation_space.sample()
        if self._memory is None:
            return obs
        self._memory[...] = obs
        return self._memory


class Bare(gym.Env):
    """Gives the same observation again and again, and fails where it is told to."""

    def __init__(
        self, space=None, actions=2, obs=None, gate=None, fails_reset=False, fails_close=False
    ):
        self.observation_space = spaces.Box(0, 1, (2,)) if space is None else space
        self.action_space = spaces.Discrete(actions)
        self.is_closed = 0
        self._obs = np.zeros(2, np.float32) if obs is None else obs
        self._gate = gate
        self._fails = fails_reset, fails_close

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if self._fails[0]:
            raise RuntimeError("cannot reset")
        return self._obs, {}

    def step(self, action):
        if self._gate is not None:
            self._gate.pass_through()
        return self._obs, 1.0, False, False, {}

    def close(self):
        if self._fails[1]:
            raise RuntimeError("cannot close")
        self.is_closed += 1


class Gate:
    """Holds up an env while it is closed, within a bound."""

    def __init__(self):
        self._is_open = threading.Event()
        self._then = None
        self.open()

    def open(self):
        self._is_open.set()

    def close(self, then=None):
        """From now on whoever comes waits, after calling `then`."""
        self._then = then
        self._is_open.clear()

    def pass_through(self):
        if not self._is_open.is_set() and self._then is not None:
            then, self._then = self._then, None
            then()
        assert self._is_open.wait(BOUND_S)


def assert_same(a, b):
    """Equal in structure, types, dtypes, shapes and values, bit for bit."""
    assert type(a) is type(b), (a, b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, tuple | list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if a.dtype == object:
            assert_same(a.tolist(), b.tolist())
        else:
            assert a.tobytes() == b.tobytes(), (a, b)
    else:
        assert a == b or (a != a and b != b)
