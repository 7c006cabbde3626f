"""The traffic junction by hand, inference by many agents, and PPO for several agents."""

import copy
import importlib.util
import time
import warnings

import numpy as np
import pytest

import reactorrl as rr
from reactorrl import rl

pytest.importorskip("pettingzoo")

from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from pettingzoo.test import parallel_api_test, parallel_seed_test

from reactorrl.rl.env_state import env_state, restore_env
from reactorrl.rl.inference import AgentPolicy
from reactorrl.rl.multiagent import AgentSpaces
from reactorrl.rl.traffic import BRAKE, GAS, VERSIONS, TrafficJunction

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)


# The junction


def junction(cars, version="easy", **options):
    """An env with these cars on the grid, (route, position) or None each, into which none enters.

    Routes of the easy version: 0 is row 3, eastbound, and 2 is column 3, southbound, straight on;
    1 is 0 turning south and 3 is 2 turning east, both at cell (3, 3), their positions 3.
    """
    env = TrafficJunction(version, n_cars=len(cars), p_arrive=0.0, **options)
    env.reset(seed=1)
    place(env, cars)
    return env


def place(env, cars):
    state = env.get_state()
    columns = [(-1, 0, 0) if car is None else (*car, 0) for car in cars]
    env.set_state({**state, "cars": np.array(columns).T})


def cells(env):
    """The cell of each agent's car, None without one, as observed."""
    size = env.junction.size
    found = []
    for row in env.state():
        here = row[2 : 2 + size].argmax(), row[2 + size : 2 + 2 * size].argmax()
        found.append(tuple(map(int, here)) if row[0] else None)
    return found


def step(env, *actions):
    return env.step(dict(zip(env.agents, actions, strict=True)))


@pytest.mark.parametrize("version", VERSIONS)
def test_it_keeps_to_pettingzoos_api(version, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(TrafficJunction(version), 200)
        parallel_seed_test(lambda: TrafficJunction(version))
    assert "Passed Parallel API test" in capsys.readouterr().out


def test_routes_of_the_easy_junction():
    straight, turn, down, out = VERSIONS["easy"].routes()
    assert straight == [(3, column) for column in range(7)]
    assert turn == [(3, 0), (3, 1), (3, 2), (3, 3), (4, 3), (5, 3), (6, 3)]
    assert down == [(row, 3) for row in range(7)]
    assert out == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 4), (3, 5), (3, 6)]


