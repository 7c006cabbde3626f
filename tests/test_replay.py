"""Replay memories, held against lists of all transitions, and the reactors that keep them."""

import json
import re

import numpy as np
import pytest

import reactorrl as rr
from reactorrl import rl
from reactorrl.rl._sum_tree import MAX_VALUE, MIN_VALUE, SumTree

GAMMA = 0.9
DEPTH = 4


class Stream:
    """One env as its rollout sees it, and the list of all that happened in it.

    Kinds: `vector` has no frames; the others are stacks of them, padded at a reset with `zeros`,
    with the first frame again (`repeat`), or not at all (`lives`: the episode ends, the game goes
    on); those of `still` are often equal, those of `noise` no stacks at all.
    """

    def __init__(self, kind, rng, end=0.15):
        self.kind, self.rng, self.end = kind, rng, end
        self.name = int(rng.integers(1000))
        self.n = 0
        self.stack = None
        self.steps = []  # obs, action, reward, next_obs, terminated, ended
        self.obs = self.reset()

    def frame(self):
        if self.kind == "still":
            return np.full((2, 3), self.rng.integers(2), np.uint8)
        return self.rng.integers(256, size=(2, 3)).astype(np.uint8)

    def reset(self):
        if self.kind == "vector":
            return self.follow()
        first = self.frame()
        if self.stack is None or self.kind not in ("lives", "still"):
            older = np.zeros((DEPTH - 1, 2, 3), np.uint8)
            if self.kind in ("repeat", "still"):
                older[:] = first
            self.stack = np.concatenate([older, first[None]])
            return self.stack
        return self.follow() if self.rng.integers(2) else self.stack

    def follow(self):
        if self.kind == "vector":
            self.n += 1
            return np.array([self.name, self.n], np.float32)
        if self.kind == "noise":
            self.stack = self.rng.integers(256, size=(DEPTH, 2, 3)).astype(np.uint8)
        else:
            self.stack = np.concatenate([self.stack[1:], self.frame()[None]])
        return self.stack

    def step(self):
        """Take a step; returns obs, action, reward, terminated, truncated and final obs or None."""
        obs, action, reward = self.obs, int(self.rng.integers(5)), np.float32(self.rng.normal())
        terminated, truncated = self.rng.random(2) < self.end
        following = self.follow()
        ended = bool(terminated or truncated)
        self.steps.append((obs, action, reward, following, bool(terminated), ended))
        self.obs = self.reset() if ended else following
        return obs, action, reward, terminated, truncated, following if ended else None

    def restart(self):
        """Begin anew although no end was seen; unless it looks the same, it counts as one."""
        before, self.obs = self.obs, self.reset()
        if self.steps and not np.array_equal(before, self.obs):
            obs, action, reward, following, terminated, _ = self.steps[-1]
            self.steps[-1] = obs, action, reward, following, terminated, True


def play(streams, n_steps):
    """The trajectory of some steps of these envs."""
    grid = [[stream.step() for stream in streams] for _ in range(n_steps)]
    columns = [np.array([[cell[k] for cell in row] for row in grid]) for k in range(5)]
    final = [cell[5] for row in grid for cell in row if cell[5] is not None]
    obs = columns[0]
    return rl.Trajectory(
        obs=obs,
        actions=columns[1],
        rewards=columns[2],
        terminated=columns[3],
        truncated=columns[4],
        last_obs=np.array([stream.obs for stream in streams]),
        final_obs=np.array(final, obs.dtype).reshape(-1, *obs.shape[2:]),
        episode_returns=np.empty(0),
        episode_lengths=np.empty(0, np.int64),
    )


def memory_for(kind, capacity, cls=rl.ReplayMemory, **options):
    if kind == "vector":
        options = {"obs_shape": (2,), **options}
    else:
        options = {
            "obs_shape": (DEPTH, 2, 3),
            "obs_dtype": np.uint8,
            "frame_stack": True,
            **options,
        }
    return cls(capacity=capacity, gamma=GAMMA, **options)


