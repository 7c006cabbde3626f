"""Tabular Q-learning: the update by hand, exact optima, equal bits, going on from a state."""

import copy
import importlib.util
import time

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Tuple

import reactorrl as rr
from reactorrl import rl
from reactorrl.rl.discrete import Features, StateIndex, parts_of
from reactorrl.rl.qlearning import TableLearner

SHORT = {"total_timesteps": 2_000, "num_envs": 4, "num_steps": 25}


def learner(n=1, shape=(3, 2), **options):
    defaults = {"rounds": 1, "gamma": 0.5, "step_size": 0.5, "step_decay": 0.0}
    return TableLearner(n, shape, **{**defaults, **options})


def values(made):
    return made.state_dict()["q"].tolist()


def walk(states, actions, rewards, last, terminated=(), truncated=(), final=()):
    """A trajectory of one env through numbered states."""
    steps = np.arange(len(states))
    column = (len(states), 1)
    return rl.Trajectory(
        obs=np.array(states, np.float32).reshape(*column, 1),
        actions=np.array(actions).reshape(column),
        rewards=np.array(rewards, np.float32).reshape(column),
        terminated=np.isin(steps, terminated).reshape(column),
        truncated=np.isin(steps, truncated).reshape(column),
        last_obs=np.array([[last]], np.float32),
        final_obs=np.array(final, np.float32).reshape(-1, 1),
        episode_returns=np.empty(0),
        episode_lengths=np.empty(0, np.int64),
    )


# The update


def test_an_update_moves_a_value_towards_reward_and_discounted_best_of_the_next_state():
    """0.5 * (8 + 0.5 * 0) = 4, then 0.5 * (2 + 0.5 * 4) = 2, then 4 + 0.5 * (0 + 0.5 * 2 - 4)."""
    made = learner()
    squared, before = made.update([1, 0, 1], [1, 0, 1], [8.0, 2.0, 0.0], [2, 1, 0], [False] * 3)
    assert values(made) == [[2.0, 0.0], [0.0, 2.5], [0.0, 0.0]]
    assert squared == 8.0**2 + 4.0**2 + 3.0**2
    assert before == 4.0


def test_nothing_follows_a_terminal_state():
    made = learner()
    made.update([1], [0], [8.0], [2], [False])
    made.update([0, 0], [0, 1], [0.0, 0.0], [1, 1], [True, False])
    assert values(made)[0] == [0.0, 0.5 * 0.5 * 4.0]


def test_step_sizes_fall_with_the_updates_of_each_pair():
    """With step size 1/n a value is the mean of its targets."""
    made = learner(step_size=1.0, step_decay=1.0)
    made.update([0, 0, 1, 0], [0, 0, 0, 0], [1.0, 2.0, 7.0, 6.0], [2] * 4, [True] * 4)
    assert values(made) == [[3.0, 0.0], [7.0, 0.0], [0.0, 0.0]]
    assert made.state_dict()["updates"].tolist() == [[3, 0], [1, 0], [0, 0]]
    half = learner(step_size=1.0, step_decay=0.5)
    half.update([0] * 4, [0] * 4, [0.0, 0.0, 0.0, 8.0], [2] * 4, [True] * 4)
    assert values(half)[0][0] == 8.0 * 4**-0.5


class Sender(rr.Reactor):
    """Sends one trajectory at startup."""

    trajectory = rr.Output()

    def __init__(self, trajectories):
        self.mine = trajectories[self.bank_index]

    @rr.reaction(rr.startup, effects=trajectory)
    def send(self):
        self.trajectory.set(self.mine)


class Sent(rr.Reactor):
    """A learner and what it is sent."""

    def __init__(self, trajectories, **options):
        self.senders = rr.Bank(len(trajectories), Sender, trajectories)
        self.learner = learner(len(trajectories), **options)
        self.connect(self.senders.trajectory, self.learner.trajectories)