def test_routes_of_the_medium_junction():
    """Twelve, three for each way in; a car keeps to the right and leaves at an edge."""
    routes = VERSIONS["medium"].routes()
    assert len(routes) == 12
    entries = [routes[3 * lane][0] for lane in range(4)]
    assert entries == [(7, 0), (6, 13), (0, 6), (13, 7)]
    for index, route in enumerate(routes):
        assert route[0] == entries[index // 3]
        moves = np.abs(np.diff(route, axis=0)).sum(axis=1)
        assert moves.tolist() == [1] * (len(route) - 1), "one cell at a time"
        assert {0, 13} & set(route[-1])
    exits = [{route[-1] for route in routes[3 * lane : 3 * lane + 3]} for lane in range(4)]
    every = {(7, 13), (6, 0), (13, 6), (0, 7)}
    own = [(6, 0), (7, 13), (0, 7), (13, 6)]  # a car does not leave where it came from
    assert exits == [every - {back} for back in own]
    right, left = routes[1], routes[2]
    assert right[-1] == (13, 6)
    assert left[-1] == (0, 7)
    assert (len(right), len(left)) == (13, 15)


def test_gas_moves_on_and_the_brake_stays():
    env = junction([(0, 1), (2, 5)])
    assert cells(env) == [(3, 1), (5, 3)]
    step(env, GAS, BRAKE)
    assert cells(env) == [(3, 2), (5, 3)]
    step(env, GAS, GAS)
    assert cells(env) == [(3, 3), (6, 3)]


def test_a_turn_is_taken_at_the_crossing():
    env = junction([(1, 2)])
    step(env, GAS)
    assert cells(env) == [(3, 3)]
    step(env, GAS)
    assert cells(env) == [(4, 3)]


def test_a_car_leaves_with_gas_on_its_last_cell():
    env = junction([(0, 6), (2, 6)])
    observations, _, terminated, truncated, infos = step(env, GAS, BRAKE)
    assert cells(env) == [None, (6, 3)]
    assert not observations["car_0"].any()
    assert [infos[agent]["active"] for agent in env.agents] == [False, True]
    assert not any(terminated.values()), "the driver stays"
    assert not any(truncated.values())
    _, rewards, *_ = step(env, GAS, GAS)
    assert rewards == {"car_0": 0.0, "car_1": -0.02}


def test_time_costs_more_the_longer_a_car_is_there():
    env = junction([(0, 0)])
    costs = [step(env, action)[1]["car_0"] for action in (GAS, BRAKE, GAS)]
    assert costs == [-0.01, -0.02, -0.03]


def test_cars_on_one_cell_have_collided_and_go_on():
    """Both reach (3, 3) at once, share it for two steps, then part."""
    env = junction([(0, 2), (2, 2), (2, 0)])
    _, rewards, *_ = step(env, GAS, GAS, BRAKE)
    assert rewards == {"car_0": -10.01, "car_1": -10.01, "car_2": -0.01}
    assert env.collisions == 2
    _, rewards, *_ = step(env, BRAKE, BRAKE, BRAKE)
    assert rewards == {"car_0": -10.02, "car_1": -10.02, "car_2": -0.02}
    _, rewards, *_ = step(env, GAS, BRAKE, BRAKE)
    assert rewards["car_0"] == -0.03
    assert env.collisions == 4
    assert cells(env) == [(3, 4), (3, 3), (0, 3)]


def test_cars_that_swap_cells_or_follow_each_other_do_not_collide():
    env = junction([(0, 1), (0, 2)])
    _, rewards, *_ = step(env, GAS, GAS)
    assert rewards == {"car_0": -0.01, "car_1": -0.01}


def test_what_a_car_sees():
    """Itself is left out; of others, where they are and where they would go."""
    env = junction([(0, 2), (2, 2), (3, 2), (0, 6)])
    own, others = np.split(env.state()[0], [2 + 2 * 7 + 4])
    assert own[:2].tolist() == [1.0, 0.0]
    assert own[2:].nonzero()[0].tolist() == [3, 7 + 2, 14 + 0]
    window = others.reshape(3, 3, 3)
    expected = np.zeros((3, 3, 3))
    expected[0, 2] = 2, 2, 0  # both cars at (2, 3) go down next, one of them to turn later
    assert window.tolist() == expected.tolist()
    crossing = env.state()[1][-27:].reshape(3, 3, 3)
    expected = np.zeros((3, 3, 3))
    expected[1, 1] = 1, 1, 0  # the other one on its own cell
    expected[2, 0] = 1, 0, 1
    assert crossing.tolist() == expected.tolist()
    assert not env.state()[3][-27:].any(), "beyond the edge there is nothing"


def test_what_a_car_did_last_is_seen():
    env = junction([(0, 2), (2, 0)])
    observations, *_ = step(env, BRAKE, GAS)
    assert [observations[agent][1] for agent in env.agents] == [1.0, 0.0]


def test_vision_is_a_square_around_the_car():
    env = junction([(0, 1), (2, 1), (0, 0)], vision=2)
    assert env.observation_space("car_0").shape == (2 + 14 + 4 + 3 * 25,)
    window = env.state()[0][-75:].reshape(5, 5, 3)
    assert np.argwhere(window[..., 0]).tolist() == [[0, 4], [2, 1]]
    blind = junction([(0, 1), (0, 1)], vision=0)
    assert blind.state()[0][-3:].tolist() == [1.0, 0.0, 1.0]


def test_cars_enter_by_lane_and_the_first_free_drivers_take_them():
    env = TrafficJunction("easy", n_cars=3, p_arrive=1.0)
    env.reset(seed=1)
    assert cells(env) == [(3, 0), (0, 3), None]
    observations, rewards, *_ = step(env, GAS, GAS, BRAKE)
    assert cells(env) == [(3, 1), (1, 3), (3, 0)]
    assert rewards["car_2"] == 0.0, "it has only just come"
    assert observations["car_2"][1] == 0.0, "what was chosen without a car is forgotten"


def test_a_driver_whose_car_left_gets_another_one_step_later():
    env = TrafficJunction("easy", n_cars=1, p_arrive=1.0)
    env.reset(seed=1)
    place(env, [(0, 6)])
    step(env, GAS)
    assert cells(env) == [None]
    step(env, GAS)
    assert cells(env) == [(3, 0)]


def test_cars_arrive_as_often_as_asked_and_take_all_routes_alike():
    """Of 1600 chances on four lanes; each number within three standard deviations."""
    env = TrafficJunction("medium", n_cars=200, p_arrive=0.25)
    routes = []
    for seed in range(10):
        env.reset(seed=seed)
        while env.agents:
            route, _, age = env.get_state()["cars"]
            routes += route[(route >= 0) & (age == 0)].tolist()
            step(env, *[GAS] * 200)
    counts = np.bincount(routes, minlength=12)
    assert abs(counts.sum() - 400) < 3 * (1600 * 0.25 * 0.75) ** 0.5
    assert (abs(counts - 400 / 12) < 3 * (400 / 12) ** 0.5).all()


def test_an_episode_is_cut_off_after_its_steps_and_says_whether_it_succeeded():
    for second, succeeded in (((0, 1), True), ((0, 2), False)):
        env = junction([(0, 2), second])
        for _ in range(19):
            _, _, _, truncated, infos = step(env, BRAKE, BRAKE)
            assert truncated == {"car_0": False, "car_1": False}
            assert "is_success" not in infos["car_0"]
        _, _, terminated, truncated, infos = step(env, BRAKE, BRAKE)
        assert truncated == {"car_0": True, "car_1": True}
        assert terminated == {"car_0": False, "car_1": False}
        assert infos["car_0"]["is_success"] is succeeded
        assert env.agents == []
        with pytest.raises(RuntimeError, match="the episode is over; call reset"):
            env.step({})


def test_the_picture_shows_road_grass_and_cars():
    env = junction([(0, 1), (2, 1)], render_mode="rgb_array")
    image = env.render()
    assert (image.shape, image.dtype) == ((112, 112, 3), np.uint8)
    centre = image[8::16, 8::16]
    road, grass = centre[3, 5], centre[0, 0]
    assert (centre[3, 2:] == road).all()
    assert (centre[[0, 2, 4, 5, 6], 3] == road).all()
    assert (centre[4:, 4:] == grass).all()
    colours = {tuple(map(int, each)) for each in (road, grass, centre[3, 1], centre[1, 3])}
    assert len(colours) == 4
    place(env, [(0, 3), (2, 3)])
    crash = env.render()[8::16, 8::16][3, 3]
    assert tuple(map(int, crash)) not in colours
    assert junction([None]).render() is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"version": "hard"}, "version='hard': must be one of easy, medium"),
        ({"n_cars": 0}, "n_cars=0: must be at least 1"),
        ({"p_arrive": 1.5}, r"p_arrive=1.5: must be in \[0, 1\]"),
        ({"vision": -1}, "vision=-1: must not be negative"),
        ({"render_mode": "human"}, "render_mode='human': must be None or 'rgb_array'"),
    ],
)
def test_what_the_env_is_made_with_is_checked(options, problem):
    with pytest.raises(ValueError, match=problem):
        TrafficJunction(**options)


