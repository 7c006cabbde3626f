"""The RL layer: rollouts, targets, learners; DQN equal to the bit for any number of workers."""

import functools
import importlib.util
import re
import subprocess
import sys
import sysconfig
import threading
import time
import types
from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest

import reactorrl as rr
from reactorrl import demo, rl

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)

SHORT = {
    "num_steps": 32,
    "total_timesteps": 1_500,
    "gradient_steps": 4,
    "batch_size": 32,
    "learning_starts": 300,
}


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


class Continuous(Corridor):
    action_space = gym.spaces.Box(-1, 1)


class Failing(Corridor):
    def step(self, action):
        if self.episode == 2 and self.time == 2:
            raise RuntimeError("out of order")
        return super().step(action)


gym.register("Corridor-v0", entry_point=Corridor, max_episode_steps=4)
gym.register("Continuous-v0", entry_point=Continuous)
gym.register("Failing-v0", entry_point=Failing)


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
    def __init__(self, n, sequence, env_id, make_policy, *, num_envs=1, steps, seed=1):
        self.weigher = Weigher(sequence)
        self.rollouts = rr.Bank(
            n,
            rl.Rollout,
            rl.env_maker(env_id),
            make_policy,
            num_envs=num_envs,
            steps=steps,
            seed=seed,
        )
        self.gather = Gather(n)
        self.connect(self.weigher.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.gather.trajectories)


def greedy():
    return rl.Greedy(rl.MLPForward())