def n_step_return(steps, position, n):
    """Reward, next observation and discount, from a list of all that happened in an env."""
    total, discount = 0.0, 1.0
    for *_, reward, following, terminated, ended in steps[position : position + n]:
        total += discount * float(reward)
        discount *= GAMMA
        if ended:
            return total, following, 0.0 if terminated else discount
    return total, following, discount


def live(memory):
    """Lane and position of all that can be drawn."""
    pairs = [
        (lane, position)
        for lane in range(memory.n_lanes)
        for position in range(memory._first[lane], memory._written[lane])
    ]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def everything(memory):
    """All that can be drawn, as one batch, in the order of `live`."""
    return memory._gather(memory._slots_at(*live(memory)))


def check_all(memory, streams, n_step=1):
    """Every transition that can be drawn is as the list of all that happened says."""
    lanes, positions = live(memory)
    assert len(memory) == len(lanes)
    batch = everything(memory)
    for row, (lane, position) in enumerate(zip(lanes, positions, strict=True)):
        steps = streams[lane].steps
        total, following, discount = n_step_return(steps, position, n_step)
        assert np.array_equal(batch.obs[row], steps[position][0])
        assert batch.actions[row] == steps[position][1]
        assert batch.rewards[row] == pytest.approx(total, abs=1e-5)
        assert batch.discounts[row] == pytest.approx(discount)
        assert np.array_equal(batch.next_obs[row], following)
    assert memory._written.tolist() == [len(stream.steps) for stream in streams]


KINDS = ("vector", "zeros", "repeat", "lives", "still", "noise")


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_transition_comes_out_as_it_went_in(kind, n_step, seed):
    """Uneven lanes, chunks of any length, wraps, ends of both kinds, streams that are cut."""
    rng = np.random.default_rng(seed)
    streams = [Stream(kind, rng) for _ in range(3)]
    memory = memory_for(kind, 3 * 60, n_lanes=3, n_step=n_step)
    for _ in range(40):
        first = int(rng.integers(3))
        part = streams[first : first + 1 + int(rng.integers(2))]
        if rng.random() < 0.2:
            part[0].restart()
        memory.add(play(part, int(rng.integers(1, 12))), first)
        check_all(memory, streams, n_step)
    assert memory.added == sum(len(stream.steps) for stream in streams) > 3 * 60


def test_a_lane_keeps_as_many_transitions_as_observations_fit(seed):
    rng = np.random.default_rng(seed)
    stream = Stream("vector", rng)
    memory = memory_for("vector", 50)
    for _ in range(60):
        memory.add(play([stream], int(rng.integers(1, 9))))
        kept = stream.steps[-len(memory) :]
        used = 1 + sum(1 + ended for *_, ended in kept)
        before = stream.steps[: -len(memory)]
        assert used <= 50 < (used + 1 + before[-1][5] if before else 51)
    assert memory.added > 200


@pytest.mark.parametrize("kind", ["lives", "noise"])
def test_the_newest_transition_is_always_there(kind, seed):
    stream = Stream(kind, np.random.default_rng(seed), end=0.5)
    memory = memory_for(kind, 3 * DEPTH)
    for _ in range(50):
        memory.add(play([stream], 1))
        check_all(memory, [stream])
        assert len(memory) >= 1


@pytest.mark.parametrize("kind", ["zeros", "repeat", "lives"])
def test_frames_are_stored_once(kind):
    """Of 100 frames in a lane, only resets and final observations take some from transitions."""
    stream = Stream(kind, np.random.default_rng(3), end=0.02)
    memory = memory_for(kind, 100)
    for _ in range(50):
        memory.add(play([stream], 10))
    ends = sum(ended for *_, ended in stream.steps[-len(memory) :])
    assert 1 <= ends <= 8
    extra = {"lives": 1}.get(kind, DEPTH)
    assert 100 - len(memory) <= DEPTH + extra * (ends + 1)


