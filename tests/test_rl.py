"""The RL layer: replay, targets, rollouts; DQN equal to the last bit for any number of workers."""

import importlib.util
import re
import subprocess
import sys
import sysconfig
import threading
import time

import gymnasium as gym
import numpy as np
import pytest

import reactorrl as rr
from reactorrl import demo, rl

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)

GREEDY = rl.LinearSchedule(0.0, 0.0, 1)
SHORT = {
    "num_steps": 32,
    "total_timesteps": 1_500,
    "updates_per_round": 4,
    "batch_size": 32,
    "learning_starts": 300,
}


# Replay


def walk(env, first, steps, terminated=(), truncated=()):
    """A trajectory whose observations are (env, time) and whose rewards are the time."""
    times = np.arange(first, first + steps)
    obs = np.stack([np.full(steps, env), times], axis=1).astype(np.float32)
    return rl.Trajectory(
        obs=obs,
        actions=times % 2,
        rewards=times.astype(np.float32),
        next_obs=obs + np.array([0, 1], np.float32),
        terminated=np.isin(times, terminated),
        truncated=np.isin(times, truncated),
        episode_returns=np.empty(0),
        episode_lengths=np.empty(0, np.int64),
    )


def all_rows(memory):
    """The rewards in a memory; so many draws, with a fixed seed, that none is missed."""
    return sorted(set(memory.sample(100 * len(memory), np.random.default_rng(1)).rewards.tolist()))


def test_memory_keeps_the_newest_transitions_when_the_ring_wraps():
    memory = rl.ReplayMemory(5, 2)
    memory.add(walk(0, 0, 3))
    assert len(memory) == 3
    assert all_rows(memory) == [0, 1, 2]
    memory.add(walk(0, 3, 4))
    assert len(memory) == 5
    assert all_rows(memory) == [2, 3, 4, 5, 6]
    memory.add(walk(0, 7, 5))
    assert all_rows(memory) == [7, 8, 9, 10, 11]


def test_memory_draws_from_filled_slots_only():
    memory = rl.ReplayMemory(1000, 2)
    memory.add(walk(3, 10, 4))
    batch = memory.sample(500, np.random.default_rng(7))
    assert set(batch.rewards.tolist()) == {10, 11, 12, 13}
    assert set(batch.obs[:, 0].tolist()) == {3}


def test_memory_never_mixes_episodes_or_envs():
    memory = rl.ReplayMemory(50, 2)
    for part in range(9):
        for env in (1, 2, 3):
            memory.add(walk(env, 4 * part, 4, terminated=[11], truncated=[21]))
    batch = memory.sample(2000, np.random.default_rng(3))
    assert np.array_equal(batch.next_obs, batch.obs + np.array([0, 1], np.float32))
    assert np.array_equal(batch.rewards, batch.obs[:, 1])
    assert np.array_equal(batch.actions, batch.obs[:, 1].astype(np.int64) % 2)
    assert np.array_equal(batch.terminated, batch.obs[:, 1] == 11)


def test_memory_draws_exactly_what_the_generator_says():
    memory = rl.ReplayMemory(8, 2)
    memory.add(walk(0, 0, 6))
    batch = memory.sample(5, np.random.default_rng(11))
    assert batch.rewards.tolist() == np.random.default_rng(11).integers(6, size=5).tolist()
    assert batch.rewards.dtype == np.float32
    assert batch.actions.dtype == np.int64
    batch.obs[:] = -1.0
    assert memory.sample(100, np.random.default_rng(1)).obs.min() == 0.0, "a batch is a copy"


def test_memory_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="at least one transition"):
        rl.ReplayMemory(0, 2)
    memory = rl.ReplayMemory(3, 2)
    with pytest.raises(ValueError, match="do not fit"):
        memory.add(walk(0, 0, 4))
    with pytest.raises(ValueError, match="empty"):
        memory.sample(1, np.random.default_rng(0))
    assert len(memory.sample(0, np.random.default_rng(0))) == 0