def random_weights(sizes, key):
    """Of a stack of layers, as `MLPForward` takes them."""
    rng, arrays = np.random.default_rng(key), {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        arrays[f"{layer}.weight"] = rng.normal(size=(n_out, n_in)).astype(np.float32)
        arrays[f"{layer}.bias"] = rng.normal(size=n_out).astype(np.float32)
    return arrays


def plain_loop(env_id, weights_of_rounds, steps, seed, rollout, num_envs, epsilon_of_step):
    """The same without reactors, round by round: obs, actions, rewards, next_obs and both ends."""
    envs = [gym.make(env_id) for _ in range(num_envs)]
    first = rollout * num_envs
    now = [env.reset(seed=seed + first + index)[0] for index, env in enumerate(envs)]
    generator = np.random.default_rng((seed, 1 + rollout))
    step = 0
    for weights in weights_of_rounds:
        w1, b1, w2, b2 = weights.values()
        coins = generator.random((steps, num_envs))
        random_actions = generator.integers(envs[0].action_space.n, size=(steps, num_envs))
        rows = []
        for t in range(steps):
            row = []
            values = np.maximum(np.array(now, np.float32) @ w1.T + b1, 0) @ w2.T + b2
            for index, env in enumerate(envs):
                action = random_actions[t, index]
                if coins[t, index] >= epsilon_of_step(step):
                    action = np.argmax(values[index])
                obs, (now[index], *others) = now[index], env.step(int(action))[:4]
                row.append((obs, action, others[0], now[index], *others[1:]))
                if any(others[1:]):
                    now[index] = env.reset()[0]
            rows.append([np.array(column) for column in zip(*row, strict=True)])
            step += 1
        yield [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("num_envs", [1, 3])
def test_rollouts_equal_a_plain_loop(workers, num_envs):
    sequence = [random_weights((4, 16, 2), key) for key in range(3)]

    def policy():
        return rl.EpsilonGreedy(rl.MLPForward(), 2, rl.LinearSchedule(1.0, 0.25, 100))

    main = Sampling(2, sequence, "CartPole-v1", policy, num_envs=num_envs, steps=60, seed=9)
    rr.run(main, workers=workers, fast=True)
    for index in range(2):
        expected = plain_loop(
            "CartPole-v1", sequence, 60, 9, index, num_envs, lambda t: 1.0 - 0.75 * min(t / 100, 1)
        )
        for number, columns in enumerate(expected):
            got = main.gather.rounds[number][index]
            assert np.array_equal(got.next_obs(), columns[3].astype(np.float32)), (number, index)
            for name, column in zip(
                ("obs", "actions", "rewards", None, "terminated", "truncated"), columns, strict=True
            ):
                if name:
                    column = column.astype(getattr(got, name).dtype)
                    assert np.array_equal(getattr(got, name), column), (number, index, name)
    returns = [r for round_ in main.gather.rounds for r in round_[1].episode_returns]
    assert len(returns) > 3
    assert sum(returns) <= 180 * num_envs


def test_rollouts_and_envs_have_random_numbers_of_their_own():
    weights = random_weights((4, 16, 2), 1)
    main = Sampling(2, [weights], "CartPole-v1", greedy, num_envs=2, steps=1, seed=9)
    rr.run(main, workers=1, fast=True)
    generators = [rollout.generator for rollout in main.rollouts]  # a greedy policy draws nothing
    for rollout in main.rollouts:
        generators += [np.random.default_rng(seed) for seed in rollout.seeds]  # as Gymnasium does
    assert len({str(each.bit_generator.state) for each in generators}) == 6


def test_rollout_tells_truncation_from_termination():
    weights = random_weights((2, 3), 0)
    main = Sampling(1, [weights] * 2, "Corridor-v0", greedy, steps=7)
    rr.run(main, workers=1, fast=True)
    first, second = (round_[0] for round_ in main.gather.rounds)
    assert first.obs[:, 0].tolist() == [[1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2], [2, 3]]
    assert first.next_obs()[:, 0].tolist() == [
        *([1, 1], [1, 2], [1, 3]),
        *([2, 1], [2, 2], [2, 3], [2, 4]),
    ]
    assert first.final_obs.tolist() == [[1, 3], [2, 4]]
    assert first.last_obs.tolist() == second.obs[0].tolist() == [[3, 0]]
    assert first.terminated[:, 0].tolist() == [False, False, True, False, False, False, False]
    assert first.truncated[:, 0].tolist() == [False, False, False, False, False, False, True]
    assert first.episode_returns.tolist() == [1.5, 2.0]
    assert first.episode_lengths.tolist() == [3, 4]
    assert set(first.actions.ravel().tolist()) <= {0, 1, 2}
    with pytest.raises(ValueError, match="read-only"):
        first.obs[0] = 0.0


def test_rollout_names_an_env_that_it_cannot_step():
    main = Sampling(1, [{}], "Continuous-v0", greedy, steps=7)
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert caught.value.reaction == "Sampling.rollouts[0].make_envs"
    assert "actions must be Discrete" in str(caught.value.__cause__)


def test_rollout_says_which_env_raised_and_when():
    main = Sampling(2, [random_weights((2, 3), 0)] * 2, "Failing-v0", greedy, num_envs=2, steps=4)
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert str(caught.value.__cause__) == "out of order"
    assert caught.value.__cause__.__notes__ == [
        "env 0 of Sampling.rollouts[0], seeded with 1, at its step 5"
    ]


def test_observations_that_are_no_box_come_flattened():
    make = rl.env_maker("FrozenLake-v1")
    spaces = rl.probe(make)
    assert spaces.obs_shape == (16,)
    assert spaces.n_actions == 4
    obs, _ = make().reset(seed=1)
    assert obs.tolist() == [1] + [0] * 15


def test_categorical_draws_with_the_probabilities_of_its_logits():
    logits = np.log(np.array([0.1, 0.6, 0.3], np.float32))
    policy = rl.Categorical(rl.MLPForward(), 3)
    weights = {"0.weight": np.zeros((3, 2), np.float32), "0.bias": logits}
    policy.start(weights, (1, 30_000), 0, np.random.default_rng(1))
    drawn = policy.act(0, np.zeros((30_000, 2), np.float32))
    assert np.bincount(drawn) / 30_000 == pytest.approx([0.1, 0.6, 0.3], abs=0.01)


# Learning


def linear_q(matrix, bias):
    """A network of one layer."""
    import torch

    layer = torch.nn.Linear(len(matrix[0]), len(matrix))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(matrix))
        layer.bias.copy_(torch.tensor(bias))
    return layer


@needs_torch
def test_td_targets_by_hand():
    """Q(x) = (x + 0.5, 1 - x): 2.5 at 2, 4 at -3; rewards 1 to 4, discount 0.5 or none."""
    import torch

    from reactorrl.rl.dqn import td_targets

    target = linear_q([[1.0], [-1.0]], [0.5, 1.0])
    transitions = {
        "rewards": torch.tensor([1.0, 2.0, 3.0, 4.0]),
        "next_obs": torch.tensor([[2.0], [-3.0], [2.0], [-3.0]]),
        "discounts": torch.tensor([0.5, 0.5, 0.0, 0.0]),
    }
    targets = td_targets(target, None, **transitions)
    assert targets.tolist() == [2.25, 4.0, 3.0, 4.0]
    assert not targets.requires_grad
    # The other network likes action 1 where x is positive: Q(2)[1] = -1, and action 0 elsewhere.
    chooser = linear_q([[-1.0], [1.0]], [0.0, 0.0])
    doubled = td_targets(target, chooser, **transitions)
    assert doubled.tolist() == [0.5, 0.75, 3.0, 4.0]


@needs_torch
def test_dueling_network_adds_value_and_centred_advantages():
    import torch

    from reactorrl.rl.networks import QNetwork, q_forward, weights_of

    spaces = rl.Spaces((3,), np.dtype(np.float32), 4, 0)
    make = functools.partial(QNetwork, spaces, (8,), True)
    network = make(torch.Generator().manual_seed(1))
    obs = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)
    with torch.no_grad():
        features = network.body(torch.tensor(obs))
        value, advantages = network.value(features), network.advantages(features)
        expected = value + advantages - advantages.mean(1, keepdim=True)
    forward = q_forward(spaces, True, make)
    forward.load(weights_of(network))
    assert forward(obs) == pytest.approx(expected.numpy(), abs=1e-6)
    assert forward(obs).mean(axis=1) == pytest.approx(value.numpy()[:, 0], abs=1e-6)


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
    def __init__(self, learner, batches):
        self.learner = learner
        self.teacher = Teacher(batches)
        self.connect(self.learner.weights, self.teacher.weights, after=0)
        self.connect(self.teacher.batch, self.learner.batch)