def test_a_million_atari_frames_take_seven_gigabytes():
    memory = rl.ReplayMemory(
        1_000, obs_shape=(4, 84, 84), obs_dtype=np.uint8, frame_stack=True, n_lanes=4
    )
    assert 7.056e6 < memory.nbytes < 7.1e6


def one_lane(rewards, ends, n_step):
    """The returns of a lane: `ends` maps steps to "terminated" or "truncated"."""
    n = len(rewards)
    obs = np.arange(n + 1, dtype=np.float32)[:, None, None]
    final = np.array([[100.0 + step] for step in sorted(ends)], np.float32).reshape(-1, 1)
    kinds = [np.array([[ends.get(step) == kind] for step in range(n)]) for kind in (
        "terminated", "truncated")]  # fmt: skip
    memory = rl.ReplayMemory(50, obs_shape=(1,), n_step=n_step, gamma=0.5)
    memory.add(
        rl.Trajectory(
            obs=obs[:n],
            actions=np.zeros((n, 1), np.int64),
            rewards=np.array(rewards, np.float32)[:, None],
            terminated=kinds[0],
            truncated=kinds[1],
            last_obs=obs[n],
            final_obs=final,
            episode_returns=np.empty(0),
            episode_lengths=np.empty(0, np.int64),
        )
    )
    batch = everything(memory)
    return list(
        zip(
            batch.rewards.tolist(),
            batch.next_obs[:, 0].tolist(),
            batch.discounts.tolist(),
            strict=True,
        )
    )


def test_returns_by_hand():
    """Return, next observation and discount; the final observation after step t is 100 + t."""
    assert one_lane([1, 2, 4, 8], {}, 1) == [(1, 1, 0.5), (2, 2, 0.5), (4, 3, 0.5), (8, 4, 0.5)]
    assert one_lane([1, 2, 4, 8], {}, 3) == [
        (1 + 1 + 1, 3, 0.125),
        (2 + 2 + 2, 4, 0.125),
        (4 + 4, 4, 0.25),  # nothing newer is there: two steps
        (8, 4, 0.5),
    ]
    assert one_lane([1, 2, 4, 8], {1: "terminated"}, 3) == [
        (2, 101, 0),
        (2, 101, 0),
        (8, 4, 0.25),
        (8, 4, 0.5),
    ]
    assert one_lane([1, 2, 4, 8], {1: "truncated"}, 3) == [
        (2, 101, 0.25),
        (2, 101, 0.5),
        (8, 4, 0.25),
        (8, 4, 0.5),
    ]


def test_uniform_draws_are_what_the_generator_says():
    rng = np.random.default_rng(3)
    streams = [Stream("vector", rng) for _ in range(3)]
    memory = memory_for("vector", 90, n_lanes=3)
    memory.add(play(streams[:2], 9))
    for _ in range(3):
        memory.add(play(streams[2:], 12), 2)
    lanes, positions = live(memory)
    assert len(lanes) < 9 + 9 + 36, "some of the third are gone"
    drawn = np.random.default_rng(11).integers(len(lanes), size=40)
    batch = memory.sample(40, np.random.default_rng(11))
    expected = memory._gather(memory._slots_at(lanes[drawn], positions[drawn]))
    for name in ("obs", "actions", "rewards", "next_obs", "discounts"):
        assert np.array_equal(getattr(batch, name), getattr(expected, name)), name
    assert (batch.indices, batch.weights) == (None, None)
    dtypes = [array.dtype for array in (batch.obs, batch.actions, batch.rewards, batch.discounts)]
    assert dtypes == [np.float32, np.int64, np.float32, np.float32]
    batch.obs[:] = -1.0
    assert memory.sample(100, np.random.default_rng(1)).obs.min() >= 0.0, "a batch is a copy"


def test_actions_may_have_a_shape():
    rng = np.random.default_rng(0)
    trajectory = play([Stream("vector", rng)], 5)
    actions = rng.normal(size=(5, 1, 3))
    memory = rl.ReplayMemory(20, obs_shape=(2,), action_shape=(3,), action_dtype=np.float32)
    memory.add(rl.Trajectory(**{**vars(trajectory), "actions": actions}))
    assert np.array_equal(everything(memory).actions, actions[:, 0].astype(np.float32))


