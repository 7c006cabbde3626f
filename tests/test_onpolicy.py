"""PPO, A2C and A3C: advantages and losses by hand, equal bits, resumed runs, what is refused."""

import math

import gymnasium as gym
import numpy as np
import pytest

import reactorrl as rr
from reactorrl import rl
from reactorrl.testing import assert_deterministic

torch = pytest.importorskip("torch")

from reactorrl.rl.networks import ActorCritic, Flat, weights_of  # noqa: E402 - needs torch
from reactorrl.rl.onpolicy import (  # noqa: E402
    Experience,
    actor_critic_losses,
    explained_variance,
)
from reactorrl.rl.ppo import ppo_losses  # noqa: E402

FEATURES = rl.Spaces((3,), np.dtype(np.float32), 2, 0)


# Advantages


def naive_gae(rewards, values, next_values, terminated, truncated, gamma, gae_lambda):
    """Each advantage as the sum of its own, of one env."""
    advantages = []
    for start in range(len(rewards)):
        total, weight = 0.0, 1.0
        for step in range(start, len(rewards)):
            follows = 0.0 if terminated[step] else gamma * next_values[step]
            total += weight * (rewards[step] + follows - values[step])
            weight *= gamma * gae_lambda
            if terminated[step] or truncated[step]:
                break
        advantages.append(total)
    return advantages


def test_gae_of_numpys_numbers_is_that_of_pythons():
    rewards, values, next_values = np.random.default_rng(5).normal(size=(3, 9, 2)).astype("f4")
    ends = {name: np.zeros((9, 2), np.bool_) for name in ("terminated", "truncated")}

    def advantages(gamma, gae_lambda):
        return rl.gae(rewards, values, next_values, gamma=gamma, gae_lambda=gae_lambda, **ends)

    got = advantages(np.float64(0.9), np.float64(0.8))
    assert got.dtype == np.float32
    assert np.array_equal(got, advantages(0.9, 0.8))


@pytest.mark.parametrize(("gamma", "gae_lambda"), [(0.9, 0.8), (0.99, 1.0), (1.0, 0.0)])
def test_gae_is_the_sum_of_discounted_errors_up_to_the_end_of_the_episode(gamma, gae_lambda):
    rng = np.random.default_rng(5)
    rewards, values, next_values = rng.normal(size=(3, 30, 4)).astype(np.float32)
    terminated, truncated = rng.random((2, 30, 4)) < 0.15
    assert (terminated & truncated).any()
    got = rl.gae(
        rewards,
        values,
        next_values,
        terminated=terminated,
        truncated=truncated,
        gamma=gamma,
        gae_lambda=gae_lambda,
    )
    assert got.dtype == np.float32
    for env in range(4):
        columns = (rewards, values, next_values, terminated, truncated)
        expected = naive_gae(*(each[:, env] for each in columns), gamma, gae_lambda)
        assert got[:, env] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("terminated", "truncated", "follows", "expected"),
    [
        (False, False, 5, 1 + 2 + 7 - 3),
        (True, False, 20, 1 - 3),
        (False, True, 20, 1 + 20 - 3),
        (True, True, 20, 1 - 3),
    ],
)
def test_what_follows_the_end_of_an_episode(terminated, truncated, follows, expected):
    """Nothing if it terminated, the value of its final observation if it was cut off."""
    got = rl.gae(
        np.array([[1], [2]], np.float32),
        np.array([[3], [5]], np.float32),
        np.array([[follows], [7]], np.float32),
        terminated=np.array([[terminated], [False]]),
        truncated=np.array([[truncated], [False]]),
        gamma=1.0,
        gae_lambda=1.0,
    )
    assert got.ravel().tolist() == [expected, 2 + 7 - 5]


def trajectory(first, steps, ends):
    """Envs whose observation is a running number, from `first[env]`; `ends`: (step, env, kind)."""
    n = len(first)
    obs = np.array(first) + np.arange(steps + 1)[:, np.newaxis] * 1.0
    terminated, truncated = np.zeros((2, steps, n), bool)
    for step, env, kind in ends:
        (terminated if kind == "terminated" else truncated)[step, env] = True
    ended = terminated | truncated
    final = [[1000 + obs[step, env]] for step, env in np.argwhere(ended)]
    return rl.Trajectory(
        obs=obs[:-1, :, np.newaxis].astype(np.float32),
        actions=obs[:-1].astype(np.int64),
        rewards=obs[:-1].astype(np.float32),
        terminated=terminated,
        truncated=truncated,
        last_obs=obs[-1][:, np.newaxis].astype(np.float32),
        final_obs=np.array(final, np.float32).reshape(-1, 1),
        episode_returns=np.empty(0),
        episode_lengths=np.empty(0, np.int64),
    )