def test_buffer_takes_channels_in_order_and_waits_for_the_start(workers):
    """There are 6 transitions at first, too few to learn from; one microstep later there are 12."""

    class Walker(rr.Reactor):
        trajectory = rr.Output()
        again = rr.LogicalAction()

        @rr.reaction(rr.startup, again, effects=(trajectory, again))
        def go(self):
            self.trajectory.set(walk(self.bank_index, 2 * self.tag.microstep, 2))
            if self.tag.microstep == 0:
                self.again.schedule()

    class Sink(rr.Reactor):
        batch = rr.Input()

        def __init__(self):
            self.batches = []

        @rr.reaction(batch)
        def keep(self):
            self.batches.append(self.batch.value)

    class Main(rr.Reactor):
        def __init__(self):
            self.walkers = rr.Bank(3, Walker)
            self.replay = rl.ReplayBuffer(
                3, n_features=2, capacity=100, batch_rows=40, learning_starts=12, seed=5
            )
            self.sink = Sink()
            self.connect(self.walkers.trajectory, self.replay.trajectories)
            self.connect(self.replay.batch, self.sink.batch)

    main = Main()
    rr.run(main, workers=workers, fast=True)
    early, late = main.sink.batches
    assert len(early) == 0
    slots = [(env, step) for first in (0, 2) for env in range(3) for step in (first, first + 1)]
    drawn = np.random.default_rng((5, 3)).integers(12, size=40)
    assert late.obs.tolist() == [list(map(float, slots[slot])) for slot in drawn]


# Rollouts


