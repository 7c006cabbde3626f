"""`ReactorVectorEnv` is `SyncVectorEnv`, element for element, whatever the threads do."""

import gc
import os
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ClosedEnvironmentError, NameNotFound, ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import vector as vector_wrappers
from vector_envs import SPACES, Bare, Gate, Probe, assert_same

import reactorrl as rr
from reactorrl.vector import ReactorVectorEnv

ROOT = Path(__file__).resolve().parents[1]
MODES = list(AutoresetMode)
N = 5
BOUND_S = 20

pytestmark = pytest.mark.filterwarnings("ignore:reactorrl. the GIL", "ignore:.*Box observation")


def make_fns(n=N, **options):
    return [lambda k=k: Probe(k, **options) for k in range(n)]


@pytest.fixture
def make():
    """`make(env_fns, **options)`: a vector env that is closed afterwards."""
    made = []

    def make_one(env_fns, **options):
        made.append(ReactorVectorEnv(env_fns, **options))
        return made[-1]

    yield make_one
    for envs in made:
        envs.close()


def both(make, env_fns, workers=2, **options):
    """The reference and ours, of the same envs."""
    return SyncVectorEnv(env_fns, **options), make(env_fns, workers=workers, **options)


def compare(sync, ours, seed, steps=15, options=None):
    """The same calls of both give the same."""
    given = [None if options is None else dict(options) for _ in range(2)]
    assert_same(sync.reset(seed=seed, options=given[0]), ours.reset(seed=seed, options=given[1]))
    sync.action_space.seed(7)
    for k in range(steps):
        actions = sync.action_space.sample()
        assert_same(sync.step(actions), ours.step(actions))
        over = sync._autoreset_envs
        if sync.autoreset_mode is AutoresetMode.DISABLED and over.any():
            masks = [{"reset_mask": over.copy(), "level": k} for _ in range(2)]
            assert_same(sync.reset(options=masks[0]), ours.reset(options=masks[1]))
            assert set(masks[1]) == {"reset_mask", "level"}


# -- parity


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("space", SPACES)
def test_it_equals_the_sync_vector_env(make, workers, space, mode):
    """Observations, rewards, flags and infos, with their types, over episodes and seeds."""
    sync, ours = both(make, make_fns(obs=SPACES[space]), workers, autoreset_mode=mode)
    for seed in (3, [1, None, 5, 5, 2]):
        if seed == [1, None, 5, 5, 2]:
            sync.reset(seed=9), ours.reset(seed=9)  # so that None goes on from something known
        compare(sync, ours, seed)
    assert sync.np_random_seed == ours.np_random_seed


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("space", SPACES)
def test_actions_reach_the_envs_as_from_the_sync_vector_env(make, space, mode):
    """Each env sees an action of the same value, type and dtype."""
    fns = make_fns(action=SPACES[space])
    sync, ours = both(make, fns, autoreset_mode=mode)
    compare(sync, ours, 1, steps=10)
    assert_same(sync.get_attr("last_action"), ours.get_attr("last_action"))


@pytest.mark.parametrize("actions", [[0, 1, 2, 0, 1], (0, 1, 2, 0, 1), np.int8([0, 1, 2, 0, 1])])
def test_actions_may_be_sequences_and_of_other_dtypes(make, actions):
    sync, ours = both(make, make_fns())
    sync.reset(seed=1), ours.reset(seed=1)
    assert_same(sync.step(actions), ours.step(actions))
    assert_same(sync.get_attr("last_action"), ours.get_attr("last_action"))


@pytest.mark.parametrize("n", [1, 2, 3, 16])
def test_any_number_of_envs_on_any_number_of_workers(make, workers, n):
    sync, ours = both(make, make_fns(n), workers)
    compare(sync, ours, 11)
    assert ours.workers == min(workers, n)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_long_steps_are_shared_one_by_one_and_equal(make, workers, mode):
    """Some envs take longer than the bound from which threads take over single ones."""
    fns = make_fns(busy=(0, 400, 0, 0, 60))
    compare(*both(make, fns, workers, autoreset_mode=mode), 5, steps=15)


