"""Atari games: presets, resets, seeds, states, against bare calls of ale-py."""

import importlib
import sys
import threading

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

pytest.importorskip("ale_py")

from test_screen import average

from reactorrl import atari
from reactorrl.atari import ale as ale_games

SHAPE = (84, 84)
PLAIN = {"terminal_on_life_loss": False, "fire_on_reset": False, "reward": "raw"}
"""Turns the preset "dqn" into what one emulator does by itself."""


def play(env, n_steps, seed=0, reset_seed=None):
    """Everything that `n_steps` of random actions give, resets included."""
    rng = np.random.default_rng(seed)
    obs, info = env.reset(seed=reset_seed)
    seen = [(obs.tobytes(), info)]
    for _ in range(n_steps):
        obs, reward, terminated, truncated, info = env.step(int(rng.integers(env.action_space.n)))
        seen.append((obs.tobytes(), reward, terminated, truncated, info))
        if terminated or truncated:
            obs, info = env.reset()
            seen.append((obs.tobytes(), info))
    return seen


def bare(name):
    """An emulator as loaded, and its screen in grey."""
    ale = ale_games.load(name, {})
    return ale, ale.getScreenGrayscale


# -- against bare calls


@pytest.mark.parametrize("game", ["Pong", "Qbert", "Pacman"])
def test_a_step_is_four_frames_and_the_brighter_of_the_last_two(game):
    """Rewards, frames and their order are those of the same calls by hand."""
    env = atari.make(game, **PLAIN, noop_max=0)
    ale, grey = bare(game)
    ale.reset_game()
    obs, info = env.reset(seed=3)
    expected = [np.zeros(SHAPE, np.uint8)] * 3 + [average(grey(), SHAPE)]
    np.testing.assert_array_equal(obs, expected)
    assert info == {"lives": ale.lives()}
    codes = [action.value for action in ale.getMinimalActionSet()]
    rng = np.random.default_rng(4)
    for _ in range(60):
        action = int(rng.integers(len(codes)))
        reward = sum(ale.act(codes[action]) for _ in range(3))
        older = grey()
        reward += ale.act(codes[action])
        expected = [*expected[1:], average(np.maximum(older, grey()), SHAPE)]
        obs, got, terminated, truncated, info = env.step(action)
        np.testing.assert_array_equal(obs, expected)
        assert (got, terminated, truncated) == (reward, False, False)
        assert info == {"lives": ale.lives()}


def test_a_single_frame_is_shown_as_it_is():
    """Without frame skip nothing is mixed with the screen before."""
    env = atari.make("Breakout", **PLAIN, noop_max=0, frame_skip=1, stack=1, frame_shape=(105, 80))
    ale, grey = bare("Breakout")
    ale.reset_game()
    env.reset(seed=0)
    for action in [1, 1, 2, 2, 3] * 4:
        ale.act(ale.getMinimalActionSet()[action].value)
        obs, *_ = env.step(action)
        np.testing.assert_array_equal(obs[0], average(grey(), (105, 80)))
    assert env.metadata["render_fps"] == 60


def test_a_new_game_begins_with_frames_of_no_action():
    """From 1 to `noop_max` of them, drawn with the seed; the last one is the first that is seen."""
    expected = []
    ale, grey = bare("Freeway")
    ale.reset_game()
    for _ in range(5):
        ale.act(0)
        expected.append(average(grey(), SHAPE).tobytes())
    assert len(set(expected)) == 5
    env = atari.make("Freeway", **PLAIN, noop_max=5, stack=1)
    seen = {env.reset(seed=seed)[0].tobytes() for seed in range(40)}
    assert seen == set(expected)


def test_a_reset_presses_fire_and_then_the_third_action():
    """In games with a fire button; each for one step."""
    env = atari.make("Breakout", noop_max=0)
    assert env.get_action_meanings() == ["NOOP", "FIRE", "RIGHT", "LEFT"]
    ale, grey = bare("Breakout")
    ale.reset_game()
    screens = []
    for code in (1, 1, 1, 1, 3, 3, 3, 3):
        ale.act(code)
        screens.append(grey())
    obs, _ = env.reset(seed=0)
    np.testing.assert_array_equal(obs[3], average(np.maximum(*screens[-2:]), SHAPE))
    np.testing.assert_array_equal(obs[:3], np.zeros((3, *SHAPE)))
    freeway = atari.make("Freeway", noop_max=0)
    assert "FIRE" not in freeway.get_action_meanings()
    freeway.reset(seed=0)
    assert freeway.ale.getEpisodeFrameNumber() == 0


