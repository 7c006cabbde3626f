"""Programs that learn, as users write them, for the type checker alone: as typing_use.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, assert_type

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

import reactorrl as rr
from reactorrl import atari, rl
from reactorrl.rl.train import RunOptions, TrainingRun, train
from reactorrl.testing import Simulation, Step, Trace, TraceRow, VirtualClock, record_trace
from reactorrl.vector import ReactorVectorEnv

CARTPOLE = "CartPole-v1"


def batched() -> None:
    envs = rr.make_vec(CARTPOLE, 4, workers=2, vector_kwargs={"step_timeout": 1.0})
    assert_type(envs, ReactorVectorEnv)
    assert_type(envs.num_envs, int)
    assert_type(envs.workers, int)
    assert_type(envs.envs, list[gym.Env[Any, Any]])
    assert_type(envs.single_action_space, gym.Space[Any])
    assert_type(envs.observation_space, gym.Space[Any])
    assert_type(envs.autoreset_mode, AutoresetMode)
    assert_type(envs.metadata, dict[str, Any])
    obs, infos = envs.reset(seed=[1, 2, 3, None])
    assert_type(infos, dict[str, Any])
    obs, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
    print(obs, rewards, terminations | truncations)
    envs.send([0, 1], env_ids=[2, 3])
    ids, *_ = envs.recv(1, timeout=0.5)
    print(ids)
    assert_type(envs.get_attr("spec"), tuple[Any, ...])
    assert_type(envs.np_random, tuple[np.random.Generator, ...])
    envs.close()
    fns = [lambda: gym.make(CARTPOLE)] * 2
    ReactorVectorEnv(fns, copy=False, autoreset_mode=AutoresetMode.DISABLED).close()


def atari_game() -> None:
    env = atari.make("Pong", "machado", seed=1, frame_skip=5)
    assert_type(env, atari.AtariEnv)
    assert_type(env.game, str)
    assert_type(env.preprocessing, atari.Preprocessing)
    assert_type(env.action_space, gym.spaces.Discrete)
    obs, info = env.reset()
    assert_type(obs, NDArray[np.uint8])
    assert_type(info, dict[str, Any])
    assert_type(atari.games(), list[str])


def programs() -> None:
    options = rl.DQNOptions(env_id=CARTPOLE, hidden_sizes=(32,), loss="huber", prioritized=True)
    assert_type(options.rounds, int)
    assert_type(replace(options, seed=2), rl.DQNOptions)
    main = rl.DQN(options)
    assert_type(rr.run(main, workers=2, fast=True), rr.RunReport)
    assert_type(main.options, rl.DQNOptions)
    assert_type(main.spaces, rl.Spaces)
    assert_type(main.rollouts, rr.Bank[rl.Rollout])
    assert_type(main.replay, rl.ReplayBuffer | rl.PrioritizedReplayBuffer)
    assert_type(main.replay.memory.nbytes, int)
    assert_type(main.episodes, rl.EpisodeLog)
    assert_type(main.episodes.returns, list[float])
    assert_type(main.episodes.lengths, list[int])
    assert_type(main.episodes.env_steps, int)
    assert_type(main.episodes.mean_return(last=10), float)
    assert_type(main.learner.round, int)
    assert_type(main.learner.latest, rl.Weights | None)
    if main.learner.latest is not None:
        assert_type(rl.weights_sha256(main.learner.latest), str)
        assert_type(main.evaluate(main.learner.latest, episodes=3, seed=1), list[float])
    assert_type(main.greedy_policy(), rl.Greedy)
    assert_type(main.gate.hook, Callable[[], None] | None)
    assert_type(main.state_dict(), dict[str, Any])

    ppo = rl.PPO(rl.PPOOptions(num_envs=8, target_kl=0.02))
    assert_type(ppo.options, rl.PPOOptions)
    assert_type(ppo.options.minibatch_size, int)
    assert_type(ppo.rollouts[0].env_steps, int)
    assert_type(ppo.learner.latest, rl.Weights | None)
    assert_type(ppo.learner.network.training, bool)
    assert_type(ppo.greedy_policy(), rl.Policy)
    assert_type(rl.A2C(rl.A2COptions(seed=3)).options, rl.A2COptions)

    a3c = rl.A3C(rl.A3COptions(sync_every=8))
    assert_type(a3c.learner.lags, list[int])
    assert_type(a3c.rollouts[0].path, str)
    table = rl.QLearning(rl.QLearningOptions(kind="table"))
    assert_type(table.learner.latest, rl.Weights | None)
    best = rl.TabularModel.of("FrozenLake-v1").optimal_q(0.9, sweeps=100)
    assert_type(best, NDArray[np.float64])

    cars = rl.MultiAgentPPO(rl.MultiAgentPPOOptions(num_envs=2))
    assert_type(cars.episodes.agent_returns, list[list[float]])
    assert_type(cars.episodes.success_rate(), float)
    acting = rl.MultiAgentInference(rl.MultiAgentInferenceOptions(num_agents=5))
    assert_type(acting.env.episode_returns, list[float])
    assert_type(acting.env.actions_sha256, str)
    assert_type(len(acting.policies), int)


def trained() -> None:
    how = RunOptions(workers=2, log_dir=Path("runs"), log_names="sb3")
    run = train("ppo", rl.PPOOptions(), how, say=print)
    assert_type(run, TrainingRun)
    assert_type(run.algorithm, rl.Algorithm)
    assert_type(run.algorithm.options, rl.Options)
    assert_type(run.algorithm.episodes.returns, list[float])
    assert_type(run.weights, rl.Weights)
    assert_type(run.report, rr.RunReport | None)
    assert_type(run.mean, float)
    assert_type(run.folder, Path)


def remembered(trajectory: rl.Trajectory) -> None:
    assert_type(trajectory.rewards, NDArray[np.float32])
    assert_type(trajectory.ended, NDArray[np.bool_])
    assert_type(len(trajectory), int)
    rng = np.random.default_rng(1)
    memory = rl.ReplayMemory(1_000, obs_shape=(4,), n_lanes=2, n_step=3)
    memory.add(trajectory, first_lane=1)
    assert_type(memory.obs_shape, tuple[int, ...])
    batch = memory.sample(32, rng)
    assert_type(batch, rl.Batch)
    assert_type(batch.discounts, NDArray[np.float32])
    assert_type(batch.weights, NDArray[np.float32] | None)
    prioritized = rl.PrioritizedReplayMemory(alpha=0.5, capacity=1_000, obs_shape=(4,))
    indices = prioritized.sample(32, rng, beta=0.4).indices
    assert_type(indices, NDArray[np.int64] | None)
    if indices is not None:
        found = rl.Priorities(indices, np.ones(len(indices)))
        assert_type(prioritized.update(found), int)
    assert_type(prioritized.max_priority, float)
    advantages = rl.gae(
        trajectory.rewards,
        trajectory.rewards,
        trajectory.rewards,
        terminated=trajectory.terminated,
        truncated=trajectory.truncated,
        gamma=0.99,
        gae_lambda=0.95,
    )
    assert_type(advantages, NDArray[np.float32])


@dataclass(frozen=True, kw_only=True)
class CrossEntropyOptions(rl.Options):
    """A program of the user's own: a linear policy, and the best of several that it draws."""

    spread: float = 0.5
    buffer_size: int = 10_000