def test_a_limit_changes_no_result(make, workers):
    sync, ours = SyncVectorEnv(make_fns()), make(make_fns(), workers=workers, step_timeout=60)
    compare(sync, ours, 5)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Taxi-v4", "Pendulum-v1", "Blackjack-v1"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_registered_envs_equal_those_of_the_sync_vector_env(env_id, mode):
    sync = gym.make_vec(
        env_id, 4, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}
    )
    ours = rr.make_vec(env_id, 4, workers=2, autoreset_mode=mode)
    compare(sync, ours, 17, steps=60)
    assert ours.spec.id == sync.spec.id
    assert (ours.observation_space, ours.action_space) == (
        sync.observation_space,
        sync.action_space,
    )
    ours.close()


def test_attributes_are_those_of_a_vector_env(make):
    sync, ours = both(make, make_fns(), autoreset_mode="SameStep")
    assert isinstance(ours, VectorEnv)
    for name in (
        *("num_envs", "observation_space", "action_space", "single_observation_space"),
        *("single_action_space", "metadata", "render_mode", "spec", "closed"),
    ):
        assert getattr(ours, name) == getattr(sync, name), name
    assert ours.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert ours.unwrapped is ours
    assert str(ours) == "ReactorVectorEnv(num_envs=5)"


def test_metadata_is_of_the_instance(make):
    """One vector env's autoreset mode says nothing about another's, or a class's."""
    one = make(make_fns(), autoreset_mode="SameStep")
    other = make(make_fns())
    assert one.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert other.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert "autoreset_mode" not in Probe.metadata
    assert "autoreset_mode" not in VectorEnv.metadata


def test_a_reset_clears_what_was_to_be_reset(make):
    """After an explicit reset the first step is a step, also of an env that was over before."""
    sync, ours = both(make, make_fns(length=1))
    for envs in (sync, ours):
        envs.reset(seed=1)
        assert envs.step(np.zeros(N, int))[2].all()
        envs.reset(seed=1)
    result = ours.step(np.zeros(N, int))
    assert_same(sync.step(np.zeros(N, int)), result)
    assert (result[1] != 0).all()


def test_final_obs_is_a_copy(make):
    """An env that writes each observation into the same memory loses none."""
    sync = SyncVectorEnv(make_fns(), autoreset_mode="SameStep")
    ours = make(make_fns(reuse=True), autoreset_mode="SameStep")
    compare(sync, ours, 3)


# -- options


def test_copy_decides_whose_the_observations_are(make):
    ours = make(make_fns(obs=SPACES["Dict"]), copy=True)
    first, _ = ours.reset(seed=1)
    kept = {"box": first["box"].copy()}
    first["box"][...] = 0
    assert_same(ours.reset(seed=1)[0]["box"], kept["box"])
    shared = make(make_fns(obs=SPACES["Dict"]), copy=False)
    obs, _ = shared.reset(seed=1)
    later = shared.step(np.zeros(N, int))
    assert obs["box"] is later[0]["box"]
    rewards = later[1].copy()
    shared.step(np.ones(N, int))
    assert_same(later[1], rewards)


def test_different_observation_spaces(make):
    """With "different" bounds may differ, and the batched space says so; dtype and shape not."""

    def fns(*highs, **more):
        return [lambda h=h: Bare(spaces.Box(0, h, (2,), **more)) for h in highs]

    sync, ours = both(make, fns(1, 2, 3), observation_mode="different")
    assert ours.observation_space == sync.observation_space
    compare(sync, ours, 2, steps=3)
    with pytest.raises(RuntimeError, match=r"env 1 is Box\(0.0, 2.0.*different"):
        make(fns(1, 2))
    with pytest.raises(RuntimeError, match=r"env 1 .* shape and dtype"):
        make([*fns(1), *fns(1, dtype=np.float64)], observation_mode="different")
    given = (spaces.Box(0, 9, (2, 2)), spaces.Box(0, 9, (2,)))
    ours = make(fns(1, 2), observation_mode=given)
    assert (ours.observation_space, ours.single_observation_space) == given
    with pytest.raises(RuntimeError, match="action space of env 1"):
        make([lambda: Bare(actions=2), lambda: Bare(actions=3)])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"observation_mode": "some"}, ValueError, '"same", "different"'),
        ({"observation_mode": (1, 2)}, TypeError, "batched and the single space"),
        ({"autoreset_mode": "never"}, ValueError, "never"),
        ({"workers": 0}, ValueError, "workers=0"),
        ({"step_timeout": 0}, ValueError, "positive number of seconds"),
    ],
)
def test_wrong_options_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        ReactorVectorEnv(make_fns(), **options)