def one_transition(reward):
    return rl.Batch(
        obs=np.array([[2.0]], np.float32),
        actions=np.array([0]),
        rewards=np.array([reward], np.float32),
        next_obs=np.array([[100.0]], np.float32),
        discounts=np.zeros(1, np.float32),
    )


def q_learner(rounds, **options):
    from reactorrl.rl.dqn import QLearner

    options = rl.DQNOptions(
        num_envs=1, num_steps=1, total_timesteps=rounds, learning_starts=0, batch_size=1, **options
    )
    return QLearner(lambda generator: linear_q([[1.0], [0.0]], [0.0, 0.0]), options)


@needs_torch
def test_learner_takes_the_step_that_adam_takes():
    """Adam's first step is the learning rate against the sign of every gradient that is not 0.

    Q(x) = (x, 0) at x = 2; action 0, reward 1, terminated: the error is +1, so both weights of
    action 0 fall. A batch without rows publishes equal weights again; after the last batch nothing
    is published.
    """
    one = one_transition(1.0)
    none = rl.Batch(
        *(array[:0] for array in (one.obs, one.actions, one.rewards, one.next_obs, one.discounts))
    )
    main = Lesson(q_learner(2, learning_rate=0.125), [none, one])
    report = rr.run(main, workers=1, fast=True)
    first, second = ([array.tolist() for array in seen.values()] for seen in main.teacher.seen)
    assert first == second == [[[1.0], [0.0]], [0.0, 0.0]]
    matrix, bias = main.learner.latest.values()
    assert matrix == pytest.approx(np.array([[0.875], [0.0]]), abs=1e-6)
    assert bias == pytest.approx(np.array([-0.125, 0.0]), abs=1e-6)
    assert not matrix.flags.writeable
    assert report.stop_tag == rr.Tag(0, 3)


