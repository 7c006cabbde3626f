"""Checkpoints: what comes back from the file, what is refused, and that training goes on."""

import io
import json
import pickle
import resource
import subprocess
import sys
import zipfile
from collections import deque

import gymnasium as gym
import numpy as np
import pytest

from reactorrl.rl import checkpoint
from reactorrl.rl.env_state import env_state, restore_env, states_of, unsavable

TREE = {
    "learner": {"round": 3, "network": {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}},
    "rollouts[0]": {
        "generator": np.random.default_rng(1).bit_generator.state,
        "envs": [None, {"desc": np.array([[b"S", b"F"]])}],
        "returns": (1.5, float("inf"), -0.1),
        3: True,
    },
    "frames": np.zeros((2, 4, 4), np.uint8)[:, ::2],
    "scalar": np.float32(0.1),
    "empty": np.empty((0, 3)),
}


def round_trip(path, tree):
    checkpoint.save(path, tree, {"program": "Test"})
    return checkpoint.load(path)[0]


def test_a_tree_comes_back_from_the_file(tmp_path):
    path = tmp_path / "c.npz"
    tree = round_trip(path, TREE)
    assert tree["learner"]["round"] == 3
    assert np.array_equal(
        tree["learner"]["network"]["0.weight"], TREE["learner"]["network"]["0.weight"]
    )
    assert tree["learner"]["network"]["0.weight"].dtype == np.float32
    rollout = tree["rollouts[0]"]
    assert rollout["generator"] == TREE["rollouts[0]"]["generator"], "integers beyond 64 bits"
    assert rollout["envs"][0] is None
    assert rollout["envs"][1]["desc"].tolist() == [[b"S", b"F"]]
    assert rollout["returns"] == [1.5, float("inf"), -0.1], "tuples come back as lists"
    assert rollout["3"] is True, "keys come back as texts"
    assert tree["frames"].shape == (2, 2, 4)
    assert tree["scalar"] == float(np.float32(0.1))
    assert tree["empty"].shape == (0, 3)
    assert [each.name for each in tmp_path.iterdir()] == ["c.npz"], "nothing else is left there"


def test_the_header_says_what_wrote_the_file(tmp_path):
    checkpoint.save(tmp_path / "c.npz", {}, {"program": "PPO", "options": {"gamma": 0.9}})
    header = checkpoint.load(tmp_path / "c.npz")[1]
    assert (header["program"], header["options"]) == ("PPO", {"gamma": 0.9})
    assert (header["format"], header["version"]) == (checkpoint.FORMAT, checkpoint.VERSION)
    assert header["libraries"]["numpy"] == np.__version__