def test_wrong_env_fns_are_refused():
    with pytest.raises(ValueError, match="env_fns is empty"):
        ReactorVectorEnv([])
    with pytest.raises(TypeError, match=r"env_fns\[1\] is .*give a function that makes the env"):
        ReactorVectorEnv([Bare, Bare()])
    with pytest.raises(TypeError, match="observation_space of env 0 is 'none', not a gymnasium"):
        ReactorVectorEnv([lambda: Bare("none")])


def test_wrong_arguments_of_reset_and_step_are_refused(make):
    ours = make(make_fns())
    mask = np.zeros(N, bool)
    for seed, error in (([1, 2], ValueError), ("seed", TypeError), (1.5, TypeError)):
        with pytest.raises((error, ValueError)):
            ours.reset(seed=seed)
    for wrong, error, text in (
        ([True] * N, TypeError, "not a NumPy array"),
        (np.ones(N), TypeError, "dtype float64, not bool"),
        (np.ones(3, bool), ValueError, r"shape \(3,\), not \(5,\)"),
        (mask, ValueError, "names no env"),
    ):
        with pytest.raises(error, match=text):
            ours.reset(options={"reset_mask": wrong})
    ours.reset(seed=1)
    with pytest.raises(ValueError, match="got 3 actions for 5 envs"):
        ours.step(np.zeros(3, int))
    with pytest.raises(ValueError, match="2 values of 'x' for 5 envs"):
        ours.set_attr("x", [1, 2])


# -- other calls


def test_call_get_attr_set_attr(make, workers):
    """Results come in the order of the envs, from whatever wrapper has the name."""
    sync, ours = both(make, make_fns(), workers)
    assert ours.get_attr("number") == sync.get_attr("number") == tuple(range(N))
    assert ours.call("double", 3, plus=1) == sync.call("double", 3, plus=1)
    for envs in (sync, ours):
        envs.set_attr("number", 7)
    assert ours.get_attr("number") == sync.get_attr("number") == (7,) * N
    ours.set_attr("number", [5, 4, 3, 2, 1])
    assert ours.get_attr("number") == (5, 4, 3, 2, 1)
    with pytest.raises(AttributeError, match="nothing"):
        ours.get_attr("nothing")
    assert ours.get_attr("number") == (5, 4, 3, 2, 1)  # and it goes on


def test_render_returns_each_frame(make, workers):
    sync, ours = both(make, make_fns(render_mode="rgb_array"), workers)
    sync.reset(seed=1), ours.reset(seed=1)
    assert_same(sync.render(), ours.render())
    assert ours.render_mode == "rgb_array"


def test_vector_wrappers(make):
    """Gymnasium's wrappers see the same as around the reference."""

    def wrap(envs):
        envs = vector_wrappers.RecordEpisodeStatistics(envs)
        envs = vector_wrappers.FlattenObservation(envs)
        return vector_wrappers.ClipReward(envs, min_reward=-1.0, max_reward=1.0)

    sync, ours = map(wrap, both(make, make_fns(obs=SPACES["Dict"])))
    n_episodes = 0
    sync.reset(seed=1), ours.reset(seed=1)
    for _ in range(30):
        a, b = sync.step(np.zeros(N, int)), ours.step(np.zeros(N, int))
        for result in (a, b):
            result[4].get("episode", {}).pop("t", None)  # physical time
        assert_same(a, b)
        n_episodes += int(b[4].get("_episode", np.zeros(1)).sum())
    assert n_episodes >= N
    assert list(sync.env.env.return_queue) == list(ours.env.env.return_queue)


def test_a_partial_reset_keeps_the_statistics_of_the_others(make):
    """The mask is left in the caller's options, where the wrapper looks for it afterwards."""
    fns = [lambda k=k: Probe(k, length=k + 1) for k in range(2)]
    ours = vector_wrappers.RecordEpisodeStatistics(make(fns, autoreset_mode="Disabled"))
    ours.reset(seed=1)
    ours.step(np.zeros(2, int))
    ours.reset(options={"reset_mask": np.array([True, False])})
    _, _, over, _, infos = ours.step(np.zeros(2, int))
    assert over.tolist() == [True, True]
    assert infos["episode"]["l"].tolist() == [1, 2]