class Corridor(gym.Env):
    """Odd episodes terminate at their third step, even ones never; observation (episode, time)."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gym.spaces.Discrete(3, start=5)

    def __init__(self):
        self.episode = 0

    def _obs(self):
        return np.array([self.episode, self.time], np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.time = self.episode + 1, 0
        return self._obs(), {}

    def step(self, action):
        assert action in self.action_space
        self.time += 1
        return self._obs(), 0.5, self.episode % 2 == 1 and self.time == 3, False, {}


class Flat(Corridor):
    observation_space = gym.spaces.Discrete(3)


gym.register("Corridor-v0", entry_point=Corridor, max_episode_steps=4)
gym.register("FlatWorld-v0", entry_point=Flat)


class Weigher(rr.Reactor):
    """Sends each of `sequence` at a tag of its own."""

    weights = rr.Output()
    again = rr.LogicalAction()

    def __init__(self, sequence):
        self.sequence = sequence

    @rr.reaction(rr.startup, again, effects=(weights, again))
    def send(self):
        self.weights.set(self.sequence[self.tag.microstep])
        if self.tag.microstep + 1 < len(self.sequence):
            self.again.schedule()


class Gather(rr.Reactor):
    trajectories = rr.Input(width="n")

    def __init__(self, n):
        self.n = n
        self.rounds = []

    @rr.reaction(trajectories)
    def gather(self):
        self.rounds.append([channel.value for channel in self.trajectories])


class Sampling(rr.Reactor):
    def __init__(self, n, sequence, *arguments):
        self.weigher = Weigher(sequence)
        self.rollouts = rr.Bank(n, rl.Rollout, *arguments)
        self.gather = Gather(n)
        self.connect(self.weigher.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.gather.trajectories)


def plain_loop(env_id, weights_of_rounds, steps, seed, index, epsilon_of_step):
    """The same without reactors, round by round: obs, actions, rewards, next_obs and both ends."""
    env = gym.make(env_id)
    obs, _ = env.reset(seed=seed + index)
    generator = np.random.default_rng((seed, index))
    step = 0
    for w1, b1, w2, b2 in weights_of_rounds:
        coins = generator.random(steps)
        random_actions = generator.integers(env.action_space.n, size=steps)
        rows = []
        for coin, action in zip(coins, random_actions, strict=True):
            if coin >= epsilon_of_step(step):
                action = np.argmax(np.maximum(obs @ w1 + b1, 0) @ w2 + b2)
            next_obs, reward, terminated, truncated, _ = env.step(
                int(action) + int(env.action_space.start)
            )
            rows.append((obs, action, reward, next_obs, terminated, truncated))
            obs = env.reset()[0] if terminated or truncated else next_obs
            step += 1
        yield [np.array(column) for column in zip(*rows, strict=True)]
    env.close()


def test_rollouts_equal_a_plain_loop(workers):
    sequence = [rl.initial_weights((4, 16, 2), np.random.default_rng(key)) for key in range(3)]
    main = Sampling(3, sequence, "CartPole-v1", 60, 9, rl.LinearSchedule(1.0, 0.25, 100))
    rr.run(main, workers=workers, fast=True)
    for index in range(3):
        expected = plain_loop(
            "CartPole-v1", sequence, 60, 9, index, lambda step: 1.0 - 0.75 * min(step / 100, 1)
        )
        for number, columns in enumerate(expected):
            got = main.gather.rounds[number][index]
            names = ("obs", "actions", "rewards", "next_obs", "terminated", "truncated")
            for name, column in zip(names, columns, strict=True):
                assert np.array_equal(getattr(got, name), column), (number, index, name)
    returns = [r for round_ in main.gather.rounds for r in round_[1].episode_returns]
    assert len(returns) > 3
    assert sum(returns) <= 180


def test_rollout_tells_truncation_from_termination():
    weights = rl.initial_weights((2, 3), np.random.default_rng(0))
    main = Sampling(1, [weights] * 2, "Corridor-v0", 7, 1, GREEDY)
    rr.run(main, workers=1, fast=True)
    first, second = (round_[0] for round_ in main.gather.rounds)
    assert first.obs.tolist() == [[1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2], [2, 3]]
    assert first.next_obs.tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3], [2, 4]]
    assert first.terminated.tolist() == [False, False, True, False, False, False, False]
    assert first.truncated.tolist() == [False, False, False, False, False, False, True]
    assert first.episode_returns.tolist() == [1.5, 2.0]
    assert first.episode_lengths.tolist() == [3, 4]
    assert second.obs[0].tolist() == [3, 0]
    assert set(first.actions.tolist()) <= {0, 1, 2}
    with pytest.raises(ValueError, match="read-only"):
        first.obs[0] = 0.0


def test_rollout_names_an_env_that_it_cannot_step():
    main = Sampling(1, [()], "FlatWorld-v0", 7, 1, GREEDY)
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert caught.value.reaction == "Sampling.rollouts[0].make_env"
    assert "must be a flat Box" in str(caught.value.__cause__)


# Learning


@needs_torch
def test_td_targets_by_hand():
    """Q(x) = (x + 0.5, 1 - x): 2.5 at 2, 4 at -3; with gamma 0.5 and rewards 1, 2, 3, 4."""
    import torch

    target = [torch.tensor([[1.0, -1.0]]), torch.tensor([0.5, 1.0])]
    targets = rl.td_targets(
        target,
        rewards=torch.tensor([1.0, 2.0, 3.0, 4.0]),
        next_obs=torch.tensor([[2.0], [-3.0], [2.0], [-3.0]]),
        terminated=torch.tensor([False, False, True, True]),
        gamma=0.5,
    )
    assert targets.tolist() == [2.25, 4.0, 3.0, 4.0]
    assert not targets.requires_grad


@needs_torch
def test_truncated_transitions_are_bootstrapped_and_terminated_ones_are_not():
    import torch

    memory = rl.ReplayMemory(10, 2)
    memory.add(walk(0, 1, 4, terminated=[2, 4], truncated=[3, 4]))
    batch = memory.sample(200, np.random.default_rng(0))
    target = [torch.tensor([[0.0, 0.0], [10.0, 0.0]]), torch.zeros(2)]  # Q(next) = (10 (t + 1), 0)
    targets = rl.td_targets(
        target, *map(torch.tensor, (batch.rewards, batch.next_obs, batch.terminated)), gamma=0.5
    )
    by_time = dict(zip(batch.rewards.tolist(), targets.tolist(), strict=True))
    assert by_time == {1.0: 1.0 + 10.0, 2.0: 2.0, 3.0: 3.0 + 20.0, 4.0: 4.0}


class Teacher(rr.Reactor):
    """Answers weights with a batch, `n` times."""

    weights = rr.Input()
    batch = rr.Output()

    def __init__(self, batches):
        self.batches = iter(batches)
        self.seen = []

    @rr.reaction(weights, effects=batch)
    def answer(self):
        self.seen.append(self.weights.value)
        self.batch.set(next(self.batches))


class Lesson(rr.Reactor):
    def __init__(self, initial, batches, **options):
        self.learner = rl.Learner(initial, rounds=len(batches), **options)
        self.teacher = Teacher(batches)
        self.connect(self.learner.weights, self.teacher.weights, after=0)
        self.connect(self.teacher.batch, self.learner.batch)


@needs_torch
def test_learner_takes_the_step_that_adam_takes():
    """Adam's first step is the learning rate against the sign of every gradient that is not 0.

    Q(x) = (x, 0) at x = 2; action 0, reward 1, terminated: the error is +1, so both weights of
    action 0 fall. A batch without rows publishes the same weights again; after the last batch
    nothing is published.
    """
    initial = (np.array([[1.0, 0.0]], np.float32), np.zeros(2, np.float32))
    one = rl.Batch(
        obs=np.array([[2.0]], np.float32),
        actions=np.array([0]),
        rewards=np.array([1.0], np.float32),
        next_obs=np.array([[100.0]], np.float32),
        terminated=np.array([True]),
    )
    none = rl.Batch(**{name: array[:0] for name, array in vars(one).items()})
    options = {
        "minibatch_size": 1,
        "learning_rate": 0.125,
        "gamma": 0.5,
        "target_period": 1,
        "max_grad_norm": 10.0,
    }
    main = Lesson(initial, [none, one], **options)
    report = rr.run(main, workers=1, fast=True)
    assert [w.tolist() for w in main.teacher.seen[0]] == [[[1.0, 0.0]], [0.0, 0.0]]
    assert len(main.teacher.seen) == 2
    assert main.teacher.seen[1] is main.teacher.seen[0]
    matrix, bias = main.learner.latest
    assert matrix == pytest.approx(np.array([[0.875, 0.0]]), abs=1e-6)
    assert bias == pytest.approx(np.array([-0.125, 0.0]), abs=1e-6)
    assert not matrix.flags.writeable
    assert report.stop_tag == rr.Tag(0, 3)


@needs_torch
def test_learner_and_rollout_agree_on_the_network():
    import torch

    from reactorrl.rl.learner import q_values

    weights = rl.initial_weights((4, 32, 16, 3), np.random.default_rng(2))
    obs = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32)
    with torch.no_grad():
        by_torch = q_values([torch.tensor(array) for array in weights], torch.tensor(obs)).numpy()
    assert by_torch == pytest.approx(rl.q_values(weights, obs), abs=1e-5)
    assert rl.q_values(weights, obs[7]) == pytest.approx(by_torch[7], abs=1e-5)
    for n_in, matrix, bias in zip((4, 32, 16), weights[::2], weights[1::2], strict=True):
        assert np.abs(matrix).max() <= n_in**-0.5
        assert np.abs(bias).max() <= n_in**-0.5


# DQN


def train(workers, **options):
    main = rl.DQN(rl.DQNOptions(**{**SHORT, **options}))
    report = rr.run(main, workers=workers, fast=True)
    return main, (
        report.trace_hash,
        rl.weights_sha256(main.learner.latest),
        tuple(main.episodes.returns),
    )


@pytest.fixture(scope="module")
def one_worker():
    return train(1)


@needs_torch
def test_dqn_counts_its_rounds(one_worker):
    main, _ = one_worker
    assert main.episodes.env_steps == 8 * 6 * 32, "rounded up to whole rounds"
    assert main.learner.round == 8
    assert len(main.replay.memory) == 8 * 6 * 32
    assert len(main.episodes.returns) == len(main.episodes.ended_at) > 20
    assert main.episodes.ended_at == sorted(main.episodes.ended_at)
    assert main.episodes.mean_return(5) == sum(main.episodes.returns[-5:]) / 5


@needs_torch
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_dqn_is_equal_to_the_last_bit_for_every_number_of_workers(one_worker, workers):
    assert train(workers)[1] == one_worker[1]


@needs_torch
def test_dqn_depends_on_its_seed(one_worker):
    trace, weights, returns = train(2, seed=2)[1]
    assert trace == one_worker[1][0], "the trace holds no values"
    assert weights != one_worker[1][1]
    assert returns != one_worker[1][2]


@needs_torch
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_dqn_does_not_depend_on_how_long_its_bodies_take(one_worker, workers, monkeypatch, seed):
    delays = np.random.default_rng(seed).exponential(0.002, 500).tolist()

    def wait():
        end = time.perf_counter() + delays.pop()
        while time.perf_counter() < end:
            pass

    def delayed(function):
        def body(*arguments):
            wait()
            result = function(*arguments)
            wait()
            return result

        return body

    for owner, name in (
        (rl.Rollout, "roll_out"),
        (rl.ReplayMemory, "sample"),
        (rl.Learner, "update"),
    ):
        monkeypatch.setattr(owner, name, delayed(vars(owner)[name]))
    assert train(workers)[1] == one_worker[1]


@needs_torch
def test_dqn_learns():
    main, _ = train(2, num_steps=128, total_timesteps=40_000, updates_per_round=24, batch_size=128)
    first = np.mean(main.episodes.returns[:100])
    assert main.episodes.mean_return() > 2 * first


@needs_torch
def test_dqn_refuses_options_that_cannot_work():
    with pytest.raises(ValueError, match="total_timesteps=0: must be at least 1"):
        rl.DQNOptions(total_timesteps=0)
    with pytest.raises(ValueError, match="learning would never start"):
        rl.DQNOptions(buffer_size=1_000)
    with pytest.raises(ValueError, match=r"duration=0\.0: must be positive"):
        rl.DQN(rl.DQNOptions(exploration_fraction=0.0))


def test_rollout_says_only_once_that_there_is_no_such_env():
    main = Sampling(1, [()], "NoSuchEnv-v0", 7, 1, GREEDY)
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert isinstance(caught.value.__cause__, gym.error.NameNotFound)
    assert not getattr(caught.value, "__notes__", [])


@needs_torch
@pytest.mark.leaves_threads  # tqdm has one that watches its bars
def test_demo_draws_compares_and_says_when_nothing_was_learned(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "pictures"
    assert demo.main(["--total-timesteps", "3000", "--num-envs", "3", "--out", str(out)]) == 1
    printed, bars = capsys.readouterr()
    assert "\nNOT learned: the last 100 episodes returned " in printed
    assert (
        "\nEqual: the trace and every bit of the weights are the same for 1 and 2 workers.\n"
        in printed
    )
    digests = re.findall(r"^workers=([12])  weights SHA-256 ([0-9a-f]{64})$", printed, re.MULTILINE)
    traces = re.findall(r"^workers=([12])  trace hash      ([0-9a-f]{16})$", printed, re.MULTILINE)
    assert [workers for workers, _ in digests + traces] == ["1", "2"] * 2
    assert len(dict(map(reversed, digests))) == len(dict(map(reversed, traces))) == 1
    assert re.search(r"^env steps +3,072 +3,072$", printed, re.MULTILINE)
    assert "workers=2: 100%" in bars
    assert "mean return" in bars
    assert (out / "reactors.svg").read_text().startswith("<svg")
    assert (out / "returns.png").read_bytes().startswith(b"\x89PNG")


# torch and the GIL


@needs_torch
def test_torch_computes_with_one_thread_in_every_prepared_thread():
    import torch

    from reactorrl.rl.torch_setup import prepare_worker

    counts = []

    def count():
        prepare_worker()
        counts.append(torch.get_num_threads())

    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
    assert counts == [1]


@needs_torch
@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="ordinary CPython")
def test_optimizers_leave_the_gil_off():
    import torch

    import reactorrl.rl.learner  # noqa: F401

    for kind in (torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop, torch.optim.AdamW):
        parameter = torch.nn.Parameter(torch.ones(3))
        optimizer = kind([parameter], lr=0.1)
        parameter.sum().backward()
        optimizer.step()
        assert parameter.tolist() != [1.0, 1.0, 1.0]
    assert not sys._is_gil_enabled()
    assert sys.modules.get("triton", "not imported") is not None, "the guard was taken away again"


def test_without_torch_the_rest_can_be_imported():
    code = """
import sys
sys.modules["torch"] = None
import reactorrl.rl as rl
print(rl.Rollout.__name__, rl.ReplayBuffer.__name__)
try:
    rl.DQN
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "Rollout ReplayBuffer",
        "this part of reactorrl.rl needs torch: pip install 'reactorrl[torch]'",
    ]