def test_a_reset_after_a_lost_life_shows_the_brighter_of_two_frames():
    """The step of no action is a step like others, also in games without a fire button."""
    env = atari.make("Asterix", seed=1)
    assert "FIRE" not in env.get_action_meanings()
    rng = np.random.default_rng(0)
    env.reset()
    differing = 0
    for _ in range(3):
        terminated = False
        while not terminated:
            _, _, terminated, _, info = env.step(int(rng.integers(env.action_space.n)))
        other, grey = bare("Asterix")
        other.restoreState(env.ale.cloneState())
        screens = []
        for _ in range(4):
            other.act(0)
            screens.append(grey())
        obs, _ = env.reset()
        if "game" not in info:
            assert env.ale.getEpisodeFrameNumber() == other.getEpisodeFrameNumber()
            np.testing.assert_array_equal(obs[3], average(np.maximum(*screens[-2:]), SHAPE))
            differing += bool((screens[-2] > screens[-1]).any())
    assert differing


def test_a_reset_that_presses_fire_shows_a_single_frame_without_frame_skip():
    env = atari.make("Breakout", noop_max=0, frame_skip=1)
    ale, grey = bare("Breakout")
    ale.reset_game()
    screens = []
    for code in (1, 3):
        ale.act(code)
        screens.append(grey())
    assert (screens[0] > screens[1]).any()
    obs, _ = env.reset(seed=0)
    np.testing.assert_array_equal(obs[3], average(screens[1], SHAPE))


def test_padding_repeats_the_first_frame():
    """After every reset of the preset "machado"; later ones push it out."""
    env = atari.make("Pong", "machado")
    obs, _ = env.reset(seed=1)
    assert obs[0].any()
    np.testing.assert_array_equal(obs, [obs[0]] * 4)
    later, *_ = env.step(0)
    np.testing.assert_array_equal(later[:3], obs[1:])


@pytest.mark.parametrize(("probability", "frames"), [(0.0, 0), (1.0, 80)])
def test_sticky_actions_keep_the_joystick_where_it_was(probability, frames):
    """Never or always: then the paddle of Breakout does not follow at all."""
    env = atari.make("Breakout", **PLAIN, noop_max=0, repeat_action_probability=probability)
    still = atari.make("Breakout", **PLAIN, noop_max=0)
    env.reset(seed=0)
    still.reset(seed=0)
    equal = 0
    for _ in range(20):
        moved, unmoved = env.step(2)[0], still.step(0)[0]
        equal += 4 * np.array_equal(moved, unmoved)
    assert equal == frames


def test_sticky_actions_are_drawn_frame_by_frame():
    """By the environment's own generator, after the frames of no action."""
    env = atari.make("Pong", **PLAIN, repeat_action_probability=0.25)
    ale, grey = bare("Pong")
    ale.reset_game()
    rng, _ = gym.utils.seeding.np_random(5)
    for _ in range(rng.integers(1, 31)):
        ale.act(0)
    env.reset(seed=5)
    held, codes = 0, [action.value for action in ale.getMinimalActionSet()]
    n_repeated = 0
    for step in range(60):
        action = step % len(codes)
        screens = []
        for draw in rng.random(4):
            n_repeated += draw < 0.25
            held = held if draw < 0.25 else codes[action]
            ale.act(held)
            screens.append(grey())
        obs, *_ = env.step(action)
        np.testing.assert_array_equal(obs[3], average(np.maximum(*screens[-2:]), SHAPE))
    assert 30 < n_repeated < 90


def test_the_preset_machado_is_gymnasiums():
    """Where OpenCV can be imported; sticky actions and frames of no action without chance."""
    pytest.importorskip("cv2")
    gym.register_envs(importlib.import_module("ale_py"))
    base = gym.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
    theirs = gym.wrappers.FrameStackObservation(
        gym.wrappers.AtariPreprocessing(base, noop_max=1), 4
    )
    env = atari.make("Breakout", "machado", repeat_action_probability=0.0, noop_max=1)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(env.reset(seed=0)[0], theirs.reset(seed=0)[0])
    n_games = 0
    for _ in range(500):
        action = int(rng.integers(env.action_space.n))
        obs, *rest, info = env.step(action)
        expected, *their_rest, _ = theirs.step(action)
        assert rest == their_rest
        if "game" in info:  # there theirs shows screens of the step before
            n_games += 1
            obs, expected = env.reset()[0], theirs.reset()[0]
        np.testing.assert_array_equal(obs, expected)
    assert n_games > 1