def test_dict_info_to_list(make):
    sync, ours = map(vector_wrappers.DictInfoToList, both(make, make_fns()))
    assert_same(sync.reset(seed=4), ours.reset(seed=4))
    for _ in range(5):
        assert_same(sync.step(np.zeros(N, int)), ours.step(np.zeros(N, int)))


# -- ids


def test_ids_are_registered_for_gymnasium():
    envs = gym.make_vec("reactorrl/CartPole-v1", 3, workers=2, autoreset_mode="SameStep")
    assert type(envs) is ReactorVectorEnv
    assert envs.spec.id == "reactorrl/CartPole-v1"
    assert envs.get_attr("spec")[0].max_episode_steps == 500
    assert (envs.workers, envs.autoreset_mode) == (2, AutoresetMode.SAME_STEP)
    reference = gym.make_vec(
        "CartPole-v1", 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": "SameStep"}
    )
    compare(reference, envs, 5)
    envs.close()
    limited = gym.make_vec("reactorrl/CartPole-v1", 2, max_episode_steps=3)
    limited.reset(seed=1)
    assert [limited.step(np.zeros(2, int))[3].tolist() for _ in range(3)][-1] == [True, True]
    limited.close()


@pytest.mark.parametrize(
    ("imports", "env_id"),
    [
        ("import reactorrl, importlib.util; assert importlib.util.find_spec('gymnasium');"
         "light = not {'numpy', 'gymnasium'} & {*sys.modules}; import gymnasium",
         "reactorrl/CartPole-v1"),
        ("import gymnasium; light = True", "reactorrl:reactorrl/CartPole-v1"),
    ],
    ids=["first", "last"],
)  # fmt: skip
def test_ids_are_there_in_whatever_order_one_imports(imports, env_id):
    """Nor does the package import Gymnasium; and a script that does not close them ends."""
    script = f"""import sys; n_finders = len(sys.meta_path); {imports}
envs = gymnasium.make_vec("{env_id}", 4, workers=3)
print(light, len(sys.meta_path) - n_finders, type(envs).__name__, envs.reset(seed=1)[0].shape)
envs.step(envs.action_space.sample())"""
    done = run_script(script)
    assert (done.stdout, done.stderr) == ("True 0 ReactorVectorEnv (4, 4)\n", "")
    assert done.returncode == 0


def run_script(text):
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_make_vec_takes_what_gymnasium_takes():
    """Module in the id, a spec, wrappers, arguments of the env and of the vector env."""
    for each in ("gymnasium:CartPole-v1", gym.spec("CartPole-v1"), "reactorrl/CartPole-v1"):
        envs = rr.make_vec(each, 2)
        assert envs.envs[0].spec.id == "CartPole-v1"
        envs.close()
    envs = rr.make_vec(
        "CartPole-v1",
        2,
        wrappers=[gym.wrappers.TimeAwareObservation],
        vector_kwargs={"copy": False},
        max_episode_steps=2,
        sutton_barto_reward=True,
    )
    assert envs.single_observation_space.shape == (5,)
    assert envs.copy is False
    assert envs.reset(seed=1)[0] is envs.step(np.zeros(2, int))[0]
    _, rewards, _, truncations, _ = envs.step(np.zeros(2, int))
    assert (rewards.tolist(), truncations.tolist()) == ([0.0, 0.0], [True, True])
    envs.close()