def test_actions_are_checked():
    env = junction([(0, 0), None])
    with pytest.raises(ValueError, match="actions: there is none for 'car_1'"):
        env.step({"car_0": 0})
    with pytest.raises(ValueError, match=r"must be 0 \(gas\) or 1 \(brake\)"):
        step(env, 0, 2)


def played(env, rng, steps):
    """What an env shows in so many steps of random actions, across episodes."""
    shown = []
    for _ in range(steps):
        if not env.agents:
            shown.append(env.reset()[0])
        actions = rng.integers(2, size=len(env.agents)).tolist()
        shown.append(step(env, *actions)[:2])
    return repr([(str(each), env.state().tobytes()) for each in shown])


def test_an_env_goes_on_from_its_state():
    env, other = TrafficJunction(), TrafficJunction()
    env.reset(seed=3)
    played(env, np.random.default_rng(1), 17)
    other.reset(seed=9)
    restore_env(other, env_state(env))
    assert played(env, np.random.default_rng(2), 60) == played(other, np.random.default_rng(2), 60)


def test_a_state_of_the_env_is_a_copy():
    env, other = TrafficJunction(), TrafficJunction()
    env.reset(seed=3)
    state = env.get_state()
    shown = played(env, np.random.default_rng(2), 60)
    for each in (other, env):  # no two of them share anything
        each.set_state(state)
    assert played(env, np.random.default_rng(2), 60) == shown
    assert played(other, np.random.default_rng(2), 60) == shown