def test_a_memory_refuses_what_cannot_be():
    for options, message in (
        ({"capacity": 2}, "capacity=2: each of 1 lanes needs at least 3"),
        ({"capacity": -5}, "capacity=-5"),
        ({"capacity": 8, "n_lanes": 3}, "each of 3 lanes needs at least 3"),
        ({"capacity": 50, "n_step": 0}, "n_step=0: both must be at least 1"),
        ({"capacity": 50, "gamma": 1.5}, "gamma=1.5: must be between 0 and 1"),
        ({"capacity": 50, "frame_stack": True}, r"obs_shape=\(2,\): not \(frames, \.\.\.\)"),
        ({"capacity": 999, "obs_shape": (256, 2), "frame_stack": True}, "at most 255"),
    ):
        with pytest.raises(ValueError, match=message):
            rl.ReplayMemory(**{"obs_shape": (2,), **options})
    streams = [Stream("vector", np.random.default_rng(0), end=0.0) for _ in range(2)]
    memory = rl.ReplayMemory(10, obs_shape=(2,))
    good = vars(play(streams[:1], 4))
    per_step = ("obs", "actions", "rewards", "terminated", "truncated")
    nothing = {name: good[name][:0] for name in per_step}
    for changes, message in (
        (vars(play(streams[:1], 10)), "10 steps of an env do not fit: they take 11 observations"),
        (vars(play(streams, 2)), "2 envs from lane 0 on: the memory has 1 lanes"),
        ({"obs": good["obs"][..., :1]}, r"observations are float32 \(4, 1, 1\)"),
        ({"obs": good["obs"].astype(complex)}, "observations are complex128"),
        ({"last_obs": good["last_obs"][:, :1]}, r"last observations are float32 \(1, 1\)"),
        ({"final_obs": np.zeros((0, 1))}, r"final observations are float64 \(0, 1\)"),
        ({"actions": good["actions"] + 0.5}, "actions are float64"),
        (nothing, "a trajectory without steps"),
        ({"final_obs": np.zeros((1, 2), np.float32)}, "1 final observations for 0 ended episodes"),
    ):
        with pytest.raises(ValueError, match=message):
            memory.add(rl.Trajectory(**{**good, **changes}))
    with pytest.raises(ValueError, match="empty"):
        memory.sample(1, np.random.default_rng(0))
    assert len(memory.sample(0, np.random.default_rng(0))) == 0
    assert memory.added == 0


# The sum tree


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 65, 513, 5000])
def test_sum_tree_draws_as_running_sums_say(n, seed):
    """Whole numbers: no rounding, so that every leaf is known."""
    rng = np.random.default_rng(seed)
    tree, values = SumTree(n), np.zeros(n)
    for _ in range(20):
        leaves = rng.integers(n, size=int(rng.integers(30)))
        new = rng.integers(5, size=len(leaves)).astype(float)
        for leaf, value in zip(leaves, new, strict=True):
            values[leaf] = value
        tree.set(leaves, new)
        assert np.array_equal(tree.leaves, values)
        assert tree.total == values.sum()
        assert tree.minimum == min(values[values > 0], default=np.inf)
        if tree.total:
            uniforms = rng.integers(2**10, size=16) / 2**10  # sixteen parts: exact
            wanted = (np.arange(16) + uniforms) / 16 * tree.total
            drawn, drawn_values = tree.sample(uniforms)
            assert np.array_equal(drawn, np.searchsorted(np.cumsum(values), wanted, side="right"))
            assert np.array_equal(drawn_values, values[drawn])