def test_rollouts_are_taken_in_order_of_the_bank(workers):
    """Three targets for one pair, with step size 1/2: 4 -> 2, 8 -> 5, 2 -> 3.5."""
    main = Sent([walk([0], [0], [r], 2, terminated=[0], final=[2]) for r in (4.0, 8.0, 2.0)])
    rr.run(main, workers=workers, fast=True)
    assert main.learner.latest["q"].tolist() == [[3.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert not main.learner.latest["q"].flags.writeable


def test_the_value_of_a_final_observation_follows_a_truncated_step_only():
    """State 1 is worth 4; the next episode's first state, 2, has nothing to do with it."""
    first = walk([1], [0], [8.0], 2, terminated=[0], final=[2])
    cut = walk([0, 2], [0, 0], [0.0, 0.0], 2, truncated=[0], final=[1])
    ended = walk([0, 2], [1, 1], [0.0, 0.0], 2, terminated=[0], final=[1])
    main = Sent([first, cut, ended])
    rr.run(main, workers=1, fast=True)
    assert main.learner.latest["q"].tolist() == [[1.0, 0.0], [4.0, 0.0], [0.0, 0.0]]


def test_a_value_that_is_not_finite_stops_the_program():
    main = Sent([walk([0], [0], [np.inf], 2)])
    with pytest.raises(rr.ReactionError, match=r"not finite in round 1 of Sent\.learner") as caught:
        rr.run(main, workers=1, fast=True)
    assert isinstance(caught.value.__cause__, FloatingPointError)


# States


class Shown(gym.Env):
    """Shows what it is told to."""

    def __init__(self, space, shown=None, actions=None):
        self.observation_space, self.shown = space, shown
        self.action_space = actions or Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.shown, {}


@pytest.mark.parametrize(
    ("space", "shown", "number", "n_states"),
    [
        (Discrete(7), 5, 5, 7),
        (Discrete(7, start=-2), 4, 6, 7),
        (MultiDiscrete([3, 4]), np.array([2, 1]), 9, 12),
        (
            Tuple((Discrete(32), Discrete(11), Discrete(2))),
            (13, 10, 1),
            (13 * 11 + 10) * 2 + 1,
            704,
        ),
        (Tuple((Discrete(3, start=1), MultiDiscrete([2, 5]))), (2, np.array([1, 4])), 19, 30),
    ],
)
def test_states_are_numbered_in_row_major_order(space, shown, number, n_states):
    env = StateIndex(Shown(space, shown))
    obs, _ = env.reset()
    assert env.n_states == n_states
    assert obs.tolist() == [number]
    assert obs in env.observation_space


def test_every_state_of_blackjack_has_a_number_of_its_own():
    env = StateIndex(gym.make("Blackjack-v1"))
    numbers = {
        env.observation((player, dealer, ace)).item()
        for player in range(32)
        for dealer in range(11)
        for ace in range(2)
    }
    assert numbers == set(range(704))


def test_several_numbers_are_shown_side_by_side():
    env = Features(Shown(Tuple((Discrete(32), Discrete(11, start=1), Discrete(2))), (13, 10, 1)))
    obs, _ = env.reset()
    assert (obs.dtype, obs.tolist()) == (np.float32, [13.0, 10.0, 1.0])
    assert env.observation_space == Box(
        np.array([0, 1, 0], np.float32), np.array([31, 11, 1], np.float32)
    )


@pytest.mark.parametrize(
    ("space", "shown"),
    [
        (MultiDiscrete([[2, 3], [4, 5]]), np.array([[1, 2], [3, 4]])),
        (Tuple((Discrete(3), MultiDiscrete([5, 6, 7]))), (1, np.array([2, 3, 4]))),
        (Tuple((Tuple((Discrete(3), Discrete(4))), Discrete(5))), ((1, 2), 3)),
    ],
)
def test_numbers_within_numbers_are_shown_in_their_order(space, shown):
    env = Features(Shown(space, shown))
    obs, _ = env.reset()
    assert obs.tolist() == list(range(1, len(obs) + 1))
    assert obs in env.observation_space


def test_what_a_table_cannot_hold_is_refused_with_the_reason():
    with pytest.raises(TypeError, match="observations must be Discrete, or a Tuple or MultiDiscr"):
        rl.QLearning(rl.QLearningOptions(env_id="CartPole-v1"))
    with pytest.raises(TypeError, match="finitely many states"):
        parts_of(Tuple((Discrete(3), Box(0, 1))))
    with pytest.raises(ValueError, match="16777217 states are too many"):
        StateIndex(Shown(Discrete((1 << 24) + 1)))


def test_actions_that_cannot_be_counted_are_refused():
    gym.register("Steered-v0", entry_point=lambda: Shown(Discrete(2), 0, Box(-1, 1)))
    try:
        with pytest.raises(TypeError, match="actions must be Discrete, they are Box"):
            rl.QLearning(rl.QLearningOptions(env_id="Steered-v0"))
    finally:
        del gym.registry["Steered-v0"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"step_size": 0.0}, r"step_size=0.0: must be in \(0, 1\]"),
        ({"step_decay": 1.5}, r"step_decay=1.5: must be in \[0, 1\]"),
        ({"gamma": -0.1}, r"gamma=-0.1: must be in \[0, 1\]"),
        ({"kind": "tables"}, "kind='tables': must be 'table' or 'network'"),
        ({"end_e": 2.0}, r"end_e=2.0: must be in \[0, 1\]"),
        ({"exploration_fraction": 0.0}, r"exploration_fraction=0.0: must be in \(0, 1\]"),
        ({"num_envs": 0}, "num_envs=0: must be at least 1"),
    ],
)
def test_options_are_checked(options, problem):
    with pytest.raises(ValueError, match=problem):
        rl.QLearningOptions(**options)