# Inference


def infer(workers=1, **options):
    main = rl.MultiAgentInference(
        rl.MultiAgentInferenceOptions(**{"total_timesteps": 200, **options})
    )
    report = rr.run(main, workers=workers, fast=True)
    return main.env, report


def result(env):
    return env.env_steps, env.episode_returns, env.actions_sha256


@pytest.mark.parametrize("batched", [False, True])
def test_actions_do_not_depend_on_the_number_of_workers(batched):
    runs = [infer(workers, batched=batched) for workers in (1, 2, 4)]
    assert result(runs[0][0]) == result(runs[1][0]) == result(runs[2][0])
    assert len({report.trace_hash for _, report in runs}) == 1
    assert runs[0][0].env_steps == 200
    assert len(runs[0][0].episode_returns) == 5


@pytest.mark.parametrize("num_agents", [2, 5, 32])
def test_one_batched_reactor_chooses_what_one_for_each_agent_does(num_agents):
    apart, _ = infer(num_agents=num_agents)
    together, _ = infer(num_agents=num_agents, batched=True)
    assert result(apart) == result(together)


def test_inference_is_what_a_loop_does():
    env, _ = infer(num_agents=4, seed=7, hidden_sizes=(8,))
    main = rl.MultiAgentInference(
        rl.MultiAgentInferenceOptions(num_agents=4, seed=7, hidden_sizes=(8,))
    )
    bare = TrafficJunction("medium", n_cars=4)
    observations, _ = bare.reset(seed=7)
    returns, so_far = [], 0.0
    for _ in range(200):
        actions = {
            agent: int(policy.forward(observations[agent][np.newaxis]).argmax())
            for agent, policy in zip(bare.agents, main.policies, strict=True)
        }
        observations, rewards, *_ = bare.step(actions)
        so_far += sum(rewards.values())
        if not bare.agents:
            returns, so_far = [*returns, so_far], 0.0
            observations, _ = bare.reset()
    assert env.episode_returns == returns


def test_inference_does_not_depend_on_how_long_anything_takes(monkeypatch):
    expected = result(infer(total_timesteps=50)[0])
    act = AgentPolicy.act.function
    delays = np.random.default_rng(1).exponential(2e-4, 50 * 10).tolist()

    class Slow(AgentPolicy):
        @rr.reaction(AgentPolicy.observations, effects=AgentPolicy.actions)
        def act(self):
            end = time.perf_counter() + delays.pop()
            while time.perf_counter() < end:
                pass
            act(self)

    monkeypatch.setattr("reactorrl.rl.inference.AgentPolicy", Slow)
    assert result(infer(4, total_timesteps=50)[0]) == expected
    assert delays == []


def test_options_of_inference_are_checked():
    with pytest.raises(ValueError, match="num_agents=0: must be at least 1"):
        rl.MultiAgentInferenceOptions(num_agents=0)
    with pytest.raises(ValueError, match="each must be at least 1"):
        rl.MultiAgentInferenceOptions(hidden_sizes=(4, 0))


# Rollouts


class Relay(ParallelEnv):
    """Three agents: b leaves after two steps, a after three, and c is cut off after five.

    Each observes (its number, steps made); its reward is 10 * number + action.
    """

    space, actions = Box(0, 100, (2,)), Discrete(3)

    def __init__(self):
        self.possible_agents = ["a", "b", "c"]
        self.ends = {"a": 3, "b": 2, "c": 5}

    def observation_space(self, agent):
        return self.space

    def action_space(self, agent):
        return self.actions

    def _shown(self, agents):
        return {
            agent: np.array([self.possible_agents.index(agent), self.steps], np.float32)
            for agent in agents
        }

    def reset(self, seed=None, options=None):
        self.agents, self.steps = self.possible_agents.copy(), 0
        return self._shown(self.agents), {agent: {} for agent in self.agents}

    def step(self, actions):
        assert list(actions) == self.agents
        self.steps += 1
        acting = self.agents
        rewards = {a: 10.0 * self.possible_agents.index(a) + actions[a] for a in acting}
        ended = {agent: self.ends[agent] == self.steps for agent in acting}
        terminated = {agent: ended[agent] and agent != "c" for agent in acting}
        truncated = {agent: ended[agent] and agent == "c" for agent in acting}
        self.agents = [agent for agent in acting if not ended[agent]]
        return self._shown(acting), rewards, terminated, truncated, {a: {} for a in acting}