def test_sum_tree_does_not_depend_on_how_it_came_about(seed):
    rng = np.random.default_rng(seed)
    once, often, values = SumTree(300), SumTree(300), rng.random(300)
    for _ in range(50):
        often.set(rng.integers(300, size=40), rng.random(40) * 1e9)
    for leaf in rng.permutation(300):
        often.set(np.array([leaf]), values[[leaf]])
    once.set(np.arange(300), values)
    assert once.total == often.total == pytest.approx(values.sum(), rel=1e-14)
    assert once.minimum == often.minimum == values.min()


def test_sum_tree_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="n_leaves=0: from 1"):
        SumTree(0)
    tree = SumTree(5)
    with pytest.raises(ValueError, match="all leaves are 0"):
        tree.sample(np.zeros(1))
    assert [len(array) for array in tree.sample(np.zeros(0))] == [0, 0]
    with pytest.raises(ValueError, match="2 leaves, but 1 values"):
        tree.set(np.arange(2), np.ones(1))
    for leaf, value in ((5, 1.0), (-1, 1.0), (1, -1.0), (1, np.nan), (1, MAX_VALUE * 2)):
        with pytest.raises(
            ValueError, match=re.escape(f"leaf {leaf} = {value}: leaves go from 0 to 4")
        ):
            tree.set(np.array([0, leaf]), np.array([1.0, value]))
        assert tree.total == 0
    tree.set(np.arange(2), np.array([MIN_VALUE, MAX_VALUE]))
    assert tree.sample(np.array([np.nextafter(1, 0)]))[0].tolist() == [1]


# Priorities


def prioritized(capacity=120, **options):
    """A memory of three lanes of which the oldest transitions are gone, and the lists of them."""
    rng = np.random.default_rng(5)
    streams = [Stream("vector", rng) for _ in range(3)]
    memory = memory_for("vector", capacity, rl.PrioritizedReplayMemory, n_lanes=3, **options)
    for first, n in ((0, 2), (2, 1)) * 8:
        memory.add(play(streams[first : first + n], 7), first)
    return memory, streams


def names(memory):
    """The index of every transition that can be drawn."""
    lanes, positions = live(memory)
    return positions * memory.n_lanes + lanes


def rewards_by_name(memory):
    return dict(
        zip(
            names(memory).tolist(),
            everything(memory).rewards,
            strict=True,
        )
    )


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_prioritized_draws_follow_the_priorities(alpha):
    """As many of each as its share of the sum says, rounded one way or the other: strata."""
    memory, _ = prioritized(alpha=alpha, eps=0.01)
    there = names(memory)
    values = np.random.default_rng(1).exponential(size=len(there))
    assert memory.update(rl.Priorities(there, values)) == len(there)
    batch = memory.sample(10_000, np.random.default_rng(2), beta=0.4)
    shares = (values + 0.01) ** alpha
    shares /= shares.sum()
    expected = dict(zip(there.tolist(), shares, strict=True))
    counts = dict(zip(*np.unique(batch.indices, return_counts=True), strict=True))
    for index, share in expected.items():
        assert abs(counts.get(index, 0) - 10_000 * share) < 2
    by_name = rewards_by_name(memory)
    assert batch.rewards.tolist() == [by_name[index] for index in batch.indices.tolist()]
    drawn = np.array([expected[index] for index in batch.indices.tolist()])
    weights = (len(there) * drawn) ** -0.4
    weights /= (len(there) * shares.min()) ** -0.4
    assert batch.weights == pytest.approx(weights, rel=1e-5)
    assert batch.weights.dtype == np.float32
    assert batch.weights.max() <= 1.0


def test_prioritized_batches_are_in_random_order():
    """So that a minibatch, some rows of a batch, does not come from one corner of the memory."""
    memory, _ = prioritized()
    batch = memory.sample(len(memory), np.random.default_rng(2))
    assert sorted(batch.indices.tolist()) == sorted(names(memory).tolist()), "equal shares"
    lanes = batch.indices % 3
    assert 10 < np.count_nonzero(np.diff(lanes)) < len(lanes) - 1
    assert batch.weights.tolist() == [1.0] * len(memory)