# -- episodes and games


def test_a_lost_life_ends_the_episode_and_not_the_game():
    """Five lives of Breakout are five episodes, whose last one tells about the whole game."""
    env = atari.make("Breakout", reward="raw", seed=1)
    rng = np.random.default_rng(0)
    _, info = env.reset()
    assert info == {"lives": 5}
    ends, total, steps = [], 0.0, 0
    while not ends or "game" not in ends[-1]:
        _, reward, terminated, truncated, info = env.step(int(rng.integers(4)))
        total, steps = total + reward, steps + 1
        assert not truncated
        if terminated:
            ends.append(info)
            if "game" not in info:
                frames = env.ale.getEpisodeFrameNumber()
                assert env.reset()[1] == {"lives": info["lives"]}
                assert env.ale.getEpisodeFrameNumber() == frames + 4 * 3  # no action, fire, right
    assert [end["lives"] for end in ends] == [4, 3, 2, 1, 0]
    assert ends[-1]["game"] == {
        "r": total,
        "l": steps,
        "frames": env.ale.getEpisodeFrameNumber(),
    }
    assert env.reset()[1] == {"lives": 5}
    assert env.ale.getEpisodeFrameNumber() <= 30 + 8


def test_without_life_loss_an_episode_is_a_game():
    """The preset "machado" plays all lives."""
    seen = play(atari.make("Breakout", "machado", seed=2), 400)
    ends = [item[-1] for item in seen if len(item) == 5 and item[2]]
    assert ends
    assert all(end["lives"] == 0 and end["game"]["l"] > 100 for end in ends)


def test_rewards_are_shaped_and_the_game_counts_them_raw():
    """Their sign, or limited to one, from the same actions."""
    by_shape = {}
    for shape in ("raw", "sign", "clip"):
        env = atari.make("SpaceInvaders", "machado", reward=shape, seed=3, max_frames=1500)
        seen = [item for item in play(env, 400) if len(item) == 5]
        by_shape[shape] = np.array([item[1] for item in seen])
        ends = [item[-1]["game"]["r"] for item in seen if "game" in item[-1]]
    raw = by_shape["raw"]
    assert raw.max() > 1
    np.testing.assert_array_equal(by_shape["sign"], np.sign(raw))
    np.testing.assert_array_equal(by_shape["clip"], np.clip(raw, -1, 1))
    assert ends[0] in np.cumsum(raw)


def test_negative_rewards_keep_their_sign():
    """Pong gives -1 for a point lost."""
    for shape in ("raw", "sign", "clip"):
        env = atari.make("Pong", "machado", reward=shape, seed=3)
        assert {item[1] for item in play(env, 200)[1:]} == {0.0, -1.0}