# Exact returns


def model(steps=None):
    """Two states: from 0, action 0 gives 1 and stays, action 1 gives 10 and ends half the time."""
    probability = np.array([[[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [1.0, 0.0]]])
    reward = np.array([[[1.0, 0.0], [10.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    next_state = np.array([[[0, 0], [1, 1]], [[1, 0], [1, 0]]])
    goes_on = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]])
    start = np.array([1.0, 0.0])
    return rl.TabularModel(start, probability, reward, next_state, goes_on, steps)


def test_returns_of_a_model_by_hand():
    """Waiting gives 1 a step, the other action 5 in the mean but once: it is best kept for last."""
    assert model().return_of(np.array([0, 0]), steps=7) == 7.0
    assert model().return_of(np.array([1, 0]), steps=7) == 5.0
    assert model().best_return(steps=7) == 6 + 5
    assert model(steps=3).best_return() == 2 + 5
    with pytest.raises(ValueError, match="no limit on the steps"):
        model().best_return()


def test_values_of_a_model_by_hand():
    """Waiting for ever is worth 1 / (1 - 0.9); the other action 5, whatever follows."""
    assert np.allclose(model().optimal_q(0.9, 500), [[10.0, 5.0], [0.0, 0.0]])
    assert model().optimal_q(0.9, 2).tolist() == [[5.5, 5.0], [0.0, 0.0]]


def propagated(made, actions, steps):
    """The expected return the other way round: the distribution of states, step by step."""
    here, total = made.start.copy(), 0.0
    everywhere = np.arange(len(here))
    probability, goes_on = made.probability[everywhere, actions], made.goes_on[everywhere, actions]
    reward, next_state = made.reward[everywhere, actions], made.next_state[everywhere, actions]
    for _ in range(steps):
        total += float((here[:, None] * probability * reward).sum())
        moved = here[:, None] * probability * goes_on
        here = np.bincount(next_state.ravel(), moved.ravel(), minlength=len(here))
    return total


@pytest.mark.parametrize(
    ("env_id", "gamma", "stationary", "best"),
    [
        ("FrozenLake-v1", 0.99, 0.7402, 0.7442),
        ("FrozenLake8x8-v1", 0.999, 0.8857, 0.9132),
        ("Taxi-v4", 0.99, 7.93, 7.93),
        ("CliffWalking-v1", 0.99, -13.0, -13.0),
    ],
)
def test_the_optima_that_learning_is_held_to(env_id, gamma, stationary, best):
    """The best table for a discount, and the best that knows how many steps are left."""
    made = rl.TabularModel.of(env_id)
    steps = made.steps or 200
    actions = made.optimal_q(gamma, 3000).argmax(axis=1)
    assert made.return_of(actions, steps) == pytest.approx(stationary, abs=5e-5)
    assert made.best_return(steps) == pytest.approx(best, abs=5e-5)
    assert propagated(made, actions, steps) == pytest.approx(made.return_of(actions, steps))


def test_a_model_has_to_be_known():
    with pytest.raises(TypeError, match="no attributes P and initial_state_distrib"):
        rl.TabularModel.of("Blackjack-v1")


# Learning


def test_cliff_walking_is_solved():
    """Every seed finds a shortest path; it is also the one that greedy episodes take."""
    made = rl.TabularModel.of("CliffWalking-v1")
    for seed in (1, 2, 3):
        options = {"total_timesteps": 30_000, "gamma": 1.0, "step_decay": 0.0}
        main = rl.QLearning(rl.QLearningOptions(env_id="CliffWalking-v1", seed=seed, **options))
        rr.run(main, workers=2, fast=True)
        assert made.return_of(main.learner.latest["q"].argmax(axis=1), steps=200) == -13.0
    env = gym.make("CliffWalking-v1")
    policy = main.greedy_policy()
    policy.start(main.learner.latest, (1, 1), 0, np.random.default_rng(0))
    state, _ = env.reset(seed=1)
    for _ in range(13):
        action = policy.act(0, np.array([[state]], np.float32)).item()
        state, _, terminated, _, _ = env.step(action)
    assert terminated


def test_frozen_lake_is_solved():
    """The greedy policy is as good as the best table, also in episodes."""
    options = rl.QLearningOptions(total_timesteps=120_000)
    main = rl.QLearning(options)
    rr.run(main, workers=2, fast=True)
    actions = main.learner.latest["q"].argmax(axis=1)
    assert rl.TabularModel.of(options.env_id).return_of(actions) == pytest.approx(0.7402, abs=5e-5)

    env, successes = gym.make(options.env_id), []
    env.reset(seed=1)
    for _ in range(500):
        state, is_over = env.reset()[0], False
        while not is_over:
            state, reward, terminated, truncated, _ = env.step(int(actions[state]))
            is_over = terminated or truncated
        successes.append(reward)
    half_of_interval = 1.96 * np.std(successes) / 500**0.5
    assert abs(np.mean(successes) - 0.7402) < half_of_interval


def outcome(main):
    return rl.weights_sha256(main.learner.latest), main.episodes.returns, main.episodes.ended_at


def test_the_bits_do_not_depend_on_the_number_of_workers():
    results = []
    for workers in (1, 2, 4):
        main = rl.QLearning(rl.QLearningOptions(env_id="Blackjack-v1", **SHORT))
        report = rr.run(main, workers=workers, fast=True)
        results.append((*outcome(main), report.trace_hash))
    assert results[0] == results[1] == results[2]
    assert len(results[0][1]) > 100
    assert results[0][2][-1] == 2_000


def test_the_bits_do_not_depend_on_how_long_anything_takes(monkeypatch):
    original = rl.Rollout.roll_out
    results = []
    for seed in (None, 1, 2):
        delays = np.random.default_rng(seed).exponential(0.002, 100).tolist()

        def delayed(self, weights, delays=delays):
            end = time.perf_counter() + delays.pop()
            while time.perf_counter() < end:
                pass
            return original(self, weights)

        monkeypatch.setattr(rl.Rollout, "roll_out", original if seed is None else delayed)
        main = rl.QLearning(rl.QLearningOptions(**SHORT))
        rr.run(main, workers=4, fast=True)
        results.append(outcome(main))
    assert results[0] == results[1] == results[2]


def test_another_seed_gives_another_table():
    tables = set()
    for seed in (1, 2):
        main = rl.QLearning(rl.QLearningOptions(env_id="Taxi-v4", seed=seed, **SHORT))
        rr.run(main, workers=1, fast=True)
        tables.add(rl.weights_sha256(main.learner.latest))
    assert len(tables) == 2


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "Blackjack-v1", "Taxi-v4"])
def test_a_program_goes_on_from_a_state_to_the_bit(env_id):
    options = rl.QLearningOptions(env_id=env_id, **SHORT)
    states = []
    whole = rl.QLearning(options)
    whole.gate.hook = lambda: states.append(copy.deepcopy(whole.state_dict()))
    rr.run(whole, workers=2, fast=True)
    assert len(states) == options.rounds == 20
    resumed = rl.QLearning(options)
    resumed.load_state_dict(states[7])
    rr.run(resumed, workers=1, fast=True)
    assert outcome(resumed) == outcome(whole)