def test_new_transitions_have_the_highest_priority():
    memory, streams = prioritized(alpha=1.0, eps=0.5)
    there = names(memory)
    assert memory.max_priority == 1.0
    memory.update(rl.Priorities(there[:2], np.array([7.5, 2.0])))
    memory.update(rl.Priorities(there, np.full(len(there), 0.5)))
    assert memory.max_priority == 8.0
    memory.add(play(streams, 1))
    new = set(names(memory).tolist()) - set(there.tolist())
    batch = memory.sample(20_000, np.random.default_rng(3))
    share = np.isin(batch.indices, list(new)).mean()
    old = len(memory) - 3
    assert share == pytest.approx(3 * 8 / (3 * 8 + old), abs=1e-3)


def test_priorities_of_what_was_overwritten_are_left_out():
    memory, streams = prioritized(alpha=1.0, eps=1.0)
    old = names(memory)
    memory.add(play(streams, 20))
    still = np.isin(old, names(memory))
    assert 0 < still.sum() < len(old)
    assert memory.update(rl.Priorities(old, np.full(len(old), 1e-9))) == still.sum()
    batch = memory.sample(5_000, np.random.default_rng(3))
    assert set(batch.indices.tolist()) == set(names(memory).tolist()), "all are as they were"
    assert memory._tree.total == pytest.approx(len(memory))
    check_all(memory, streams)


def test_of_priorities_named_twice_the_last_counts():
    memory, _ = prioritized(alpha=1.0, eps=1.0)
    index = int(names(memory)[4])
    memory.update(rl.Priorities(np.array([index, index]), np.array([50.0, 2.0])))
    assert memory._tree.total == len(memory) - 1 + 3.0
    assert memory.max_priority == 51.0, "it was there, if not for long"


def test_priorities_that_cannot_be_are_refused():
    memory, _ = prioritized()
    before = memory._tree.total
    there = names(memory)[:2]
    for values in ([1.0, -1.0], [np.nan, 1.0], [np.inf, 1.0]):
        with pytest.raises(ValueError, match="finite and not negative"):
            memory.update(rl.Priorities(there, np.array(values)))
    for wrong in (-1, 3 * memory.added):
        with pytest.raises(ValueError, match="never gave out"):
            memory.update(rl.Priorities(np.array([there[0], wrong]), np.ones(2)))
    assert memory._tree.total == before
    with pytest.raises(ValueError, match="alpha=-1"):
        prioritized(alpha=-1)
    with pytest.raises(ValueError, match=r"eps=0\.0"):
        prioritized(eps=0.0)


@pytest.mark.parametrize("kind", ["vector", "lives", "noise"])
def test_prioritized_transitions_come_out_as_they_went_in(kind, seed):
    """What the tree holds is what can be drawn, whatever was overwritten."""
    rng = np.random.default_rng(seed)
    streams = [Stream(kind, rng) for _ in range(2)]
    memory = memory_for(kind, 80, rl.PrioritizedReplayMemory, n_lanes=2, n_step=2)
    for _ in range(30):
        first = int(rng.integers(2))
        memory.add(play(streams[first : first + 1], int(rng.integers(1, 8))), first)
        check_all(memory, streams, 2)
        lanes, positions = live(memory)
        slots = memory._slots_at(lanes, positions)
        assert np.array_equal(np.flatnonzero(memory._tree.leaves), np.sort(slots))
        if len(memory):
            batch = memory.sample(8, rng)
            assert set(batch.indices.tolist()) <= set(names(memory).tolist())
            memory.update(rl.Priorities(batch.indices, rng.random(8)))


# States


def plain(state):
    """The state as a checkpoint may write it: JSON, and its arrays apart."""
    arrays = []

    def take(value):
        if isinstance(value, dict):
            return {key: take(item) for key, item in value.items()}
        if isinstance(value, np.ndarray):
            arrays.append(value.copy())
            return {"array": len(arrays) - 1}
        return value

    def give(value):
        if isinstance(value, dict):
            return arrays[value["array"]] if "array" in value else {
                key: give(item) for key, item in value.items()
            }  # fmt: skip
        return value

    return give(json.loads(json.dumps(take(state))))