def test_experience_of_several_rollouts_is_that_of_all_their_envs():
    """Values are the observations: what follows each step is found for each env of each rollout."""
    ends = [(1, 0, "truncated"), (2, 1, "terminated"), (3, 1, "truncated")]
    parts = [
        trajectory([10, 20], 4, ends),
        trajectory([30], 4, []),
        trajectory([40, 50], 4, [(0, 1, "truncated"), (0, 0, "truncated")]),
    ]
    experience = Experience(parts, torch.device("cpu"))
    by_step = experience.obs.reshape(4, 5)
    assert by_step[1].tolist() == [11, 21, 31, 41, 51]
    assert experience.actions.reshape(4, 5)[3].tolist() == [13, 23, 33, 43, 53]
    got = experience.advantages(
        experience.obs.squeeze(1), experience.following.squeeze(1), gamma=1.0, gae_lambda=0.0
    ).reshape(4, 5)
    # reward + following value - value, where reward and value are equal
    expected = experience.obs.reshape(4, 5).numpy() + 1.0
    expected[1, 0], expected[2, 1], expected[3, 1] = 1011.0, 0.0, 1023.0
    expected[0, 4], expected[0, 3] = 1050.0, 1040.0
    assert got.tolist() == expected.tolist()


# Losses and gradients


@pytest.mark.parametrize("clip_vloss", [True, False])
def test_ppo_losses_by_hand(clip_vloss):
    """Two steps: the first ratio is clipped, the second is not; likewise the two values."""
    p = 1 / (1 + math.exp(-1.0))  # logits (1, 0)
    losses = ppo_losses(
        torch.tensor([[1.0, 0.0], [1.0, 0.0]]),
        torch.tensor([3.0, 5.0]),
        actions=torch.tensor([0, 1]),
        old_log_probs=torch.tensor([math.log(p) - math.log(2.0), math.log(1 - p)]),
        old_values=torch.tensor([1.0, 5.1]),
        advantages=torch.tensor([10.0, -4.0]),
        returns=torch.tensor([4.0, 4.0]),
        options=rl.PPOOptions(clip_vloss=clip_vloss),
    )
    assert losses.policy.item() == pytest.approx(-(10.0 * 1.2 - 4.0) / 2)
    squares = ((1.2 - 4.0) ** 2 if clip_vloss else 1.0) + 1.0
    assert losses.value.item() == pytest.approx(0.5 * squares / 2)
    assert losses.entropy.item() == pytest.approx(-p * math.log(p) - (1 - p) * math.log(1 - p))
    assert losses.log_ratio.tolist() == pytest.approx([math.log(2.0), 0.0], abs=1e-6)


def test_the_surrogate_is_the_smaller_of_both():
    """A bad action whose probability has grown is held against the policy in full."""
    losses = ppo_losses(
        torch.zeros(1, 2),
        torch.zeros(1),
        actions=torch.tensor([0]),
        old_log_probs=torch.tensor([math.log(0.25)]),
        old_values=torch.zeros(1),
        advantages=torch.tensor([-3.0]),
        returns=torch.zeros(1),
        options=rl.PPOOptions(clip_vloss=False),
    )
    assert losses.policy.item() == pytest.approx(6.0)