def test_make_vec_refuses_what_it_does_not_know():
    with pytest.raises(NameNotFound, match=r"CartPale.*CartPole"):
        rr.make_vec("CartPale-v1", 2)
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        rr.make_vec("nowhere:CartPole-v1", 2)
    with pytest.raises(TypeError, match=r"no 'speed'; there are .*step_timeout"):
        rr.make_vec("CartPole-v1", 2, vector_kwargs={"speed": 1})
    with pytest.raises(ValueError, match="num_envs=0"):
        rr.make_vec("CartPole-v1", 0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'gravty'") as caught:
        rr.make_vec("CartPole-v1", 2, gravty=1)
    assert caught.value.__notes__ == ["in env_fns of env 0 of 2 (seed None)"]


# -- failures


def test_an_env_that_raises_says_which_and_when(make, workers):
    """Its own error and traceback, with env, seed and step; `reset` begins anew."""
    ours = make(make_fns(raises=(None, None, 4, None, 4), length=99), workers=workers)
    ours.reset(seed=10)
    for _ in range(3):
        ours.step(np.zeros(N, int))
    with pytest.raises(ZeroDivisionError) as caught:
        ours.step(np.zeros(N, int))
    assert caught.value.__notes__ == [
        "in step of env 2 of 5 (seed 12), 4 steps after the reset of all"
    ]
    assert caught.traceback[-1].name == "fail"
    with pytest.raises(rr.PhaseError, match=r"env 2 of 5 .* raised ZeroDivisionError; reset"):
        ours.step(np.zeros(N, int))
    sync = SyncVectorEnv(make_fns(raises=(None, None, 4, None, 4), length=99))
    compare(sync, ours, 10, steps=3)


def test_an_env_that_raises_in_reset_or_when_made(make, workers):
    def fail():
        raise OSError("no such game")

    before = threading.active_count()
    with pytest.raises(OSError, match="no such game") as caught:
        ReactorVectorEnv([Bare, Bare, fail, fail], workers=workers)
    assert caught.value.__notes__ == ["in env_fns of env 2 of 4 (seed None)"]
    assert threading.active_count() == before
    ours = make([Bare, lambda: Bare(fails_reset=True)], workers=workers)
    with pytest.raises(RuntimeError, match="cannot reset") as caught:
        ours.reset(seed=3)
    assert caught.value.__notes__ == ["in reset of env 1 of 2 (seed 4)"]


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (np.zeros(3, np.float32), ValueError, r"the observation has shape \(3,\), .* \(2,\)"),
        (np.zeros(1, np.float32), ValueError, r"shape \(1,\)"),
        (
            np.zeros(2, np.complex64),
            TypeError,
            "dtype complex64, which does not become",
        ),
        ("text", ValueError, r"shape \(\)"),
    ],
)
def test_an_observation_that_does_not_fit_is_refused(make, workers, given, error, text):
    ours = make([Bare, lambda: Bare(obs=given)], workers=workers)
    with pytest.raises(error, match=text) as caught:
        ours.reset(seed=1)
    assert "in reset of env 1 of 2 (seed 2)" in caught.value.__notes__


def test_a_part_of_an_observation_that_does_not_fit_is_named(make):
    space = spaces.Dict(
        {"at": spaces.Box(0, 1, (2,)), "pair": spaces.Tuple([spaces.Discrete(3)] * 2)}
    )
    fine = {"at": np.zeros(2, np.float32), "pair": (1, 2)}
    for wrong, error, text in (
        ({**fine, "at": np.zeros(3)}, ValueError, r"the observation\['at'\] has shape \(3,\)"),
        ({**fine, "pair": (1, 2.5)}, TypeError, r"observation\['pair'\]\[1\] has dtype float64"),
        ({**fine, "pair": (1,)}, ValueError, r"observation\['pair'\] has 1 parts, its space 2"),
        ({"at": fine["at"]}, ValueError, "has no key 'pair'"),
    ):
        ours = make([lambda wrong=wrong: Bare(space, obs=wrong)])
        with pytest.raises(error, match=text):
            ours.reset(seed=1)


def test_an_env_that_is_over_must_be_reset_in_mode_disabled(make):
    ours = make(make_fns(length=1), autoreset_mode="Disabled")
    ours.reset(seed=1)
    ours.step(np.zeros(N, int))
    mask = np.array([True, False, True, True, False])
    ours.reset(options={"reset_mask": mask})
    with pytest.raises(ResetNeeded, match=r"envs \[1, 4\] are over.*reset_mask"):
        ours.step(np.zeros(N, int))
    ours.reset(options={"reset_mask": ~mask})
    assert ours.step(np.zeros(N, int))[2].all()