def batches_of(memory, streams, rng):
    """Goes on for a while; all that is drawn."""
    seen = []
    for n in (3, 1, 8, 5):
        memory.add(play(streams, n))
        batch = memory.sample(16, rng)
        if batch.indices is not None:
            memory.update(rl.Priorities(batch.indices, np.abs(batch.rewards)))
        seen += [array for array in vars(batch).values() if array is not None]
    return seen


@pytest.mark.parametrize("n_before", [3, 40])
@pytest.mark.parametrize("kind", ["vector", "lives"])
@pytest.mark.parametrize("cls", [rl.ReplayMemory, rl.PrioritizedReplayMemory])
def test_a_memory_goes_on_from_its_state_to_the_last_bit(cls, kind, n_before):
    results = []
    for is_resumed in (False, True):
        rng = np.random.default_rng(4)
        streams = [Stream(kind, rng) for _ in range(2)]
        memory = memory_for(kind, 60, cls, n_lanes=2, n_step=3)
        draws = np.random.default_rng(8)
        for _ in range(n_before):
            memory.add(play(streams, 2))
        if cls is rl.PrioritizedReplayMemory:
            batch = memory.sample(6, draws)
            memory.update(rl.Priorities(batch.indices, np.arange(6) * 0.3))
        if is_resumed:
            state = plain(memory.state_dict())
            batches_of(memory, streams=[Stream(kind, np.random.default_rng(1))] * 2, rng=draws)
            draws = np.random.default_rng(8)
            if cls is rl.PrioritizedReplayMemory:
                draws.random(6), draws.permutation(6)
            memory = memory_for(kind, 60, cls, n_lanes=2, n_step=3)
            memory.load_state_dict(state)
        results.append(batches_of(memory, streams, draws))
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


def test_a_state_is_a_view_and_fits_only_its_like():
    memory, streams = prioritized()
    state = memory.state_dict()
    memory.add(play(streams, 9))
    assert np.shares_memory(state["obs"]["rows"], memory.state_dict()["obs"]["rows"])
    other = memory_for("vector", 90, rl.PrioritizedReplayMemory, n_lanes=3)
    with pytest.raises(ValueError, match=r"a memory of capacity 120, 3 lanes.*capacity 90"):
        other.load_state_dict(state)
    assert len(other) == 0


# Reactors


class Source(rr.Reactor):
    """Sets the trajectories of its envs, one at each microstep; leaves those out that are None."""

    trajectory = rr.Output()
    again = rr.LogicalAction()

    def __init__(self, trajectories):
        self.left = list(trajectories)

    @rr.reaction(rr.startup, again, effects=(trajectory, again))
    def go(self):
        trajectory = self.left.pop(0)
        if trajectory is not None:
            self.trajectory.set(trajectory)
        if self.left:
            self.again.schedule()


class Student(rr.Reactor):
    """Keeps the batches, and finds the rewards of each worth learning from."""

    batch = rr.Input()
    priorities = rr.Output()

    def __init__(self):
        self.batches = []

    @rr.reaction(batch, effects=priorities)
    def keep(self):
        batch = self.batch.value
        self.batches.append(batch)
        if batch.indices is not None:
            self.priorities.set(rl.Priorities(batch.indices, np.abs(batch.rewards)))


class School(rr.Reactor):
    def __init__(self, rounds, make_buffer):
        self.sources = [Source(trajectories) for trajectories in rounds]
        self.buffer = make_buffer()
        self.student = Student()
        self.connect([source.trajectory for source in self.sources], self.buffer.trajectories)
        self.connect(self.buffer.batch, self.student.batch)
        if hasattr(self.buffer, "priorities"):
            self.connect(self.student.priorities, self.buffer.priorities, after=0)