@pytest.mark.parametrize("clip_vloss", [True, False])
def test_the_derivatives_of_the_ppo_loss_are_those_that_autograd_finds(clip_vloss):
    """With steps of every kind: ratios and values on both sides of what is clipped."""
    options = rl.PPOOptions(clip_vloss=clip_vloss, ent_coef=0.3, vf_coef=0.7)
    generator = torch.Generator().manual_seed(8)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    logits, values = normal(500, 3).requires_grad_(), normal(500).requires_grad_()
    actions = torch.randint(3, (500,), generator=generator)
    log_probs = logits.log_softmax(1)[torch.arange(500), actions]
    old_log_probs, old_values = (each.detach() + 0.3 * normal(500) for each in (log_probs, values))
    advantages, returns = normal(500), normal(500)

    ratio = (log_probs - old_log_probs).exp()
    policy = -torch.min(advantages * ratio, advantages * ratio.clamp(0.8, 1.2)).mean()
    square = (values - returns) ** 2
    if clip_vloss:
        near = old_values + (values - old_values).clamp(-0.2, 0.2)
        square = torch.max(square, (near - returns) ** 2)
    entropy = torch.distributions.Categorical(logits=logits).entropy().mean()
    loss = policy - 0.3 * entropy + 0.7 * 0.5 * square.mean()
    loss.backward()

    losses = ppo_losses(
        logits,
        values,
        actions=actions,
        old_log_probs=old_log_probs,
        old_values=old_values,
        advantages=advantages,
        returns=returns,
        options=options,
    )
    assert (losses.policy - 0.3 * losses.entropy + 0.7 * losses.value).item() == pytest.approx(
        loss.item()
    )
    assert losses.by_logits.numpy() == pytest.approx(logits.grad.numpy(), abs=1e-9)
    assert losses.by_values.numpy() == pytest.approx(values.grad.numpy(), abs=1e-9)
    assert (losses.by_values == 0).any() == clip_vloss


def network_of(seed=3):
    return ActorCritic(FEATURES, (8,), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bound", [1e-3, 1e3])
def test_the_flat_gradient_is_the_gradient_with_its_norm_bounded(bound):
    network, other = network_of(), network_of()
    obs = torch.arange(12.0).reshape(4, 3)
    gradient = Flat(network).gradient(bound, [sum(out.square().mean() for out in network(obs))])
    sum(out.square().mean() for out in other(obs)).backward()
    torch.nn.utils.clip_grad_norm_(other.parameters(), bound)
    expected = torch.cat([p.grad.flatten() for p in other.parameters()])
    assert gradient.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert gradient.norm().item() <= bound * 1.001


def test_actor_critic_losses_by_hand():
    """Of one env and two steps, of which the second ends the episode; V = 3 and p = 1/3 always."""

    def network(obs):
        return torch.zeros(len(obs), 3), torch.full((len(obs),), 3.0)

    loss, metrics = actor_critic_losses(
        network,
        Experience([trajectory([1], 2, [(1, 0, "terminated")])], torch.device("cpu")),
        rl.A2COptions(gamma=0.5, ent_coef=0.1, vf_coef=0.25),
    )
    errors = [1 + 0.5 * 2 - 3, 2 - 3]  # rewards are 1 and 2
    policy = math.log(3) * sum(errors) / 2
    value = (errors[0] ** 2 + errors[1] ** 2) / 2
    assert metrics["losses/policy_loss"] == pytest.approx(policy)
    assert metrics["losses/value_loss"] == pytest.approx(value)
    assert metrics["losses/entropy"] == pytest.approx(math.log(3))
    assert loss.item() == pytest.approx(policy - 0.1 * math.log(3) + 0.25 * value)


def test_a_flattened_networks_parameters_are_views():
    network, other = network_of(), network_of()
    flat = Flat(network)
    assert len(flat.vector) == sum(p.numel() for p in other.parameters())
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
    with torch.no_grad():
        flat.vector.mul_(2.0)
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, 2.0 * two)
    weights, digest = flat.weights(), rl.weights_sha256(weights_of(network))
    assert not any(array.flags.writeable for array in weights.values())
    with torch.no_grad():
        flat.vector.zero_()
    assert rl.weights_sha256(weights) == digest, "they are copies"


def test_explained_variance():
    returns = torch.tensor([1.0, 2.0, 3.0])
    name = "losses/explained_variance"
    assert explained_variance(returns, returns) == {name: 1.0}
    assert explained_variance(torch.zeros(3), returns) == {name: 0.0}
    assert explained_variance(returns, torch.ones(3)) == {}, "there is nothing to explain"
    assert explained_variance(torch.zeros(1), torch.ones(1)) == {}, "one has no variance"


# The programs