@needs_torch
@pytest.mark.parametrize("is_dueling", [False, True])
def test_features_may_be_bytes(is_dueling):
    import torch

    from reactorrl.rl.networks import QNetwork, q_forward, weights_of

    spaces = rl.Spaces((3,), np.dtype(np.uint8), 2, 0)
    make = functools.partial(QNetwork, spaces, (8,), is_dueling)
    network = make(torch.Generator().manual_seed(1))
    obs = np.random.default_rng(3).integers(256, size=(50, 3), dtype=np.uint8)
    with torch.no_grad():
        values = network(torch.tensor(obs))
        assert torch.equal(values, network(torch.tensor(obs).float()))
    forward = q_forward(spaces, is_dueling, make)
    forward.load(weights_of(network))
    assert forward(obs) == pytest.approx(values.numpy(), abs=1e-3)


@needs_torch
def test_only_the_pixels_of_bytes_are_scaled():
    import torch

    from reactorrl.rl.networks import ActorCritic, QNetwork

    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (2, 3, 40, 36), dtype=torch.uint8, generator=generator)
    spaces = rl.Spaces((3, 40, 36), np.dtype(np.uint8), 2, 0)
    with torch.no_grad():
        network = QNetwork(spaces, (), False, generator)
        assert torch.equal(network(pixels), network(pixels / 255.0))
        network = ActorCritic(spaces, (), generator)
        for one, other in zip(network(pixels), network(pixels / 255.0), strict=True):
            assert torch.equal(one, other)


@needs_torch
def test_images_with_their_channels_last_are_refused_with_the_shape_they_should_have():
    import torch

    from reactorrl.rl.networks import NatureCNN

    with pytest.raises(ValueError, match=r"\(96, 96, 3\): must be \(channels, height, width\)"):
        NatureCNN((96, 96, 3), torch.Generator())


@needs_torch
@pytest.mark.parametrize("loss", ["mse", "huber"])
@pytest.mark.parametrize("weights", [None, [0.25, 1.0, 0.5]])
def test_learner_follows_the_gradient_of_its_loss(loss, weights):
    """One step of SGD against autograd, on errors on both sides of 1; the loss is reported."""
    import torch

    from reactorrl.rl.dqn import QLearner
    from reactorrl.rl.networks import Flat

    batch = rl.Batch(
        obs=np.array([[1.0], [2.0], [3.0]], np.float32),
        actions=np.array([0, 1, 0]),
        rewards=np.array([0.5, 4.0, -3.0], np.float32),
        next_obs=np.ones((3, 1), np.float32),
        discounts=np.zeros(3, np.float32),
        indices=None if weights is None else np.arange(3),
        weights=None if weights is None else np.array(weights, np.float32),
    )
    options = rl.DQNOptions(batch_size=3, loss=loss, max_grad_norm=1e9, cuda=False)
    learner = QLearner(lambda generator: linear_q([[1.0], [0.5]], [0.0, 0.25]), options)
    learner.network = learner.make_network(None)
    learner.flat = Flat(learner.network)
    learner.make_optimizer()
    learner.optimizer = torch.optim.SGD([learner.flat.vector], 0.1)
    learner.priorities = types.SimpleNamespace(set=lambda value: None)
    metrics = learner.update(batch)

    network = linear_q([[1.0], [0.5]], [0.0, 0.25])
    kinds = {"mse": torch.nn.functional.mse_loss, "huber": torch.nn.functional.smooth_l1_loss}
    chosen = network(torch.tensor(batch.obs)).gather(1, torch.tensor(batch.actions)[:, None])
    losses = kinds[loss](chosen.squeeze(1), torch.tensor(batch.rewards), reduction="none")
    expected = (losses * torch.tensor(weights or [1.0] * 3)).mean()
    expected.backward()
    stepped = [(p - 0.1 * p.grad).detach().numpy() for p in network.parameters()]
    for got, wanted in zip(learner.network.parameters(), stepped, strict=True):
        assert got.detach().numpy() == pytest.approx(wanted, abs=1e-6)
    assert metrics["losses/td_loss"] == pytest.approx(expected.item(), abs=1e-6)
    assert metrics["losses/q_values"] == pytest.approx(chosen.mean().item(), abs=1e-6)


@needs_torch
def test_a_loss_that_is_not_finite_ends_the_program_with_its_name():
    main = Lesson(q_learner(2), [one_transition(1.0), one_transition(np.nan)])
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert caught.value.reaction == "Lesson.learner.learn"
    assert isinstance(caught.value.__cause__, FloatingPointError)
    assert "losses/td_loss is nan in round 2 of Lesson.learner" in str(caught.value.__cause__)