def test_a_game_is_truncated_at_its_cap():
    """In the frame itself; frames of the reset count."""
    env = atari.make("Pong", max_frames=101, seed=0)
    env.reset()
    begun = env.ale.getEpisodeFrameNumber()
    steps = 0
    while True:
        _, _, terminated, truncated, info = env.step(0)
        steps += 1
        if truncated:
            break
        assert "game" not in info
    assert not terminated
    assert info["game"]["frames"] == 101
    assert info["game"]["l"] == steps == -(-(101 - begun) // 4)
    env.reset()
    assert env.ale.getEpisodeFrameNumber() <= 38


# -- seeds and states


@pytest.mark.parametrize("preset", atari.PRESETS)
def test_a_seed_decides_everything(preset):
    """Whatever was played before, and whether it came with `make` or `reset`."""
    env = atari.make("Breakout", preset, seed=7)
    first = play(env, 300)
    assert first == play(atari.make("Breakout", preset), 300, reset_seed=7)
    assert first == play(env, 300, reset_seed=7)
    assert first != play(env, 300, reset_seed=8)


def test_a_seed_in_the_middle_begins_a_new_game():
    """Also where a lost life was to be followed by the next one."""
    env = atari.make("Breakout", seed=1)
    env.reset()
    terminated = False
    while not terminated:
        _, _, terminated, _, info = env.step(0)
    assert 0 < info["lives"] < 5
    assert env.reset(seed=1)[1] == {"lives": 5}


def test_games_in_threads_are_those_of_one_thread():
    """Made, seeded and played side by side, while others are made."""
    jobs = [("Pong", 0), ("Pong", 1), ("Breakout", 0), ("MsPacman", 0)]
    expected = [play(atari.make(game, "machado", seed=seed), 60) for game, seed in jobs]
    found = [None] * len(jobs)

    def work(index):
        game, seed = jobs[index]
        found[index] = play(atari.make(game, "machado", seed=seed), 60)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == expected


@pytest.mark.parametrize(
    ("game", "preset"),
    [("Breakout", "dqn"), ("Qbert", "dqn"), ("Amidar", "machado"), ("Tetris", "machado")],
)
def test_a_state_goes_on_bit_for_bit(game, preset):
    """In the same environment and in a new one, over the ends of lives and games."""
    env = atari.make(game, preset, seed=5, max_frames=700)
    play(env, 120)
    state = env.get_state()
    env_steps = play_on(env, 200)
    assert any(item[2] or item[3] for item in env_steps)
    other = atari.make(game, preset, seed=99, max_frames=700)
    for restored in (env, other):
        restored.set_state(state)
        assert play_on(restored, 200) == env_steps


def play_on(env, n_steps):
    """As `play`, but without a reset at first."""
    rng = np.random.default_rng(11)
    seen = []
    if env.get_state()["pending"]:
        env.reset()
    for _ in range(n_steps):
        obs, *rest = env.step(int(rng.integers(env.action_space.n)))
        seen.append((obs.tobytes(), *rest))
        if rest[1] or rest[2]:
            obs, info = env.reset()
            seen.append((obs.tobytes(), rest[0], False, False, info))
    return seen


def test_a_state_after_a_lost_life_knows_it():
    """The reset that follows goes on with the same game."""
    env = atari.make("Breakout", seed=1)
    env.reset()
    terminated = False
    while not terminated:
        _, _, terminated, _, info = env.step(0)
    other = atari.make("Breakout")
    other.set_state(env.get_state())
    obs, info = env.reset()
    again, same = other.reset()
    np.testing.assert_array_equal(obs, again)
    assert info == same == {"lives": 4}


def test_a_state_is_arrays_and_scalars():
    """A copy, so that it can be kept, and written without pickle."""
    env = atari.make("Pong", seed=1)
    env.reset()
    state = env.get_state()
    kinds = {name: type(value) for name, value in state.items()}
    assert {kind for kind in kinds.values() if kind is not np.ndarray} <= {str, int, float}
    assert all(value.dtype != object for value in state.values() if isinstance(value, np.ndarray))
    before = state["frames"].copy()
    env.step(0)
    np.testing.assert_array_equal(state["frames"], before)


def test_a_state_of_another_game_is_refused():
    """And of other frames; nothing has changed then."""
    pong, small = atari.make("Pong", seed=1), atari.make("Pong", stack=2)
    breakout = atari.make("Breakout", seed=1)
    pong.reset()
    breakout.reset()
    before = pong.get_state()
    for state in (breakout.get_state(), small.get_state()):
        with pytest.raises(ValueError, match="is none of Pong"):
            pong.set_state(state)
    with pytest.raises(KeyError, match="held"):
        pong.set_state({name: value for name, value in before.items() if name != "held"})
    after = pong.get_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


# -- the interface


def test_an_observation_belongs_to_who_got_it():
    """A later step does not change it, and writing into it changes no later one."""
    env, other = atari.make("Pong", seed=1), atari.make("Pong", seed=1)
    obs, _ = env.reset()
    other.reset()
    kept = obs.copy()
    env.step(0)
    np.testing.assert_array_equal(obs, kept)
    first, *_ = env.step(0)
    first[:] = 0
    for _ in range(2):
        other.step(0)
    np.testing.assert_array_equal(env.step(0)[0], other.step(0)[0])


@pytest.mark.parametrize("preset", atari.PRESETS)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_gymnasium_finds_nothing_wrong(preset):
    """Spaces, dtypes, seeds, rendering."""
    check_env(atari.make("Pong", preset, render_mode="rgb_array"), skip_close_check=True)


def test_gymnasium_makes_it_from_a_spec():
    """The same environment, without wrappers; also again from the spec that it has."""
    env = gym.make(atari.spec("ALE/Pong-v5", "machado", stack=2), render_mode="rgb_array")
    assert type(env) is atari.AtariEnv
    assert env.render_mode == "rgb_array"
    again = gym.make(env.spec)
    made = atari.make("Pong", "machado", stack=2)
    assert made.spec.id == env.spec.id == "reactorrl-atari/Pong"
    played = [play(one, 20, reset_seed=1) for one in (env, again, made)]
    assert played[0] == played[1] == played[2]
    with pytest.raises(gym.error.NameNotFound):
        atari.spec("Pnog")


def test_all_ways_to_name_a_game_mean_the_same():
    """Name, ROM, ids of Gymnasium old and new."""
    for name in ("SpaceInvaders", "space_invaders", "ALE/SpaceInvaders-v5"):
        assert ale_games.name_of(name) == "SpaceInvaders"
    for name in ("SpaceInvadersNoFrameskip-v4", "SpaceInvadersDeterministic-v0"):
        assert ale_games.name_of(name) == "SpaceInvaders"
    assert len(atari.games()) > 100
    assert {ale_games.name_of(name) for name in atari.games()} == set(atari.games())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Pnog", r"'Pnog' for one player; did you mean Pong"),
        ("SpaceInvader-v4", "did you mean SpaceInvaders"),
        ("ALE/Xyzzy-v5", r"see reactorrl\.atari\.games\(\)"),
        ("Combat", "no Atari game 'Combat' for one player"),
        ("", "no Atari game ''"),
    ],
)
def test_an_unknown_game_names_close_ones(name, says):
    """One that needs two players is none, either: ale-py would end the process."""
    with pytest.raises(gym.error.NameNotFound, match=says):
        atari.make(name)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"preset": "dnq"}, ValueError, "preset='dnq': one of dqn, machado"),
        (
            {"frameskip": 4},
            TypeError,
            "no preprocessing option 'frameskip'; there are .*frame_skip",
        ),
        ({"frame_skip": 0}, ValueError, "frame_skip=0: 1 or more"),
        ({"noop_max": -1}, ValueError, "noop_max=-1: 0 or more"),
        ({"stack": 0}, ValueError, "stack=0: 1 or more"),
        ({"repeat_action_probability": 2}, ValueError, "repeat_action_probability=2: from 0 to 1"),
        ({"padding": "zeros"}, ValueError, "padding='zeros': one of zero, reset"),
        ({"reward": None}, ValueError, "reward=None: one of raw, sign, clip"),
        ({"render_mode": "human"}, ValueError, "render_mode='human': None or 'rgb_array'"),
    ],
)
def test_what_cannot_be_made_is_refused(changes, error, says):
    """With the name of the option and what it can be."""
    with pytest.raises(error, match=says):
        atari.make("Pong", **changes)