class Ones:
    """Always action 1."""

    def start(self, weights, shape, env_steps, rng):
        self.shape = shape

    def act(self, step, obs):
        assert len(obs) == self.shape[1]
        return np.ones(len(obs), np.int64)


class Feeder(rr.Reactor):
    """Sends weights so many times, each after the trajectory before; keeps the trajectories."""

    again = rr.LogicalAction()
    weights = rr.Output()
    trajectory = rr.Input()

    def __init__(self, times):
        self.times = times
        self.trajectories = []

    @rr.reaction(rr.startup, again, effects=weights)
    def send(self):
        self.weights.set({})

    @rr.reaction(trajectory, effects=again)
    def keep(self):
        self.trajectories.append(self.trajectory.value)
        if len(self.trajectories) < self.times:
            self.again.schedule()


class Rolled(rr.Reactor):
    """A rollout and what feeds it."""

    def __init__(self, make_env, times=1, num_envs=1, steps=7):
        self.feeder = Feeder(times)
        self.rollout = rl.MultiAgentRollout(
            make_env, Ones, rl.probe_agents(make_env), num_envs=num_envs, steps=steps, seed=1
        )
        self.connect(self.feeder.weights, self.rollout.weights)
        self.connect(self.rollout.trajectory, self.feeder.trajectory)

    @property
    def trajectories(self):
        return self.feeder.trajectories