def test_metrics_have_cleanrls_names():
    main = rl.QLearning(rl.QLearningOptions(**SHORT))
    rr.run(main, workers=1, fast=True)
    assert set(main.episodes.metrics_now) == {"losses/td_loss", "losses/q_values"}


# With a network

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)
NETWORK = {
    "env_id": "Blackjack-v1",
    "kind": "network",
    "total_timesteps": 3_200,
    "num_envs": 4,
    "num_steps": 80,
    "batch_size": 200,
}


def trained(workers, state=None, **options):
    main = rl.QLearning(rl.QLearningOptions(**{**NETWORK, **options}))
    if state is not None:
        main.load_state_dict(state)
    rr.run(main, workers=workers, fast=True)
    return main


@needs_torch
def test_the_network_has_the_papers_layers_and_takes_one_gradient_step_a_round():
    main = trained(2)
    shapes = [weight.shape for weight in main.learner.latest.values()]
    assert shapes == [(32, 3), (32,), (2, 32), (2,)]
    assert main.learner.round == 10
    steps = main.state_dict()["learner"]["optimizer"]["state"]["0"]["step"]
    assert float(steps) == 10
    assert set(main.episodes.metrics_now) == {"losses/td_loss", "losses/q_values"}


@needs_torch
def test_the_networks_bits_do_not_depend_on_the_number_of_workers():
    one, two, four = (outcome(trained(workers)) for workers in (1, 2, 4))
    assert one == two == four
    assert outcome(trained(1, seed=2)) != one


@needs_torch
def test_a_network_goes_on_from_a_state_to_the_bit():
    states = []
    whole = rl.QLearning(rl.QLearningOptions(**NETWORK))
    whole.gate.hook = lambda: states.append(copy.deepcopy(whole.state_dict()))
    rr.run(whole, workers=2, fast=True)
    assert outcome(trained(1, states[4])) == outcome(whole)


@needs_torch
def test_a_network_takes_features_numbers_and_one_state():
    """As they are, side by side, and one-hot."""
    for env_id, features in (("CartPole-v1", 4), ("Blackjack-v1", 3), ("FrozenLake-v1", 16)):
        main = rl.QLearning(rl.QLearningOptions(**{**NETWORK, "env_id": env_id}))
        assert main.rollouts[0].make_env().observation_space.shape == (features,)
