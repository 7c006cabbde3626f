"""Films: what is written can be read again, picture by picture."""

import sys

import gymnasium as gym
import numpy as np
import pytest

from reactorrl import film


class Lamp(gym.Env):
    """Shows one grey level a step; an episode has three steps."""

    observation_space = gym.spaces.Discrete(1000)
    action_space = gym.spaces.Discrete(2)
    render_mode = "rgb_array"

    def __init__(self):
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 20}
        self.level, self.actions, self.seeds = 0, [], []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.level = 0
        return self.level, {}

    def step(self, action):
        self.actions.append(action)
        self.level += 1
        return self.level, 0.0, self.level == 3, False, {}

    def render(self):
        return np.full((4, 6, 3), 40 * self.level, np.uint8)


def levels(n):
    """`n` pictures, each of one grey level, 40 apart."""
    return [np.full((4, 6), 40 * level, np.uint8) for level in range(n)]


def read_gif(path):
    """Every picture's first pixel, and how long it is shown, in ms."""
    image = pytest.importorskip("PIL.Image")
    with image.open(path) as gif:
        found = []
        for number in range(gif.n_frames):
            gif.seek(number)
            found.append((gif.convert("RGB").getpixel((0, 0)), gif.info["duration"]))
        return gif.size, found


def test_a_gif_has_every_picture(tmp_path):
    """Grey or in colour, enlarged, for as long as was asked for."""
    path = film.write(tmp_path / "lamp.gif", levels(3), fps=25, scale=5)
    size, found = read_gif(path)
    assert size == (30, 20)
    assert found == [((level, level, level), 40) for level in (0, 40, 80)]


def test_an_mp4_has_every_picture(tmp_path):
    """In the size that was asked for; its colours are not exact."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = film.write(str(tmp_path / "lamp.mp4"), iter(levels(6)), fps=10, scale=8)
    reader = ffmpeg.read_frames(str(path))
    about = next(reader)
    assert about["size"] == about["source_size"] == (48, 32)
    assert about["fps"] == 10
    found = [np.frombuffer(picture, np.uint8) for picture in reader]
    assert len(found) == 6
    assert all(abs(int(p.mean()) - 40 * level) <= 4 for level, p in enumerate(found))


def test_a_recording_shows_resets_and_steps(tmp_path):
    """The next episode follows; the policy sees every observation but the last ones."""
    env, seen = Lamp(), []

    def policy(obs):
        seen.append(obs)
        return obs % 2

    path = film.record(tmp_path / "lamp.gif", env, policy, steps=5, seed=7)
    assert [pixel[0] for pixel, _ in read_gif(path)[1]] == [0, 40, 80, 120, 0, 40, 80]
    assert {duration for _, duration in read_gif(path)[1]} == {50}
    assert seen == [0, 1, 2, 0, 1]
    assert env.actions == [0, 1, 0, 0, 1]
    assert env.seeds == [7, None]


def test_a_cart_is_drawn_where_it_stands(tmp_path):
    """At its place on the track, with the pole at its angle; its film needs no pygame."""
    pytest.importorskip("PIL")
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    for position, tilt in ((-1.2, 0.2), (0.0, 0.0), (1.2, -0.2)):
        env.unwrapped.state = (position, 0.0, tilt, 0.0)
        picture = film.cart_pole(env)
        assert picture.shape == (200, 300, 3)
        middle = 150 + position * 300 / 4.8
        columns = np.flatnonzero((picture == 0).all(axis=2).any(axis=0))
        assert abs(columns.mean() - middle) <= 1
        pole = np.flatnonzero((picture[95] == (210, 105, 30)).all(axis=1))
        assert abs(pole.mean() - (middle + 45 * np.tan(tilt))) <= 2
    path = film.record(tmp_path / "cart.gif", env, lambda obs: 1, steps=5, draw=film.cart_pole)
    assert read_gif(path)[0] == (300, 200)
    assert sum(duration for _, duration in read_gif(path)[1]) == 6 * 20  # equal ones are merged


@pytest.mark.parametrize(
    ("name", "pictures", "options", "says"),
    [
        ("a.avi", levels(1), {}, r"a film ends in \.gif or \.mp4"),
        ("a.gif", [], {}, "1 or more pictures"),
        ("a.mp4", [], {}, "1 or more pictures"),
        ("a.gif", [*levels(1), np.zeros((4, 7), np.uint8)], {}, r"picture 1 is uint8 .*\(4, 7\)"),
        ("a.gif", [np.zeros((4, 6))], {}, "picture 0 is float64"),
        ("a.mp4", [np.zeros((4, 6, 4), np.uint8)], {}, r"picture 0 is uint8 of shape \(4, 6, 4\)"),
        ("a.gif", levels(1), {"fps": 0}, "fps=0"),
        ("a.gif", levels(1), {"scale": 0}, "scale=0"),
    ],
)
def test_what_is_no_film_is_refused(tmp_path, name, pictures, options, says):
    """With the number of the picture and what it is."""
    with pytest.raises(ValueError, match=says):
        film.write(tmp_path / name, pictures, **options)


def test_an_environment_that_renders_nothing_is_refused(tmp_path):
    """Before anything is played; so are no steps."""
    env = Lamp()
    with pytest.raises(ValueError, match="steps=0"):
        film.record(tmp_path / "a.gif", env, lambda obs: 0, steps=0)
    env.render_mode = None
    with pytest.raises(ValueError, match=r'render_mode="rgb_array"'):
        film.record(tmp_path / "a.gif", env, lambda obs: 0, steps=1)
    assert env.seeds == []


@pytest.mark.parametrize(
    ("name", "module", "says"),
    [("a.gif", "PIL.Image", "pip install pillow"), ("a.mp4", "imageio_ffmpeg", "imageio-ffmpeg")],
)
def test_a_missing_package_is_named(tmp_path, monkeypatch, name, module, says):
    """In one line, with what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(gym.error.DependencyNotInstalled, match=says):
        film.write(tmp_path / name, levels(1))