def test_steps_need_an_episode_and_an_action():
    """Before the first reset, after an end, and for actions that there are not."""
    env = atari.make("Pong", max_frames=60)
    with pytest.raises(gym.error.ResetNeeded, match=r"Pong: .* call reset\(\)"):
        env.step(0)
    env.reset(seed=0)
    for action in (-1, 6):
        with pytest.raises(ValueError, match=f"Pong: action {action}: from 0 to 5"):
            env.step(action)
    truncated = False
    while not truncated:
        *_, truncated, _ = env.step(0)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)


def test_rendering_gives_the_screen_in_colour():
    """Where it was asked for."""
    env = atari.make("Pong", render_mode="rgb_array", seed=0)
    env.reset()
    screen = env.render()
    assert screen.shape == (210, 160, 3)
    np.testing.assert_array_equal(screen, env.ale.getScreenRGB())
    with pytest.raises(ValueError, match="render_mode"):
        atari.make("Pong").render()


def test_without_ale_py_one_line_says_what_to_install(monkeypatch):
    """Not when the package is imported, but when a game is made."""
    monkeypatch.setitem(sys.modules, "ale_py", None)
    ale_games.import_ale.cache_clear()
    ale_games._roms.cache_clear()
    try:
        with pytest.raises(gym.error.DependencyNotInstalled, match=r"reactorrl\[atari\]") as caught:
            atari.make("Pong")
        assert "\n" not in str(caught.value)
    finally:
        ale_games.import_ale.cache_clear()
        ale_games._roms.cache_clear()


def test_make_vec_plays_games_by_preset():
    import reactorrl

    def play(envs):
        obs, _ = envs.reset(seed=3)
        later = [envs.step(np.full(2, step % 3))[0] for step in range(20)]
        envs.close()
        return np.array([obs, *later])

    by_preset = play(reactorrl.make_vec("ALE/Breakout-v5", 2, workers=2, atari="dqn"))
    by_spec = play(reactorrl.make_vec(atari.spec("Breakout", "dqn"), 2, workers=1))
    assert by_preset.shape == (21, 2, 4, 84, 84)
    assert np.array_equal(by_preset, by_spec)
    with pytest.raises(ValueError, match="preset"):
        reactorrl.make_vec("ALE/Breakout-v5", 2, atari="deepmind")