class Picture(gym.Env):
    """Images whose brightness is the time; the episode ends after nine steps, or raises."""

    observation_space = gym.spaces.Box(0, 255, (2, 40, 36), np.uint8)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, raises_at=None):
        self.raises_at, self.episode = raises_at, 0

    def _obs(self):
        return np.full(self.observation_space.shape, self.time, np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.time = self.episode + 1, 0
        return self._obs(), {}

    def step(self, action):
        self.time += 1
        if (self.episode, self.time) == self.raises_at:
            raise RuntimeError("the picture is torn")
        return self._obs(), float(action), self.time == 9, False, {}


class Bytes(Picture):
    observation_space = gym.spaces.Box(0, 255, (5,), np.uint8)


gym.register("Bytes-v0", entry_point=Bytes)
gym.register("Picture-v0", entry_point=Picture)
gym.register("TornPicture-v0", entry_point=Picture, kwargs={"raises_at": (4, 5)})


PROGRAMS = {
    "ppo": (rl.PPO, rl.PPOOptions, {"total_timesteps": 1_000, "num_steps": 64}),
    "a2c": (rl.A2C, rl.A2COptions, {"total_timesteps": 1_000}),
    "a3c": (rl.A3C, rl.A3COptions, {"total_timesteps": 600, "num_envs": 4, "sync_every": 8}),
}


def make(kind, **options):
    program, its_options, short = PROGRAMS[kind]
    return program(its_options(**{**short, **options}))


def digest(main):
    return (
        rl.weights_sha256(main.learner.latest),
        main.episodes.returns,
        sorted(main.episodes.metrics_now.items()),
    )


@pytest.fixture(params=PROGRAMS)
def kind(request):
    return request.param


def test_equal_bits_for_any_number_of_workers_and_any_speed(kind):
    """And the same as without the delays."""
    report = assert_deterministic(lambda: make(kind), workers=(1, 2, 4), digest=digest)
    main = make(kind)
    assert rr.run(main, workers=2, fast=True).trace_hash == report.trace_hash
    assert len(main.episodes.returns) > 10


IMAGES = {"num_steps": 8, "num_envs": 2, "env_id": "Picture-v0"}


def test_features_may_be_bytes(kind):
    main = make(kind, env_id="Bytes-v0", num_steps=16, total_timesteps=300)
    rr.run(main, workers=1, fast=True)
    assert main.learner.latest["actor.0.weight"].shape == (64, 5)
    assert main.episodes.mean_return() > 9 * 0.7, "at random it is 9"


def test_a_round_may_be_a_single_step(kind):
    options = {"num_envs": 2, "num_steps": 1, "total_timesteps": 40}
    if kind != "a3c":  # there each of the two actor-learners has one env
        options["num_envs"] = 1
    if kind == "ppo":
        options |= {"num_minibatches": 1, "norm_adv": False}
    main = make(kind, **options, **({"sync_every": 0} if kind == "a3c" else {}))
    rr.run(main, workers=1, fast=True)
    assert main.options.steps_per_round == 1
    assert main.learner.round == 40
    assert "losses/explained_variance" not in main.episodes.metrics_now


def test_images_give_equal_bits_too(kind):
    options = {**IMAGES, "total_timesteps": 100, "sync_every": 0}
    if kind != "a3c":
        del options["sync_every"]
    report = assert_deterministic(lambda: make(kind, **options), workers=(1, 2), digest=digest)
    main = make(kind, **options)
    assert rr.run(main, workers=2, fast=True).trace_hash == report.trace_hash
    assert set(main.episodes.lengths) == {9}
    assert main.learner.latest["features.0.weight"].shape == (32, 2, 8, 8)


def test_an_env_that_raises_ends_the_run_in_the_same_way_each_time(kind):
    def run():
        assert_deterministic(
            lambda: make(kind, **{**IMAGES, "env_id": "TornPicture-v0"}), workers=(1, 2)
        )

    with pytest.raises(rr.ReactionError, match="the picture is torn") as caught:
        run()
    assert ".rollouts[" in caught.value.reaction
    assert any("seeded with" in note for note in caught.value.__cause__.__notes__)


def test_other_seeds_give_other_bits(kind):
    runs = [make(kind, seed=seed) for seed in (1, 2, 1)]
    for main in runs:
        rr.run(main, workers=1, fast=True)
    one, two, again = map(digest, runs)
    assert one == again
    assert one[0] != two[0]


def states_of(main):
    """Let a program keep its state before each round."""
    states = []
    main.gate.hook = lambda: states.append(main.state_dict())
    return states


def test_a_resumed_run_goes_on_to_the_last_bit(kind):
    whole = make(kind)
    states = states_of(whole)
    rr.run(whole, workers=2, fast=True)
    assert len(states) >= 3
    for state in (states[0], states[2]):
        resumed = make(kind)
        resumed.load_state_dict(state)
        rr.run(resumed, workers=1, fast=True)
        assert digest(resumed) == digest(whole)
    assert whole.state_dict()["learner"]["round"] == whole.learner.round == whole.learner.rounds


def test_a_loss_that_is_not_finite_stops_the_run(kind):
    main = make(kind, learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(rr.ReactionError, match="learning diverged") as caught:
        rr.run(main, workers=1, fast=True)
    assert isinstance(caught.value.__cause__, FloatingPointError)


def test_ppo_takes_env_steps_in_whole_rounds():
    main = make("ppo", total_timesteps=600)
    report = rr.run(main, workers=1, fast=True)
    assert main.episodes.env_steps == 3 * 256
    assert report.reaction_counts["PPO.learner.learn"] == 3
    assert {name for name in main.episodes.metrics_now if name.startswith("losses/")} == {
        "losses/policy_loss", "losses/value_loss", "losses/entropy", "losses/old_approx_kl",
        "losses/approx_kl", "losses/clipfrac", "losses/explained_variance",
    }  # fmt: skip
    assert main.episodes.metrics_now["charts/learning_rate"] == pytest.approx(2.5e-4 / 3)


def test_ppo_begins_with_the_acting_policy():
    """One epoch of one minibatch: nothing has moved yet when the losses are computed."""
    main = make("ppo", total_timesteps=1, update_epochs=1, num_minibatches=1)
    rr.run(main, workers=1, fast=True)
    metrics = main.episodes.metrics_now
    assert metrics["losses/approx_kl"] == pytest.approx(0.0, abs=1e-7)
    assert metrics["losses/clipfrac"] == 0.0
    assert metrics["losses/policy_loss"] == pytest.approx(0.0, abs=1e-6), "advantages of mean 0"


def test_ppo_stops_a_round_once_the_policy_has_moved_far_enough():
    """The first epoch is the last, for a bound that any step exceeds."""
    steps = {}
    for target_kl in (None, 1e-9):
        main = make("ppo", target_kl=target_kl)
        rr.run(main, workers=1, fast=True)
        (state,) = main.state_dict()["learner"]["optimizer"]["state"].values()
        steps[target_kl] = float(state["step"])
    assert steps == {None: 4 * 4 * 4, 1e-9: 4 * 4}


@pytest.mark.parametrize(
    ("kind", "options", "floor"),
    [
        ("ppo", {"total_timesteps": 25_000, "num_steps": 128, "learning_rate": 1e-3}, 100),
        ("a2c", {"total_timesteps": 20_000}, 80),
        ("a3c", {"total_timesteps": 20_000, "num_envs": 8, "sync_every": 0}, 100),
    ],
)
def test_learning(kind, options, floor):
    """At random an episode lasts about 20 steps."""
    main = make(kind, **options)
    rr.run(main, workers=2, fast=True)
    assert main.episodes.mean_return(20) > floor


def test_the_greedy_policy_takes_the_likeliest_action(kind):
    main = make(kind)
    rr.run(main, workers=1, fast=True)
    policy = main.greedy_policy()
    policy.start(main.learner.latest, (1, 5), 0, np.random.default_rng(0))
    obs = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    logits = main.learner.network(torch.tensor(obs))[0]
    assert policy.act(0, obs).tolist() == logits.argmax(1).tolist()


def test_the_parts_of_a_program_have_the_names_that_tools_expect(kind):
    main = make(kind)
    parts = {"learner", "episodes", *(f"rollouts[{index}]" for index in range(4))}
    rr.run(main, workers=1, fast=True)
    assert set(main.state_dict()) == parts
    assert isinstance(main.gate, rl.Gate)
    assert isinstance(main.episodes, rl.EpisodeLog)
    name = type(main).__name__
    graph = rr.Program(make(kind), workers=1, fast=True).graph.to_mermaid()
    assert all(part in graph for part in (name, "rollouts", "learner", "gate", "episodes"))


class Scalars:
    """Keeps what a program reports."""

    def __init__(self, main):
        self.rows = []
        main.episodes.sinks.append(self)

    def write(self, env_steps, scalars):
        self.rows.append(scalars)

    def of(self, name):
        return [scalars[name] for scalars in self.rows if name in scalars]


def test_a3c_knows_how_stale_each_gradient_is():
    """Each misses the three others' on average, some fewer and some more: they do interleave."""
    main = make("a3c", total_timesteps=4_000, sync_every=0)
    scalars = Scalars(main)
    rr.run(main, workers=1, fast=True)
    lags = {name: scalars.of(f"train/version_diff_{name}") for name in ("min", "avg", "max")}
    assert len(lags["avg"]) == 200 / 4
    assert np.mean(lags["avg"]) == pytest.approx(3.0, abs=0.2)
    assert min(lags["min"]) < 3 < max(lags["max"])
    assert all(low <= mean <= high for low, mean, high in zip(*lags.values(), strict=True))


def test_a3c_with_one_actor_learner_is_a2c():
    """Nobody else changes the weights meanwhile, so that every gradient is fresh."""
    options = {
        "num_rollouts": 1,
        "num_steps": 10,
        "total_timesteps": 1_000,
        "anneal_lr": True,
        "ent_coef": 0.01,
        "num_envs": 2,
    }
    asynchronous, synchronous = make("a3c", sync_every=0, **options), make("a2c", **options)
    scalars = Scalars(asynchronous)
    rr.run(asynchronous, workers=1, fast=True)
    rr.run(synchronous, workers=1, fast=True)
    assert asynchronous.episodes.returns == synchronous.episodes.returns
    for name, array in asynchronous.learner.latest.items():
        assert array == pytest.approx(synchronous.learner.latest[name], abs=1e-6)
    assert set(scalars.of("train/version_diff_max")) == {0}


def test_a3c_synchronises_where_asked_and_ends_with_nothing_under_way():
    main = make("a3c", total_timesteps=500, anneal_lr=True)  # 25 rounds, in threes of eight and one
    rounds, scalars = [], Scalars(main)
    main.gate.hook = lambda: rounds.append(main.learner.round)
    rr.run(main, workers=2, fast=True)
    assert rounds == [0, 8, 16, 24]
    assert main.learner.round == 28, "all four had been sent the weights of round 24"
    assert scalars.of("charts/learning_rate")[-1] == 0.0, "and not below"
    assert main.episodes.env_steps == 28 * 20
    assert sum(member.env_steps for member in main.rollouts) == 28 * 20


def test_a3c_runs_its_actor_learners_on_time_lines_of_their_own():
    report = rr.run(make("a3c"), workers=1, fast=True)
    assert [enclave.path for enclave in report.enclaves] == [
        "A3C", *(f"A3C.rollouts[{index}]" for index in range(4)),
    ]  # fmt: skip
    assert {enclave.stop_tag for enclave in report.enclaves} == {report.stop_tag}
    assert report.stop_tag.time > 30 / 4 * rr.msec(1), "four at once, each a millisecond or more"


@pytest.mark.parametrize("sync_every", [-1, 1, 3])
def test_a3c_refuses_to_wait_for_fewer_gradients_than_are_under_way(sync_every):
    with pytest.raises(ValueError, match=f"sync_every={sync_every}: must be 0, or at least"):
        rl.A3COptions(sync_every=sync_every)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_minibatches": 3}, "num_minibatches=3: must divide the batch"),
        ({"num_minibatches": 0}, "num_minibatches=0: must be at least 1"),
        ({"num_minibatches": 512}, "num_minibatches=512: a minibatch of one step"),
        ({"update_epochs": 0}, "update_epochs=0: must be at least 1"),
        ({"clip_coef": 0.0}, "clip_coef=0.0: must be positive"),
        ({"target_kl": -1.0}, "target_kl=-1.0: must be positive, or None"),
        ({"gamma": 1.5}, "gamma=1.5: must be from 0 to 1"),
        ({"gae_lambda": -0.1}, "gae_lambda=-0.1: must be from 0 to 1"),
        ({"gae_lambda": math.nan}, "gae_lambda=nan: must be from 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: must be positive"),
        ({"max_grad_norm": 0.0}, "max_grad_norm=0.0: must be positive"),
        ({"hidden_sizes": (64, 0)}, r"hidden_sizes=\(64, 0\): each must be at least 1"),
        ({"num_rollouts": 3}, "num_rollouts=3: must divide num_envs=4"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        rl.PPOOptions(**options)