def test_numpy_opens_a_checkpoint(tmp_path):
    checkpoint.save(tmp_path / "c.npz", TREE, {})
    with np.load(tmp_path / "c.npz") as arrays:
        assert arrays["learner/network/0.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_arrays_whose_paths_look_alike_are_kept_apart(tmp_path):
    tree = round_trip(tmp_path / "c.npz", {"a": {"b": np.array([1])}, "a/b": np.array([2])})
    assert (tree["a"]["b"].item(), tree["a/b"].item()) == (1, 2)


def test_what_has_no_place_in_a_checkpoint_is_named_and_the_old_file_stays(tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"kept": 1}, {})
    with pytest.raises(TypeError, match=r"envs/0/lock cannot be saved in a checkpoint: object"):
        checkpoint.save(path, {"envs": [{"lock": object()}]}, {})
    with pytest.raises(TypeError, match="objects cannot be saved in a checkpoint: dtype object"):
        checkpoint.save(path, {"objects": np.array([None])}, {})
    assert checkpoint.load(path)[0] == {"kept": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["c.npz"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"kept": 1}, {})

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, {"new": np.zeros(3)}, {})
    assert checkpoint.load(path)[0] == {"kept": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["c.npz"]


def test_a_cut_off_file_is_refused_wherever_the_cut_is(tmp_path):
    path, cut = tmp_path / "c.npz", tmp_path / "cut.npz"
    checkpoint.save(path, TREE, {})
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        cut.write_bytes(whole[:size])
        with pytest.raises(checkpoint.CheckpointError, match=r"cut\.npz: "):
            checkpoint.load(cut)


def test_a_flipped_bit_in_the_contents_is_found(tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"frames": np.zeros(5_000, np.uint8)}, {})
    damaged = bytearray(path.read_bytes())
    damaged[2_000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(checkpoint.CheckpointError, match="Bad CRC-32"):
        checkpoint.load(path)


@pytest.mark.parametrize("size", [0, 10, 5_000])
def test_foreign_files_are_refused(tmp_path, size):
    path = tmp_path / "c.npz"
    path.write_bytes(np.random.default_rng(size).bytes(size))
    with pytest.raises(checkpoint.CheckpointError, match=r"c\.npz: damaged, or no checkpoint"):
        checkpoint.load(path)
    np.savez(path, a=np.zeros(3))
    with pytest.raises(checkpoint.CheckpointError, match="no checkpoint of reactorrl"):
        checkpoint.load(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(
        checkpoint.CheckpointError, match=r"none\.npz: cannot be read: No such file"
    ):
        checkpoint.load(tmp_path / "none.npz")
    with pytest.raises(checkpoint.CheckpointError, match="Is a directory"):
        checkpoint.load(tmp_path)


def test_another_version_of_the_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "VERSION", 7)
    checkpoint.save(tmp_path / "c.npz", {}, {})
    monkeypatch.undo()
    with pytest.raises(checkpoint.CheckpointError, match=r"in version 7 .* reads version 1"):
        checkpoint.load(tmp_path / "c.npz")


class Bomb:
    def __reduce__(self):
        return print, ("the checkpoint ran code",)


def forged(path, array_bytes, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", array_bytes)
        archive.writestr("tree.json", json.dumps({"a": {"__array__": "a"}}))
        archive.writestr("header.json", json.dumps({"format": checkpoint.FORMAT, "version": 1}))
    return path


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def test_nothing_that_a_file_holds_is_run(tmp_path, capsys):
    array = np.array([Bomb()], dtype=object)
    for content in (npy(array, allow_pickle=True), pickle.dumps(Bomb())):
        with pytest.raises(checkpoint.CheckpointError):
            checkpoint.load(forged(tmp_path / "c.npz", content))
    assert capsys.readouterr().out == ""


def test_an_array_that_claims_more_than_the_file_has_takes_no_memory(tmp_path):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(checkpoint.CheckpointError, match="1000000000000 bytes by its header has 4"):
        checkpoint.load(forged(tmp_path / "c.npz", content))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_compressed_members_are_refused(tmp_path):
    path = forged(tmp_path / "c.npz", npy(np.zeros(10**6)), zipfile.ZIP_DEFLATED)
    with pytest.raises(checkpoint.CheckpointError, match="compressed"):
        checkpoint.load(path)


def test_members_that_overlap_are_refused(tmp_path):
    """A zip's directory may name the same bytes many times over."""
    path = tmp_path / "c.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", " " * 1_000)
        first = archive.infolist()[0]
        for number in range(100):
            again = zipfile.ZipInfo(f"{number}.npy")
            again.header_offset, again.CRC = first.header_offset, first.CRC
            again.file_size = again.compress_size = first.file_size
            archive.filelist.append(again)
    with pytest.raises(checkpoint.CheckpointError, match="larger than the file"):
        checkpoint.load(path)


def test_large_arrays_are_saved_and_loaded_without_a_second_copy(tmp_path):
    """In a process of its own, as the peak of memory never falls."""
    code = f"""
import resource
import numpy as np
from reactorrl.rl import checkpoint

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

frames = np.ones(256 << 20, np.uint8)
before = peak()
checkpoint.save({str(tmp_path / "c.npz")!r}, {{"frames": frames}}, {{}})
saving = peak() - before
del frames
before = peak()
frames = checkpoint.load({str(tmp_path / "c.npz")!r})[0]["frames"]
print(saving, peak() - before, int(frames.sum()) == 256 << 20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    saving, loading, is_whole = done.stdout.split()
    assert is_whole == "True"
    assert float(saving) < 100
    assert float(loading) < 100


def test_differences_between_options_are_named():
    saved = {"gamma": 0.9, "hidden_sizes": [64, 64], "seed": 1}
    assert checkpoint.differences(saved, {"gamma": 0.9, "hidden_sizes": (64, 64), "seed": 1}) == []
    assert checkpoint.differences(saved, {"gamma": 0.99, "hidden_sizes": (64, 64), "clip": 1}) == [
        "clip: nothing saved, 1 now",
        "gamma: 0.9 saved, 0.99 now",
        "seed: 1 saved, nothing now",
    ]


# Env states


SAVABLE = [
    "CartPole-v1",
    "Acrobot-v1",
    "MountainCar-v0",
    "Pendulum-v1",
    "FrozenLake-v1",
    "CliffWalking-v1",
    "Taxi-v4",
    "Blackjack-v1",
]


def walk(env, actions):
    """What an env answers: observations, rewards and both ends; it is reset where one ends."""
    for action in actions:
        obs, reward, terminated, truncated, _ = env.step(action)
        yield np.array(obs).tolist(), float(reward), terminated, truncated
        if terminated or truncated:
            yield np.array(env.reset()[0]).tolist()


@pytest.mark.parametrize("env_id", SAVABLE)
def test_an_env_goes_on_from_its_state_bit_for_bit(tmp_path, env_id):
    env, other = gym.make(env_id), gym.make(env_id)
    env.action_space.seed(5)
    env.reset(seed=3)
    for _ in walk(env, [env.action_space.sample() for _ in range(137)]):
        pass
    state = round_trip(tmp_path / "c.npz", env_state(env))
    other.reset(seed=9)
    restore_env(other, state)
    actions = [env.action_space.sample() for _ in range(300)]
    assert np.array_equal(actions, [other.action_space.sample() for _ in range(300)])
    assert list(walk(env, actions)) == list(walk(other, actions))
    assert unsavable(env) is None


def test_a_state_is_a_copy():
    env = gym.make("CartPole-v1")
    env.reset(seed=1)
    state = env_state(env)
    text = str(state)
    list(walk(env, [0, 1] * 50))
    assert str(state) == text


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_the_state_of_a_generator_is_a_copy(kind):
    generator = np.random.Generator(getattr(np.random, kind)(3))
    env, other = Holding(generator), Holding()
    state = env_state(env)
    drawn = generator.random(1000).tolist()
    restore_env(other, state)
    assert other.held.random(1000).tolist() == drawn


class Holding(gym.Env):
    observation_space = gym.spaces.Box(0, 1, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, held=None):
        self.held = held


class Offering(Holding):
    def get_state(self):
        return {"ram": np.arange(3)}

    def set_state(self, state):
        self.restored = state["ram"].tolist()


def test_containers_and_what_is_held_twice_come_back_as_they_were(tmp_path):
    generator = np.random.default_rng(3)
    cards = [1, (2, np.int64(3))]
    held = {"cards": cards, 5: deque([cards, None], maxlen=4), "rng": [generator, generator]}
    held["itself"] = held
    env = Holding(held)
    other = Holding()
    restore_env(other, round_trip(tmp_path / "c.npz", env_state(env)))
    got = other.held
    assert got["cards"] == cards
    assert type(got["cards"][1]) is tuple
    assert type(got["cards"][1][1]) is np.int64
    assert got[5].maxlen == 4
    assert got[5][0] is got["cards"]
    assert got["rng"][0] is got["rng"][1]
    assert got["rng"][0].random() == generator.random()
    assert got["itself"] is got


def test_what_cannot_be_saved_is_named_with_its_place():
    env = gym.wrappers.TimeLimit(Holding([1, iter([])]), 5)
    assert env_state(env) is None
    assert unsavable(env) == "Holding.held[1] is a builtins.list_iterator"
    buffer = np.zeros(4)
    assert "shares memory" in unsavable(Holding([buffer, buffer[:2]]))
    restore_env(env, None)
    assert len(env.unwrapped.held) == 2


def test_of_several_envs_the_first_that_cannot_be_saved_is_named():
    good, bad, worse = Holding(1), Holding(iter([])), Holding(iter({}))
    states = states_of([good, bad, worse])
    assert states["envs"] == [env_state(good), None, None]
    assert states["unsavable"] == "Holding.held is a builtins.list_iterator"
    assert states_of([good])["unsavable"] is None


def test_an_env_may_offer_its_own_state(tmp_path):
    env, other = (gym.wrappers.TimeLimit(Offering(object()), 5) for _ in range(2))
    env._elapsed_steps = 4
    restore_env(other, round_trip(tmp_path / "c.npz", env_state(env)))
    assert other.unwrapped.restored == [0, 1, 2]
    assert other._elapsed_steps == 4


def test_the_state_of_another_env_is_refused():
    env, other = gym.make("CartPole-v1"), gym.make("MountainCar-v0")
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"the saved env is a CartPoleEnv, this one"):
        restore_env(other, env_state(env))