def test_an_env_that_hangs_is_named(workers):
    """The limit ends the wait; then `reset` begins anew once the env has returned."""
    gate = Gate()
    envs = ReactorVectorEnv(
        [Bare, Bare, lambda: Bare(gate=gate)], workers=workers, step_timeout=0.5
    )
    envs.reset(seed=5)
    gate.close()
    with pytest.raises(TimeoutError, match=r"env 2 of 3 \(seed 7\) .* from step after 0.5 s, 1 st"):
        envs.step(np.zeros(3, int))
    with pytest.raises(rr.PhaseError, match=r"waits for env 2, .*; reset"):
        envs.step(np.zeros(3, int))
    gate.open()
    envs.reset(seed=5)
    assert envs.step(np.zeros(3, int))[1].tolist() == [1.0] * 3
    envs.close()


def test_an_env_that_never_returns_is_left(monkeypatch):
    """`close` and `reset` do not wait for it without a bound, and say so."""
    monkeypatch.setattr("reactorrl.vector.env._RESET_GRACE_S", 0.1)
    monkeypatch.setattr("reactorrl.vector.env._CLOSE_GRACE_S", 0.1)
    gate = Gate()
    envs = ReactorVectorEnv([lambda: Bare(gate=gate), Bare], workers=2, step_timeout=0.4)
    envs.reset(seed=1)
    gate.close()
    with pytest.raises(TimeoutError, match="env 0 of 2"):
        envs.step(np.zeros(2, int))
    with pytest.raises(TimeoutError, match=r"env 0 of 2 .* is still in an earlier call"):
        envs.reset()
    with pytest.warns(RuntimeWarning, match=r"env 0 of 2 .* has not returned and is left"):
        envs.close()
    assert envs.envs[1].is_closed
    gate.open()  # for the check that no thread is left


# -- the end


def test_after_close_nothing_works_but_close(make, workers):
    ours = make(make_fns(), workers=workers)
    ours.reset(seed=1)
    ours.close()
    ours.close()
    assert ours.closed
    assert all(env.is_closed == 1 for env in ours.envs)
    for call in (
        ours.reset,
        lambda: ours.step(np.zeros(N, int)),
        lambda: ours.call("double", 1),
        lambda: ours.send(np.zeros(N, int)),
        ours.recv,
        ours.render,
    ):
        with pytest.raises(ClosedEnvironmentError, match="has been closed"):
            call()


def test_an_error_in_close_does_not_keep_the_others_open():
    envs = ReactorVectorEnv([Bare, lambda: Bare(fails_close=True), Bare], workers=2)
    with pytest.raises(RuntimeError, match="cannot close"):
        envs.close()
    assert [env.is_closed for env in envs.envs] == [1, 0, 1]
    envs.close()


def test_without_close_the_collector_ends_the_threads(workers):
    before = threading.active_count()
    envs = ReactorVectorEnv(make_fns(), workers=workers)
    envs.reset(seed=1)
    envs.send(np.zeros(N, int))
    envs.recv()
    reference = weakref.ref(envs)
    del envs
    gc.collect()
    assert reference() is None
    assert threading.active_count() == before


def test_the_child_of_a_fork_is_told(make):
    ours = make(make_fns(), workers=2)
    ours.reset(seed=1)
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
        child = os.fork()
    if not child:
        text = "no error"
        try:
            ours.step(np.zeros(N, int))
        except rr.PhaseError as error:
            text = str(error)
        ours.close()
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    assert "belongs to the parent process" in text
    assert ours.step(np.zeros(N, int))[0].shape == (N, 3)