def rounds_of_three_rollouts():
    """Six rounds of trajectories of two envs each; the second rollout rests now and then."""
    rng = np.random.default_rng(9)
    streams = [[Stream("vector", rng) for _ in range(2)] for _ in range(3)]
    return [
        [None if index == 1 and n % 3 == 1 else play(pair, 5) for n in range(6)]
        for index, pair in enumerate(streams)
    ]


OPTIONS = {"num_envs": 2, "obs_shape": (2,), "capacity": 6 * 20, "n_step": 2, "gamma": GAMMA}
ROUND = {"batch_rows": 24, "learning_starts": 35, "seed": 5}


def assert_same(batches, expected):
    assert len(batches) == len(expected)
    for one, other in zip(batches, expected, strict=True):
        for name, array in vars(one).items():
            assert np.array_equal(array, getattr(other, name)), name


def expected_batches(rounds, memory, beta=None):
    """The same without reactors."""
    rng = np.random.default_rng((5, 4))
    batches = []
    for arrived in zip(*rounds, strict=True):
        if batches and beta:
            memory.update(rl.Priorities(batches[-1].indices, np.abs(batches[-1].rewards)))
        for index, trajectory in enumerate(arrived):
            if trajectory is not None:
                memory.add(trajectory, 2 * index)
        rows = 24 if memory.added >= 35 else 0
        more = (beta(memory.added),) if beta else ()
        batches.append(memory.sample(rows, rng, *more))
    return batches


def memory_options():
    return {name: OPTIONS[name] for name in ("obs_shape", "capacity", "n_step", "gamma")}


def test_buffer_takes_rollouts_in_order_and_waits_for_the_start(workers):
    rounds = rounds_of_three_rollouts()
    main = School(rounds, lambda: rl.ReplayBuffer(3, **OPTIONS, **ROUND))
    rr.run(main, workers=workers, fast=True)
    expected = expected_batches(rounds, rl.ReplayMemory(n_lanes=6, **memory_options()))
    assert [len(batch) for batch in main.student.batches] == [0, 24, 24, 24, 24, 24]
    assert_same(main.student.batches, expected)


def test_buffer_refuses_a_rollout_of_other_envs():
    rounds = rounds_of_three_rollouts()
    main = School(rounds, lambda: rl.ReplayBuffer(3, **{**OPTIONS, "num_envs": 1}, **ROUND))
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert str(caught.value.__cause__) == "channel 0: 2 envs, but num_envs=1"


def test_prioritized_buffer_learns_what_the_learner_sends_back(workers):
    rounds, beta = rounds_of_three_rollouts(), rl.LinearSchedule(0.4, 1.0, 150)
    main = School(
        rounds, lambda: rl.PrioritizedReplayBuffer(3, **OPTIONS, **ROUND, beta=beta, alpha=0.7)
    )
    rr.run(main, workers=workers, fast=True)
    memory = rl.PrioritizedReplayMemory(n_lanes=6, alpha=0.7, **memory_options())
    expected = expected_batches(rounds, memory, beta)
    assert [len(batch) for batch in main.student.batches] == [0, 24, 24, 24, 24, 24]
    assert_same(main.student.batches, expected)
    assert min(expected[-1].weights) < 0.9


@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_a_buffer_goes_on_from_its_state_to_the_last_bit(kind):
    def make():
        if kind == "uniform":
            return rl.ReplayBuffer(3, **OPTIONS, **ROUND)
        beta = rl.LinearSchedule(0.4, 1.0, 150)
        return rl.PrioritizedReplayBuffer(3, **OPTIONS, **ROUND, beta=beta)

    rounds = rounds_of_three_rollouts()
    whole = School(rounds, make)
    rr.run(whole, workers=1, fast=True)

    def half(rounds, state):
        buffer = make()
        if state:
            buffer.load_state_dict(state)
        main = School(rounds, lambda: buffer)
        rr.run(main, workers=1, fast=True)
        return main

    first = half([trajectories[:3] for trajectories in rounds], None)
    second = half([trajectories[3:] for trajectories in rounds], plain(first.buffer.state_dict()))
    assert_same(first.student.batches + second.student.batches, whole.student.batches)