@needs_torch
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_learner_and_rollout_agree_on_the_network(activation):
    import torch

    from reactorrl.rl.networks import mlp, weights_of

    network = mlp((4, 32, 16, 3), activation, torch.Generator().manual_seed(2))
    obs = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32)
    with torch.no_grad():
        by_torch = network(torch.tensor(obs)).numpy()
    forward = rl.MLPForward(activation=activation)
    weights = weights_of(network)
    forward.load(weights)
    assert forward(obs) == pytest.approx(by_torch, abs=1e-5)
    for n_in, matrix, bias in zip(
        (4, 32, 16), list(weights.values())[::2], list(weights.values())[1::2], strict=True
    ):
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
    from reactorrl.rl.dqn import QLearner

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
        (QLearner, "update"),
    ):
        monkeypatch.setattr(owner, name, delayed(vars(owner)[name]))
    assert train(workers)[1] == one_worker[1]


@needs_torch
@pytest.mark.parametrize(
    "options",
    [
        {"double": True, "n_step": 3},
        {"dueling": True, "loss": "huber", "tau": 0.5},
        {"prioritized": True, "n_step": 2},
        {"overlap": True},
        {"overlap": True, "prioritized": True},
    ],
)
def test_dqn_with_its_options_is_equal_for_every_number_of_workers(one_worker, options):
    main, (trace, weights, returns) = train(1, **options)
    assert train(2, **options)[1] == (trace, weights, returns)
    assert weights != one_worker[1][1]
    assert main.learner.round == 8


@needs_torch
@pytest.mark.parametrize("workers", [1, 2])
def test_a_round_begins_when_the_priorities_of_the_one_before_are_there(workers):
    main = rl.DQN(rl.DQNOptions(**SHORT, prioritized=True))
    memory, seen = main.replay.memory, []
    update = memory.update

    def noted(priorities):
        seen.append("priorities")
        return update(priorities)

    memory.update = noted
    main.gate.hook = lambda: seen.append(main.learner.round)
    rr.run(main, workers=workers, fast=True)
    rounds = main.learner.round
    first = next(i for i in range(rounds) if seen[i] == "priorities") - 1
    expected = [*range(first + 1)]
    for number in range(first + 1, rounds):
        expected += ["priorities", number]
    assert seen == [*expected, "priorities"]


@needs_torch
@pytest.mark.parametrize("workers", [1, 2])
def test_dqn_that_overlaps_works_on_what_the_round_before_has_made(workers):
    main = rl.DQN(rl.DQNOptions(**SHORT, overlap=True))
    sample, update = main.replay.memory.sample, main.learner.update
    drawn, learned, acted_with, seen, added = [], [], [], [], []

    def sampling(*arguments):
        drawn.append(sample(*arguments))
        return drawn[-1]

    def updating(batch):
        learned.append(batch)
        return update(batch)

    main.replay.memory.sample = sampling
    main.learner.update = updating

    def begin():
        acted_with.append(main.gate.weights_in.value)
        seen.append(main.episodes.env_steps)
        added.append(main.replay.memory.added)

    main.gate.hook = begin
    rr.run(main, workers=workers, fast=True)
    rounds = main.learner.round
    assert [0, *seen] == [*added, seen[-1]], "a round later"
    assert len(drawn) == rounds - 1, "one for each but the first round"
    first = next(index for index, batch in enumerate(drawn) if len(batch))
    assert 0 < first < rounds - 2
    assert [*map(id, learned)] == [*map(id, drawn[first:-1])], "a round later"
    hashes = [*map(rl.weights_sha256, acted_with)]
    assert len(set(hashes[: first + 3])) == 1, "drawn in round first + 1, learned from in the next"
    assert len(set(hashes[first + 2 :])) == rounds - 2 - first


@needs_torch
@pytest.mark.parametrize("options", [{}, {"prioritized": True}])
def test_dqn_that_overlaps_has_rollouts_replay_and_learning_on_one_level(options):
    main = rl.DQN(rl.DQNOptions(**SHORT, num_rollouts=2, overlap=True, **options))
    graph = rr.Program(main).graph
    (level,) = (level for level in graph.levels if "DQN.learner.learn" in level)
    beside = {f"DQN.rollouts[{index}].sample" for index in range(2)} | {"DQN.replay.remember"}
    assert beside < set(level)