def test_ctrl_c_leaves_a_step(workers):
    """KeyboardInterrupt arrives while an env is waited for, and `reset` begins anew."""
    gate = Gate()
    envs = ReactorVectorEnv([Bare, lambda: Bare(gate=gate)], workers=workers)
    envs.reset(seed=1)
    gate.close(then=lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        envs.step(np.zeros(2, int))
    gate.open()
    with pytest.raises(rr.PhaseError, match=r"interrupted by KeyboardInterrupt .*; reset"):
        envs.step(np.zeros(2, int))
    envs.reset(seed=1)
    assert envs.step(np.zeros(2, int))[1].tolist() == [1.0, 1.0]
    envs.close()


# -- send and recv


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_each_env_by_itself_does_what_it_does_in_step(make, workers, mode):
    """Whatever the order in which they come back, each env's own history is the same."""

    def count_of(infos, row):
        return infos["count"][row] if "count" in infos else 0

    sync, ours = both(make, make_fns(), workers, autoreset_mode=mode)
    sync.reset(seed=2), ours.reset(seed=2)
    want = [[] for _ in range(N)]
    for _ in range(20):
        obs, rewards, over, _, infos = sync.step(np.zeros(N, int))
        for k in range(N):
            want[k].append((obs[k].tolist(), rewards[k], over[k], count_of(infos, k)))
    got = [[] for _ in range(N)]
    ours.send(np.zeros(N, int))
    while under_way := sum(len(each) < 20 for each in got):
        ids, obs, rewards, over, _, infos = ours.recv(min(2, under_way))
        assert ids.dtype == np.int64
        assert sorted(ids) == list(ids)
        for row, k in enumerate(ids):
            got[k].append((obs[row].tolist(), rewards[row], over[row], count_of(infos, row)))
        again = [k for k in ids if len(got[k]) < 20]
        ours.send([0] * len(again), again)
    assert got == want
    sync.reset(seed=2)
    assert_same(ours.reset(seed=2)[0], sync.reset(seed=2)[0])


def test_a_slow_env_does_not_hold_up_the_others(make):
    gate = Gate()
    ours = make([lambda: Bare(gate=gate), Bare, Bare], workers=2)
    ours.reset(seed=1)
    gate.close()
    ours.send(np.zeros(3, int))
    for _ in range(5):
        ids, *_ = ours.recv(2, timeout=BOUND_S)
        assert ids.tolist() == [1, 2]
        ours.send([0, 0], ids)
    with pytest.raises(rr.PhaseError, match=r"envs \[0\] are under way"):
        ours.send([0], [0])
    assert ours.recv(2, timeout=BOUND_S)[0].tolist() == [1, 2]
    with pytest.raises(TimeoutError, match=r"envs \[0\] are still under way"):
        ours.recv(timeout=0.01)
    with pytest.raises(rr.PhaseError, match=r"step\(\): envs \[0\] are under way; recv"):
        ours.step(np.zeros(3, int))
    gate.open()
    assert ours.recv(timeout=BOUND_S)[0].tolist() == [0]
    assert ours.step(np.zeros(3, int))[1].tolist() == [1.0] * 3


def test_send_and_recv_refuse_what_cannot_be(make):
    ours = make(make_fns(length=1), autoreset_mode="Disabled", workers=2)
    ours.reset(seed=1)
    for actions, ids, text in (
        ([0, 0], [1], "2 actions for 1 envs"),
        ([0, 0], [1, 1], "named twice"),
        ([0], [9], r"\[9\] are none of 5"),
    ):
        with pytest.raises(ValueError, match=text):
            ours.send(actions, ids)
    with pytest.raises(ValueError, match="0 envs are under way"):
        ours.recv()
    ours.send([0, 0], [1, 3])
    with pytest.raises(ValueError, match=r"recv\(3\): 2 envs are under way"):
        ours.recv(3)
    assert ours.recv()[3].tolist() == [True, True]
    with pytest.raises(ResetNeeded, match=r"\[3\]"):
        ours.send([0], [3])


def test_an_env_that_raises_after_send_is_named(make):
    ours = make(make_fns(raises=(None, 1, None, None, None)), workers=2)
    ours.reset(seed=1)
    ours.send(np.zeros(N, int))
    with pytest.raises(ZeroDivisionError) as caught:
        ours.recv(timeout=BOUND_S)
    assert "in step of env 1 of 5 (seed 2)" in caught.value.__notes__[0]
    with pytest.raises(rr.PhaseError, match="raised ZeroDivisionError"):
        ours.send([0], [0])
    assert ours.reset(seed=1)[0].shape == (N, 3)


def test_an_env_that_hangs_after_send_is_named():
    gate = Gate()
    envs = ReactorVectorEnv([Bare, lambda: Bare(gate=gate)], workers=2, step_timeout=0.4)
    envs.reset(seed=1)
    gate.close()
    envs.send([0], [1])
    with pytest.raises(TimeoutError, match=r"env 1 of 2 .* from step after 0.4 s"):
        envs.recv()
    gate.open()
    assert envs.reset(seed=1)[0].shape == (2, 2)
    envs.close()