def test_agents_are_columns_that_are_masked_when_they_are_gone():
    main = Rolled(Relay)
    rr.run(main, workers=1, fast=True)
    (t,) = main.trajectories
    assert t.active.T.astype(int).tolist() == [
        [1, 1, 1, 0, 0, 1, 1],
        [1, 1, 0, 0, 0, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
    ]
    assert t.rewards.T.tolist() == [
        [1, 1, 1, 0, 0, 1, 1],
        [11, 11, 0, 0, 0, 11, 11],
        [21, 21, 21, 21, 21, 21, 21],
    ]
    assert np.argwhere(t.terminated).tolist() == [[1, 1], [2, 0], [6, 1]]
    assert np.argwhere(t.truncated).tolist() == [[4, 2]]
    assert t.obs[:, 2].tolist() == [[2, s] for s in (0, 1, 2, 3, 4, 0, 1)]
    assert t.final_obs.tolist() == [[1, 2], [0, 3], [2, 5], [1, 2]]
    assert t.last_obs[[0, 2]].tolist() == [[0, 2], [2, 2]]
    assert t.next_obs()[4, 2].tolist() == [2, 5]
    assert len(t) == 7, "env steps, not steps of agents"
    assert t.agent_returns.tolist() == [[3, 22, 105]]
    assert t.episode_returns.tolist() == [130]
    assert t.episode_lengths.tolist() == [5]
    assert np.isnan(t.is_success).all()


def test_episodes_go_on_from_one_trajectory_to_the_next():
    parts, whole = Rolled(Relay, times=3, steps=4), Rolled(Relay, steps=12)
    for main in (parts, whole):
        rr.run(main, workers=1, fast=True)
    for name in ("obs", "actions", "rewards", "terminated", "truncated", "active", "agent_returns"):
        joined = np.concatenate([getattr(t, name) for t in parts.trajectories])
        assert np.array_equal(joined, getattr(whole.trajectories[0], name)), name


def test_a_trip_ends_for_its_driver_when_the_car_leaves():
    """At p_arrive=1 one driver's trips of 7 cells follow each other with one step between."""
    make = rl.parallel_env_maker("TrafficJunction-easy", n_cars=1, p_arrive=1.0)

    class Gas(Ones):
        def act(self, step, obs):
            return np.zeros(len(obs), np.int64)

    main = Rolled(make, steps=20)
    main.rollout.policy = Gas()
    rr.run(main, workers=1, fast=True)
    (t,) = main.trajectories
    assert t.active.astype(int).ravel().tolist() == [1] * 7 + [0] + [1] * 7 + [0] + [1] * 4
    assert t.terminated.ravel().nonzero()[0].tolist() == [6, 14]
    assert t.truncated.ravel().nonzero()[0].tolist() == [19]
    assert t.is_success.tolist() == [1.0]
    assert t.rewards.ravel()[:8] == pytest.approx([-0.01 * k for k in range(1, 8)] + [0.0])


def test_what_an_env_raises_names_it():
    class Broken(Relay):
        def step(self, actions):
            if self.steps == 1:
                raise KeyError("lost")
            return super().step(actions)

    with pytest.raises(rr.ReactionError) as caught:
        rr.run(Rolled(Broken, num_envs=2), workers=1, fast=True)
    (note,) = caught.value.__cause__.__notes__
    assert note == "env 0 of Rolled.rollout, seeded with 1, at its step 1"


def test_agents_that_cannot_share_a_policy_are_refused():
    class Odd(Relay):
        def observation_space(self, agent):
            return Box(0, 1, (3,)) if agent == "b" else self.space

    class Seeing(Relay):
        space = Box(0, 255, (8, 8, 3), np.uint8)

    class Steered(Relay):
        actions = Box(-1, 1)

    with pytest.raises(TypeError, match="must have the same spaces"):
        rl.probe_agents(Odd)
    with pytest.raises(TypeError, match="observations must be vectors"):
        rl.probe_agents(Seeing)
    with pytest.raises(TypeError, match=r"actions must be Discrete and start at 0, they are Box"):
        rl.probe_agents(Steered)
    assert rl.probe_agents(Relay) == AgentSpaces(
        ("a", "b", "c"), rl.Spaces((2,), np.dtype(np.float32), 3, 0)
    )


def test_episodes_without_exploration_are_scored_over_all_agents():
    returns, successes = rl.evaluate_agents(Ones(), {}, Relay, episodes=2, seed=1)
    assert returns == [130.0, 130.0]
    assert np.isnan(successes).all()

    class Gas(Ones):
        def act(self, step, obs):
            return np.zeros(len(obs), np.int64)

    make = rl.parallel_env_maker("TrafficJunction-easy", n_cars=1, p_arrive=1.0)
    returns, successes = rl.evaluate_agents(Gas(), {}, make, episodes=1, seed=1)
    assert returns[0] == pytest.approx(-0.01 * (28 + 28 + 10))
    assert successes == [1.0]


def test_envs_by_id():
    assert rl.parallel_env_maker("TrafficJunction-medium")().max_num_agents == 10
    assert rl.parallel_env_maker("TrafficJunction")().junction is VERSIONS["medium"]
    with pytest.raises(ValueError, match="a module with a function parallel_env"):
        rl.parallel_env_maker("reactorrl.time")
    with pytest.raises(ValueError, match=r"env_id='pettingzoo\.nothing_v0'"):
        rl.parallel_env_maker("pettingzoo.nothing_v0")


# PPO

TINY = {"total_timesteps": 640, "num_envs": 4, "num_steps": 32, "hidden_sizes": (8,)}


def outcome(main):
    episodes = main.episodes
    return (
        rl.weights_sha256(main.learner.latest),
        episodes.returns,
        episodes.agent_returns,
        episodes.successes,
        episodes.ended_at,
    )


def ppo(workers=2, state=None, **options):
    main = rl.MultiAgentPPO(rl.MultiAgentPPOOptions(**{**TINY, **options}))
    if state is not None:
        main.load_state_dict(state)
    rr.run(main, workers=workers, fast=True)
    return main


@needs_torch
def test_ppo_is_equal_to_the_bit_for_any_number_of_workers():
    one, two, four = (outcome(ppo(workers)) for workers in (1, 2, 4))
    assert one == two == four
    assert len(one[1]) == 32
    assert one[4][-1] == 640


@needs_torch
def test_ppo_does_not_depend_on_how_long_anything_takes(monkeypatch):
    expected = outcome(ppo(1))
    original = rl.MultiAgentRollout.roll_out
    delays = np.random.default_rng(1).exponential(0.002, 20).tolist()

    def delayed(self, weights):
        end = time.perf_counter() + delays.pop()
        while time.perf_counter() < end:
            pass
        return original(self, weights)

    monkeypatch.setattr(rl.MultiAgentRollout, "roll_out", delayed)
    assert outcome(ppo(4)) == expected


@needs_torch
def test_ppo_goes_on_from_a_state_to_the_bit():
    states = []
    whole = rl.MultiAgentPPO(rl.MultiAgentPPOOptions(**TINY))
    whole.gate.hook = lambda: states.append(copy.deepcopy(whole.state_dict()))
    rr.run(whole, workers=2, fast=True)
    assert len(states) == 5
    assert outcome(ppo(1, states[2])) == outcome(whole)


@needs_torch
def test_advantages_of_agents_by_hand():
    """Deltas are 1 + 0.5 * next - value; a gap in a column ends the sum, as its flag says."""
    import torch

    from reactorrl.rl.multiagent_ppo import MultiAgentExperience

    active = np.array([[1, 1], [1, 0], [0, 1], [1, 1]], bool)
    trajectory = rl.MultiAgentTrajectory(
        obs=np.arange(8, dtype=np.float32).reshape(4, 2, 1),
        actions=np.arange(8).reshape(4, 2),
        rewards=np.where(active, 1, 0).astype(np.float32),
        terminated=np.array([[0, 1], [1, 0], [0, 0], [0, 0]], bool),
        truncated=np.array([[0, 0], [0, 0], [0, 0], [0, 1]], bool),
        last_obs=np.array([[8], [9]], np.float32),
        final_obs=np.array([[91], [92], [93]], np.float32),
        episode_returns=np.empty(0),
        episode_lengths=np.empty(0, np.int64),
        active=active,
        agent_returns=np.empty((0, 2)),
        is_success=np.empty(0),
    )
    experience = MultiAgentExperience([trajectory], torch.device("cpu"))
    assert experience.obs.ravel().tolist() == [0, 1, 2, 5, 6, 7]
    assert experience.actions.tolist() == [0, 1, 2, 5, 6, 7]
    assert experience.following.ravel().tolist() == [8, 9, 91, 92, 93]
    advantages = experience.advantages(
        torch.tensor([2.0, 4.0, 6.0, 8.0, 10.0, 12.0]),
        torch.tensor([20.0, 40.0, 50.0, 60.0, 70.0]),
        gamma=0.5,
        gae_lambda=0.5,
    )
    # a: steps 0 and 1, a gap, step 3, then 20 follows; b: step 0, a gap, steps 2 and 3, then 70
    a1, a3, b3 = 1 - 6.0, 1 + 10 - 10.0, 1 + 35 - 12.0
    a0, b0, b2 = (1 + 3 - 2.0) + 0.25 * a1, 1 - 4.0, (1 + 6 - 8.0) + 0.25 * b3
    assert advantages.tolist() == [a0, b0, a1, b2, a3, b3]


@needs_torch
def test_agents_learn_to_pass_the_junction():
    """From 3 in 10 episodes without a collision, and less, to 7 in 10, and more."""
    main = ppo(
        total_timesteps=24_576, num_envs=16, num_steps=64, hidden_sizes=(64,), learning_rate=3e-3
    )
    episodes = main.episodes
    early, late = episodes.successes[:150], episodes.successes[-150:]
    assert sum(early) / 150 < 0.3
    assert sum(late) / 150 > 0.6
    assert episodes.success_rate() == sum(episodes.successes[-100:]) / 100
    assert sum(episodes.returns[:150]) / 150 < -60
    assert sum(episodes.returns[-150:]) / 150 > -35


@needs_torch
def test_an_evaluation_is_the_same_every_time():
    main = ppo()
    first, again = (main.evaluate(main.learner.latest, episodes=5, seed=3) for _ in range(2))
    assert first == again
    assert len(set(first)) == 5


@needs_torch
def test_scalars_of_agents_have_cleanrls_names():
    class Sink:
        def __init__(self):
            self.names = set()

        def write(self, env_steps, scalars):
            self.names |= set(scalars)

    main = rl.MultiAgentPPO(rl.MultiAgentPPOOptions(**TINY))
    sink = Sink()
    main.episodes.sinks.append(sink)
    rr.run(main, workers=1, fast=True)
    players = {f"charts/episodic_return-player{player}" for player in range(5)}
    assert players < sink.names
    assert {"charts/episodic_return", "charts/episodic_length", "charts/is_success"} < sink.names
    assert {"losses/policy_loss", "losses/value_loss", "losses/entropy"} < sink.names


@needs_torch
def test_too_few_agents_for_a_minibatch_are_refused(monkeypatch):
    """In 16 env steps on a road without cars no agent does anything."""
    make = rl.parallel_env_maker("TrafficJunction-easy", p_arrive=0.0)
    monkeypatch.setattr("reactorrl.rl.multiagent_ppo.parallel_env_maker", lambda env_id: make)
    with pytest.raises(rr.ReactionError, match="made 0 steps, too few for 4 minibatches; raise"):
        ppo(num_envs=1, num_steps=16)