class Linear:
    """A policy: what has `start` and `act`."""

    def start(
        self,
        weights: rl.Weights,
        shape: tuple[int, int],
        env_steps: int,
        rng: np.random.Generator,
    ) -> None:
        self.matrix = weights["matrix"] + rng.normal(size=(4, 2))

    def act(self, step: int, obs: NDArray[Any]) -> NDArray[np.int64]:
        return (obs @ self.matrix).argmax(axis=1)


class CrossEntropyLearner(rr.Reactor):
    trajectories: Final = rr.Input[rl.Trajectory](width="n")
    batch = rr.Input[rl.Batch]()
    weights = rr.Output[rl.Weights]()
    metrics = rr.Output[dict[str, float]]()

    def __init__(self, n: int, options: CrossEntropyOptions) -> None:
        self.n = n
        self.options = options
        self.latest: rl.Weights = {"matrix": np.zeros((4, 2), np.float32)}

    @rr.reaction(rr.startup, effects=weights)
    def start(self) -> None:
        self.weights.set(self.latest)

    @rr.reaction(trajectories, uses=batch, effects=[weights, metrics])
    def learn(self) -> None:
        assert_type(self.batch.value, rl.Batch)
        for channel in self.trajectories.present():
            assert_type(channel.value, rl.Trajectory)
            assert_type(channel.value.episode_returns, NDArray[np.float64])
        self.metrics.set({"losses/spread": self.options.spread})
        self.weights.set(self.latest)


class CrossEntropy(rl.Algorithm):
    learner: CrossEntropyLearner

    def __init__(self, options: CrossEntropyOptions = CrossEntropyOptions()) -> None:
        self.options = options
        n, make_env = options.rollouts, rl.env_maker(options.env_id)
        spaces = rl.probe(make_env)
        assert_type(spaces.n_actions, int)
        self.rollouts = rr.Bank(
            n, rl.Rollout, make_env, Linear, num_envs=1, steps=options.num_steps, seed=options.seed
        )
        self.replay = rl.ReplayBuffer(
            n,
            batch_rows=32,
            learning_starts=100,
            seed=options.seed,
            capacity=options.buffer_size,
            obs_shape=spaces.obs_shape,
        )
        self.learner = CrossEntropyLearner(n, options)
        self.episodes = rl.EpisodeLog(n)
        self.gate = rl.Gate()
        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.replay.trajectories)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)
        self.connect(self.replay.batch, self.learner.batch)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)

    def greedy_policy(self) -> rl.Policy:
        return Linear()


class Watch(rl.EpisodeLog):
    """A part of the library, with a reaction of the user's own."""

    @rr.reaction(rl.EpisodeLog.trajectories)
    def look(self) -> None:
        assert_type(self.trajectories[0].value, rl.Trajectory)
        assert_type(self.metrics_now, dict[str, float])


def tested() -> None:
    trace = record_trace(CrossEntropy, values=True, workers=2)
    assert_type(trace, Trace)
    assert_type(trace.rows, tuple[TraceRow, ...])
    with Simulation(Watch(2)) as simulation:
        assert_type(simulation.clock, VirtualClock)
        assert_type(simulation.run(), list[Step])
        assert_type(simulation.trace(), Trace)