@needs_torch
@pytest.mark.parametrize("overlap", [False, True])
def test_dqn_stopped_by_its_user_goes_on_with_what_was_under_way(overlap):
    def make():
        return rl.DQN(rl.DQNOptions(**SHORT, prioritized=True, overlap=overlap))

    whole, stopped, resumed = make(), make(), make()
    rr.run(whole, workers=1, fast=True)
    update = stopped.learner.update

    def stopping(batch):
        stopped.learner.request_stop()
        return update(batch)

    stopped.learner.update = stopping
    rr.run(stopped, workers=1, fast=True)
    assert 2 <= stopped.learner.round < whole.learner.round
    resumed.load_state_dict(stopped.state_dict())
    rr.run(resumed, workers=1, fast=True)
    assert rl.weights_sha256(resumed.learner.latest) == rl.weights_sha256(whole.learner.latest)
    assert resumed.episodes.returns == whole.episodes.returns


@needs_torch
def test_dqn_learns():
    main, _ = train(2, num_steps=128, total_timesteps=40_000, gradient_steps=24, batch_size=128)
    first = np.mean(main.episodes.returns[:100])
    assert main.episodes.mean_return() > 2 * first


@needs_torch
def test_dqn_that_overlaps_needs_a_round_to_learn_from():
    rounds = {"num_envs": 6, "num_steps": 32, "total_timesteps": 4 * 6 * 32, "overlap": True}
    options = rl.DQNOptions(**rounds, learning_starts=2 * 6 * 32, gradient_steps=1)
    main = rl.DQN(options)
    rr.run(main, workers=1, fast=True)
    assert main.learner.optimizer.state_dict()["state"][0]["step"] == 1
    with pytest.raises(ValueError, match="those before have 384 env steps"):
        rl.DQNOptions(**rounds, learning_starts=2 * 6 * 32 + 1)
    for total, n_rounds in ((192, 1), (384, 2)):
        with pytest.raises(
            ValueError, match=f"last two of {n_rounds} rounds, and those before have 0"
        ):
            rl.DQNOptions(**{**rounds, "total_timesteps": total}, learning_starts=0)


@needs_torch
def test_dqn_refuses_options_that_cannot_work():
    with pytest.raises(ValueError, match="total_timesteps=0: must be at least 1"):
        rl.DQNOptions(total_timesteps=0)
    with pytest.raises(ValueError, match="seed=-1: must be at least 0"):
        rl.DQNOptions(seed=-1)
    for options, message in (
        ({"max_grad_norm": -1.0}, "max_grad_norm=-1.0: must be positive"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: must be positive"),
        ({"exploration_fraction": 0.0}, r"exploration_fraction=0.0: must be in \(0, 1\]"),
        ({"hidden_sizes": (64, 0)}, r"hidden_sizes=\(64, 0\): each must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            rl.DQNOptions(**options)
    with pytest.raises(ValueError, match="learning would never start"):
        rl.DQNOptions(total_timesteps=1_500)
    with pytest.raises(ValueError, match="num_rollouts=4: must divide num_envs=6"):
        rl.DQNOptions(num_rollouts=4)
    with pytest.raises(ValueError, match=r"tau=1\.5: must be from 0 to 1"):
        rl.DQNOptions(tau=1.5)
    with pytest.raises(ValueError, match=r"duration=0\.0: must be positive"):
        rl.LinearSchedule(1.0, 0.0, 0.0)


def test_rollout_says_only_once_that_there_is_no_such_env():
    main = Sampling(1, [{}], "NoSuchEnv-v0", greedy, steps=7)
    with pytest.raises(rr.ReactionError) as caught:
        rr.run(main, workers=1, fast=True)
    assert isinstance(caught.value.__cause__, gym.error.NameNotFound)
    assert not getattr(caught.value, "__notes__", [])


@needs_torch
@pytest.mark.leaves_threads  # tqdm has one that watches its bars
def test_demo_draws_compares_and_says_when_nothing_was_learned(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("networkx")
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
