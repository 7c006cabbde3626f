"""Training runs: what the command line prints and writes, and how a run goes on or fails."""

import csv
import json
import math
import os
import signal
import sys
import types
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import reactorrl as rr
from reactorrl import __main__, rl

pytest.importorskip("torch")
import tiny

from reactorrl.rl import checkpoint, presets, scalars, video
from reactorrl.rl import train as training
from reactorrl.rl.envs import score_of
from reactorrl.rl.evaluate import Evaluator, evaluate
from reactorrl.rl.train import RunOptions, train

PRESETS = presets.PRESETS
SHORT = ("--num-envs", "4", "--num-steps", "16", "--eval-episodes", "3")


@pytest.fixture(autouse=True)
def tiny_program(monkeypatch, tmp_path):
    """`reactorrl train ppo` trains the program of `tiny.py`, in a folder of the test's own."""
    monkeypatch.setattr(rl, "PPO", tiny.Tiny, raising=False)
    monkeypatch.setattr(rl, "PPOOptions", tiny.TinyOptions, raising=False)
    monkeypatch.setattr(presets, "PRESETS", {})
    monkeypatch.chdir(tmp_path)


def run_command(capsys, *arguments):
    """Exit status, standard output and standard error of `reactorrl ...`."""
    try:
        status = __main__.main(list(arguments))
    except SystemExit as exit_:
        status = exit_.code
    return (status, *capsys.readouterr())


def folder_of(output):
    return next(line.split()[1] for line in output.splitlines() if line.startswith("run "))


def rows(folder):
    with open(f"{folder}/progress.csv", newline="") as file:
        return [(int(r["global_step"]), r["name"], float(r["value"])) for r in csv.DictReader(file)]


def without_speed(folder):
    return [row for row in rows(folder) if row[1] != "charts/SPS"]


def quiet(line):
    """Takes lines for the user and forgets them."""


# The command line


def test_train_says_where_things_are_and_ends_with_an_evaluation(capsys, tmp_path):
    status, out, err = run_command(
        capsys, "train", "ppo", *SHORT, "--save-plot", "--trace", str(tmp_path / "t.json")
    )
    assert status == 0
    folder = folder_of(out)
    assert folder.startswith("runs/CartPole-v1__ppo__1__")
    last = out.splitlines()[-1].split()
    assert (last[:2], last[3], last[5:]) == (
        ["evaluation:", "mean"],
        "std",
        ["over", "3", "episodes"],
    )
    with open(f"{folder}/returns.png", "rb") as picture:
        assert picture.read(4) == b"\x89PNG"
    names = {
        event["name"] for event in json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    }
    assert "Tiny.rollouts[3].sample" in names
    assert "640/640" in err
    assert "mean return" in err
    assert {"checkpoint.npz", "model.npz", "progress.csv"} < set(os.listdir(folder))


def test_help_lists_the_flags_with_their_docstrings(capsys):
    status, out, _ = run_command(capsys, "train", "ppo", "--help")
    assert status == 0
    text = " ".join(out.replace("│", " ").split())
    assert "--total-timesteps INT Env steps of all envs together. (default: 640)" in text
    assert "--workers {None}|INT Threads that run reactions" in text
    assert "A learner that takes one gradient step a round. ╰" not in text
    status, out, _ = run_command(capsys, "--help")
    assert "doctor" in out
    assert "train" in out
    assert run_command(capsys, "train", "--help")[1].count("qlearning") >= 1


def test_help_of_the_whole_imports_neither_torch_nor_gymnasium(capsys):
    import subprocess

    code = (
        "import sys\nfrom reactorrl.__main__ import main\n"
        "try:\n    main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "print('torch' in sys.modules, 'gymnasium' in sys.modules, 'tyro' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False False"


def test_the_command_line_knows_every_program():
    assert tuple(presets.PROGRAMS) == tuple(__main__._PROGRAMS)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--env-id", "NoSuchEnv-v0"], "Environment `NoSuchEnv` doesn't exist"),
        (["--env-id", "CartPole-v7"], "Environment version `v7` for environment `CartPole`"),
        (["--env-id", "Pendulum-v1"], "actions must be Discrete, they are Box"),
        (["--num-envs", "0"], "num_envs=0: must be at least 1"),
        (["--step-timeout", "0"], "step_timeout=0.0: must be positive"),
        (["--workers", "0"], "workers=0: must be at least 1"),
        (["--eval-episodes", "0"], "eval_episodes=0: must be at least 1"),
        (["--no-such-flag"], "--no-such-flag"),
        (["--seed", "one"], "one"),
        (["--seed", "-1"], "seed=-1: must be at least 0"),
        (["--save-plot", "curve.txt"], "curve.txt: a picture's suffix is one of"),
        (["--save-plot", "no/curve.png"], "save_plot='no/curve.png': there is no folder no"),
        (["--trace", "no/trace.json"], "trace='no/trace.json': there is no folder no"),
        (["--resume"], "Missing value for argument '--resume'"),
        (["--resume", "nowhere"], "nowhere: cannot be read: No such file"),
    ],
)
def test_bad_input_is_named_before_anything_runs(capsys, tmp_path, flags, message):
    status, _, err = run_command(capsys, "train", "ppo", *flags)
    assert status in (1, 2)
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert not (tmp_path / "runs").exists()


def test_track_without_wandb_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    status, _, err = run_command(capsys, "train", "ppo", *SHORT, "--track")
    assert status == 1
    assert "--track needs wandb: pip install wandb" in err


# Presets


def test_a_preset_gives_way_to_flags_and_is_printed(capsys, monkeypatch):
    preset = presets.Preset("a book", {"learning_rate": 0.25, "num_steps": 8, "gamma": 0.5})
    monkeypatch.setattr(presets, "PRESETS", {("ppo", "Acrobot-v1"): preset})
    from reactorrl.rl.cli import options_table, parse

    options, run, used = parse("ppo", ["--env_id", "Acrobot-v1", "--gamma=0.75", "--workers", "2"])
    assert (options.learning_rate, options.num_steps, options.gamma) == (0.25, 8, 0.75)
    assert run.workers == 2
    assert options_table("ppo", options, used).splitlines() == [
        "ppo on Acrobot-v1, seed 1; preset: a book",
        "  learning_rate            0.25",
        "  gamma                    0.75  (flag)",
        "  num_steps                8",
    ]
    assert parse("ppo", [])[0] == tiny.TinyOptions()


def test_every_preset_is_one_of_options_that_its_program_has():
    from reactorrl.rl.a2c import A2COptions
    from reactorrl.rl.dqn import DQNOptions
    from reactorrl.rl.ppo import PPOOptions

    kinds = {"a2c": A2COptions, "dqn": DQNOptions, "ppo": PPOOptions}
    for (name, env_id), preset in PRESETS.items():
        options = kinds[name](env_id=env_id, **preset.values)
        assert {each: getattr(options, each) for each in preset.values} == preset.values
        assert preset.source.startswith(("rl-zoo", "CleanRL"))


def test_atari_games_share_a_preset(monkeypatch):
    monkeypatch.setattr(presets, "PRESETS", PRESETS)
    assert presets.preset_for("ppo", "ALE/Pong-v5").values["num_envs"] == 8
    assert presets.preset_for("ppo", "Blackjack-v1").values == {}


# Logs


def test_the_csv_file_has_every_episode_and_every_metric():
    run = train("ppo", tiny.TinyOptions(), RunOptions(eval_episodes=1), say=quiet)
    episodes = run.algorithm.episodes
    logged = rows(run.folder)
    returns = [(step, value) for step, name, value in logged if name == "charts/episodic_return"]
    assert returns == list(zip(episodes.ended_at, episodes.returns, strict=True))
    losses = [step for step, name, _ in logged if name == "losses/value_loss"]
    assert losses == list(range(64, 641, 64))
    assert [step for step, name, value in logged if name == "charts/SPS" and value > 0]


def test_tensorboard_gets_the_same_scalars_and_the_options():
    pytest.importorskip("tensorboardX")
    options = tiny.TinyOptions()
    run = train("ppo", options, RunOptions(eval_frequency=128, eval_episodes=1), say=quiet)
    (file,) = run.folder.glob("events.out.tfevents.*")
    events = read_events(file)
    scalars = {(e.step, v.tag): v.simple_value for e in events for v in e.summary.value}
    for step, name, value in rows(run.folder):
        if name in ("losses/value_loss", "eval/episodic_return"):
            assert scalars[step, name] == pytest.approx(value, rel=1e-6)
    texts = [v for e in events for v in e.summary.value if v.tag.startswith("hyperparameters")]
    assert b"|learning_rate|0.01|" in texts[0].tensor.string_val[0]


def read_events(path):
    """The events of a file: length, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    data, events = path.read_bytes(), []
    while data:
        size = int.from_bytes(data[:8], "little")
        events.append(Event.FromString(data[12 : 12 + size]))
        data = data[16 + size :]
    return events


class Kept:
    def __init__(self):
        self.rows = []

    def write(self, env_steps, scalars):
        self.rows += [(env_steps, name, value) for name, value in scalars.items()]

    def close(self):
        self.rows.append("closed")


def test_names_of_stable_baselines3():
    kept = Kept()
    log = scalars.Sb3Names(kept, [1.0] * 99, [5] * 2)
    log.write(10, {"charts/episodic_return": 101.0, "charts/episodic_length": 8})
    log.write(20, {"losses/entropy": 0.5, "losses/new": 1.0})
    log.close()
    assert kept.rows == [
        (10, "rollout/ep_rew_mean", 2.0),
        (10, "rollout/ep_len_mean", 6.0),
        (20, "train/entropy_loss", -0.5),
        (20, "losses/new", 1.0),
        "closed",
    ]


def test_thinned_logs_have_one_value_of_each_scalar_in_so_many_steps():
    kept = Kept()
    log = scalars.Thinned(kept, 10)
    for step in range(0, 30, 4):
        log.write(step, {"a": step} if step < 20 else {"a": step, "b": step})
    assert kept.rows == [(0, "a", 0), (12, "a", 12), (20, "b", 20), (24, "a", 24)]


def test_track_logs_to_wandb(monkeypatch):
    calls = []

    class Run:
        def log(self, scalars):
            calls.append(scalars)

        def finish(self):
            calls.append("finished")

    def init(**options):
        calls.append(options)
        return Run()

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    options = RunOptions(track=True, wandb_project_name="p", wandb_entity="e", eval_episodes=1)
    run = train("ppo", tiny.TinyOptions(), options, say=quiet)
    assert (calls[0]["project"], calls[0]["entity"], calls[0]["name"]) == (
        "p",
        "e",
        run.folder.name,
    )
    assert calls[0]["config"]["learning_rate"] == 0.01
    assert {"global_step", "losses/value_loss"} == set(
        next(c for c in calls if isinstance(c, dict) and "losses/value_loss" in c)
    )
    assert calls[-1] == "finished"


# Evaluation


class Counting(gym.Env):
    """Pays the action; an episode lasts `length` steps, or for ever."""

    observation_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(3, start=5)

    def __init__(self, length=4, infos=()):
        self.length, self.infos, self.episodes, self.seeds = length, list(infos), 0, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        self.seeds.append(seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        has_ended = self.steps == self.length
        self.episodes += has_ended
        info = self.infos.pop(0) if has_ended and self.infos else {}
        return np.zeros(1, np.float32), float(action), has_ended, False, info


class Second:
    """Always the second action."""

    def start(self, weights, shape, env_steps, rng):
        self.steps = shape[0]

    def act(self, step, obs):
        assert step < self.steps
        assert obs.shape == (1, 1)
        return np.array([1])


def test_evaluation_sums_the_rewards_of_whole_episodes():
    env = Counting()
    assert evaluate(Second(), {}, lambda: env, episodes=3, seed=7) == [24.0] * 3
    assert env.seeds == [7, None, None]


def test_evaluation_counts_games_and_not_lives():
    infos = [{"lives": 1}, {"lives": 0, "game": {"r": 99.0, "l": 8}}] * 2
    env = Counting(infos=infos)
    assert evaluate(Second(), {}, lambda: env, episodes=2, seed=7) == [99.0, 99.0]
    assert env.episodes == 4


@pytest.mark.parametrize(
    ("info", "terminated", "score"),
    [
        ({}, True, (5.0, 3)),
        ({"lives": 2}, True, None),
        ({"lives": 2}, False, (5.0, 3)),
        ({"lives": 0}, True, (5.0, 3)),
        ({"lives": 2, "game": {"r": 9, "l": 7}}, True, (9.0, 7)),
    ],
)
def test_what_an_end_scores(info, terminated, score):
    assert score_of(info, 5.0, 3, terminated=terminated) == score


def test_evaluation_cuts_off_episodes_that_do_not_end(monkeypatch):
    monkeypatch.setattr("reactorrl.rl.evaluate.MAX_STEPS", 700)
    env = Counting(length=10**9)
    assert evaluate(Second(), {}, lambda: env, episodes=2, seed=7) == [4200.0, 4200.0]


class Source(rr.Reactor):
    weights = rr.Output()
    again = rr.LogicalAction()

    def __init__(self, n):
        self.n = n

    @rr.reaction(rr.startup, again, effects=(weights, again))
    def send(self):
        self.weights.set({"w": np.array([self.tag.microstep])})
        if self.tag.microstep + 1 < self.n:
            self.again.schedule()


def test_the_evaluator_keeps_the_first_of_the_best_weights():
    scores = {2: 1.0, 4: 7.0, 6: 7.0, 8: 3.0}
    kept = []

    class Main(rr.Reactor):
        def __init__(self):
            self.source = Source(9)
            self.evaluator = Evaluator(lambda weights: [scores[int(weights["w"][0])]] * 2, 2)
            self.connect(self.source.weights, self.evaluator.weights)

    main = Main()
    main.evaluator.keep = lambda weights, mean: kept.append((int(weights["w"][0]), mean))
    rr.run(main, workers=1, fast=True)
    assert main.evaluator.means == [1.0, 7.0, 7.0, 3.0]
    assert kept == [(2, 1.0), (4, 7.0)]
    assert main.evaluator.best == {"w": np.array([4])}


def test_the_best_weights_are_saved_and_can_be_evaluated(capsys):
    run = train(
        "ppo", tiny.TinyOptions(), RunOptions(eval_frequency=128, eval_episodes=2), say=quiet
    )
    evaluator = run.algorithm.evaluator
    assert len(evaluator.means) == 4, "after rounds 2, 4, 6 and 8 of 10"
    tree, header = checkpoint.load(run.folder / "best.npz")
    assert header["mean"] == max(evaluator.means) == evaluator.best_mean
    assert rl.weights_sha256(tree["weights"]) == rl.weights_sha256(evaluator.best)
    for name, mean in (("best.npz", evaluator.best_mean), ("model.npz", run.mean), ("", run.mean)):
        status, out, _ = run_command(capsys, "evaluate", str(run.folder / name), "--episodes", "2")
        assert status == 0
        assert f"evaluation: mean {mean:.2f}, std " in out
    assert run_command(capsys, "evaluate", "--episodes", "2", "nowhere")[0] == 1


def test_a_training_run_is_the_same_for_every_number_of_workers():
    runs = [
        train(
            "ppo",
            tiny.TinyOptions(),
            RunOptions(workers=n, eval_frequency=128, eval_episodes=2),
            say=quiet,
        )
        for n in (1, 2, 4)
    ]
    assert len({str(without_speed(run.folder)) for run in runs}) == 1
    assert len({rl.weights_sha256(run.weights) for run in runs}) == 1
    assert len({str(run.returns) for run in runs}) == 1


# Going on


LONG = RunOptions(eval_frequency=128, eval_episodes=2, checkpoint_frequency=64)


def stop_after(monkeypatch, env_steps, how):
    """Lets the next run end there, between two rounds, as a user or a fault would."""
    begin_round = training._Session._begin_round

    def begin(session):
        begin_round(session)
        if session.algorithm.episodes.env_steps == env_steps:
            how()

    monkeypatch.setattr(training._Session, "_begin_round", begin)


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def request_sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def fail():
    raise OSError("the disk is gone")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run without an interruption."""
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("whole"))
    patch.setattr(rl, "PPO", tiny.Tiny, raising=False)
    patch.setattr(rl, "PPOOptions", tiny.TinyOptions, raising=False)
    run = train("ppo", tiny.TinyOptions(), LONG, say=quiet)
    result = without_speed(run.folder), rl.weights_sha256(run.weights), run.returns
    final = (run.folder / "checkpoint.npz").resolve()
    patch.undo()
    return run.algorithm.episodes, *result, final


@pytest.mark.parametrize(
    ("how", "error"),
    [
        (press_ctrl_c, KeyboardInterrupt),
        (request_sigterm, KeyboardInterrupt),
        (fail, rr.ReactionError),
    ],
)
@pytest.mark.parametrize("numbers", [(1, 2), (4, 1)])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(monkeypatch, whole, how, error, numbers):
    first, second = numbers
    with monkeypatch.context() as patch:
        stop_after(patch, 256, how)
        with pytest.raises(error) as caught:
            train("ppo", tiny.TinyOptions(), with_workers(first), say=quiet)
    (note,) = caught.value.__notes__
    folder = note.split()[-1]
    assert note == f"go on with: reactorrl train ppo --resume {folder}"
    env_steps = checkpoint.load(f"{folder}/checkpoint.npz")[1]["env_steps"]
    assert env_steps == 256 if how is fail else 256 <= env_steps < 640
    run = train("ppo", None, with_workers(second, resume=training.Path(folder)), say=quiet)
    episodes, logged, weights, returns, final = whole
    assert run.algorithm.episodes.returns == episodes.returns
    assert without_speed(folder) == logged
    assert rl.weights_sha256(run.weights) == weights
    assert run.returns == returns
    assert equal_arrays(run.folder / "checkpoint.npz", final)


def test_a_program_with_messages_under_way_keeps_the_checkpoint_before(monkeypatch):
    monkeypatch.setattr(tiny.Tiny, "ends_between_rounds", False)
    stop_after(monkeypatch, 256, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt) as caught:
        train("ppo", tiny.TinyOptions(), LONG, say=quiet)
    folder = caught.value.__notes__[0].split()[-1]
    saved = checkpoint.load(f"{folder}/checkpoint.npz")[1]["env_steps"]
    assert rows(folder)[-1][0] == saved + 64, "what came after is not in the checkpoint"


def with_workers(n, resume=None):
    return RunOptions(
        eval_frequency=128, eval_episodes=2, checkpoint_frequency=64, workers=n, resume=resume
    )


def test_a_finished_run_only_evaluates_and_a_longer_one_goes_on(capsys):
    run = train("ppo", tiny.TinyOptions(), RunOptions(eval_episodes=3), say=quiet)
    flags = ("--resume", str(run.folder), "--eval-episodes", "3")
    status, out, _ = run_command(capsys, "train", "ppo", *flags, "--trace")
    assert status == 0
    assert "the checkpoint is the end of its run" in out
    assert "trace  " not in out, "nothing ran, so there is none"
    assert out.splitlines()[-1] == training.evaluation_line(run.returns)
    status, out, _ = run_command(capsys, "train", "ppo", *flags, "--total-timesteps", "768")
    assert status == 0
    assert rows(run.folder)[-1][0] == 768
    header = checkpoint.load(run.folder / "checkpoint.npz")[1]
    assert (header["env_steps"], header["options"]["total_timesteps"]) == (768, 768)


def test_other_options_or_programs_are_refused(capsys, monkeypatch):
    run = train("ppo", tiny.TinyOptions(), RunOptions(eval_episodes=1), say=quiet)
    resume = ("--resume", str(run.folder))
    status, _, err = run_command(capsys, "train", "ppo", *resume, "--gamma", "0.5")
    assert status == 1
    assert "other options, so it cannot go on exactly: gamma: 0.99 saved, 0.5 now" in err
    monkeypatch.setattr(rl, "A2C", tiny.Tiny, raising=False)
    monkeypatch.setattr(rl, "A2COptions", tiny.TinyOptions, raising=False)
    status, _, err = run_command(capsys, "train", "a2c", *resume)
    assert status == 1
    assert "a checkpoint of 'ppo', not of 'a2c'" in err


def test_a_program_of_ones_own_is_trained_resumed_and_evaluated(capsys):
    status, out, _ = run_command(capsys, "train", "tiny:Tiny", *SHORT, "--total-timesteps", "640")
    assert status == 0
    assert out.startswith("tiny:Tiny on CartPole-v1")
    folder = folder_of(out)
    flags = ("--resume", folder, "--total-timesteps", "704", "--eval-episodes", "3")
    status, out, _ = run_command(capsys, "train", "tiny:Tiny", *flags)
    assert (status, rows(folder)[-1][0]) == (0, 704)
    status, again, _ = run_command(capsys, "evaluate", folder, "--episodes", "3")
    assert (status, again.splitlines()[-1]) == (0, out.splitlines()[-1])


def test_the_readme_shows_a_program_of_ones_own(capsys, monkeypatch, tmp_path):
    """It trains as it stands there, and one seed gives the same with 1 and 2 workers."""
    text = (Path(rl.__file__).parent / "README.md").read_text()
    section = text.split("### A program of your own")[1]
    (tmp_path / "reinforce.py").write_text(section.split("```python\n")[1].split("```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "reinforce", raising=False)
    flags = ("--learning-rate", "0.01", "--total-timesteps", "10000", "--eval-episodes", "5")
    folders = []
    for workers in ("1", "2"):
        status, out, _ = run_command(
            capsys, "train", "reinforce:Reinforce", *flags, "--workers", workers
        )
        assert status == 0
        folders.append(folder_of(out))
    assert float(out.split("mean ")[-1].split(",")[0]) > 50, "a random policy lasts 20 steps"
    assert equal_arrays(*(f"{folder}/model.npz" for folder in folders))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pqn", "no program 'pqn'; one of dqn, ppo, "),
        ("nowhere:Tiny", "No module named 'nowhere'"),
        ("tiny:TinyLearner", "tiny must have an Algorithm TinyLearner and its Options TinyLearner"),
    ],
)
def test_a_name_that_is_no_program_is_refused(capsys, name, message):
    status, _, err = run_command(capsys, "train", name)
    assert status in (1, 2)
    assert message in err
    assert "Traceback" not in err


def test_a_run_does_not_go_on_from_weights_alone(capsys):
    run = train("ppo", tiny.TinyOptions(), RunOptions(eval_episodes=1), say=quiet)
    status, _, err = run_command(capsys, "train", "ppo", "--resume", f"{run.folder}/model.npz")
    assert status == 1
    assert f"{run.folder}/model.npz: weights alone, from which no run can go on" in err


class Fading(gym.Env):
    """An episode of three steps, each darker than the one before."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 - as Gymnasium's
    observation_space = gym.spaces.Box(0, 3, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        self.time = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.time += 1
        return np.full(1, self.time, np.float32), 1.0, self.time == 3, False, {}

    def render(self):
        assert self.render_mode == "rgb_array"
        return np.full((4, 6, 3), 200 - 50 * self.time, np.uint8)


class Blind(Fading):
    metadata = {"render_modes": []}  # noqa: RUF012


@pytest.fixture
def envs_to_film(monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.envs.registration.registry))
    gym.register("Fading-v0", Fading)
    gym.register("Blind-v0", Blind)


@pytest.mark.parametrize(
    ("env_id", "size", "colours"),
    [("Fading-v0", (6, 4), [200, 150, 100, 50]), ("CartPole-v1", (300, 200), None)],
)
def test_capture_video_films_one_episode(capsys, monkeypatch, envs_to_film, env_id, size, colours):
    """In pictures that can be counted: an MP4's colours are not exact."""
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(video, "find_spec", lambda name: None if name == "imageio_ffmpeg" else name)
    flags = ("--env-id", env_id, "--eval-episodes", "1", "--num-envs", "4", "--capture-video")
    status, out, _ = run_command(capsys, "train", "ppo", *flags)
    assert status == 0
    path = f"{folder_of(out)}/video.gif"
    assert f"video         {path}" in out.splitlines()
    length = float(out.split("mean ")[-1].split(",")[0])
    with image.open(path) as gif:
        assert gif.size == size
        found, shown_ms = [], 0
        for number in range(gif.n_frames):
            gif.seek(number)
            found.append(gif.convert("RGB").getpixel((0, 0))[0])
            shown_ms += gif.info["duration"]
        fps = gym.spec(env_id).make().metadata["render_fps"]
        assert shown_ms == (length + 1) * 1000 / fps  # Pillow makes one of equal pictures
    assert colours is None or found == colours


def test_an_env_that_cannot_be_filmed_is_refused(capsys, tmp_path, envs_to_film):
    flags = ("--env-id", "Blind-v0", "--capture-video")
    status, _, err = run_command(capsys, "train", "ppo", *flags)
    assert status == 1
    assert 'Blind-v0>> has no render mode "rgb_array", but []' in err
    assert not (tmp_path / "runs").exists()


def test_a_diverging_run_leaves_its_checkpoint_and_logs(capsys):
    status, _, err = run_command(
        capsys, "train", "ppo", *SHORT, "--diverge-at", "5", "--checkpoint-frequency", "128"
    )
    assert status == 1
    assert "losses/value_loss is nan in round 5 of Tiny.learner" in err
    folder = err.rstrip().split()[-1]
    assert checkpoint.load(f"{folder}/checkpoint.npz")[1]["env_steps"] == 256
    losses = [step for step, name, _ in rows(folder) if name == "losses/value_loss"]
    assert losses == [64, 128, 192, 256]
    assert all(math.isfinite(value) for _, _, value in rows(folder))


class Wrong(gym.Env):
    """Breaks at step 20 of the env seeded with 3: in the way of `fault`."""

    observation_space = gym.spaces.Box(-1, 1, (4,), np.float32)
    action_space = gym.spaces.Discrete(2)
    fault = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.is_marked = seed == 3 if seed is not None else self.is_marked
        self.steps = 0 if seed is not None else self.steps
        return np.zeros(4, np.float32), {}

    def step(self, action):
        self.steps += 1
        obs = np.zeros(4, np.float32)
        if self.is_marked and self.steps == 20:
            obs = type(self).fault()
        return obs, 1.0, self.steps % 7 == 0, False, {}


@pytest.fixture
def wrong_env(monkeypatch):
    gym.register("Wrong-v0", Wrong, disable_env_checker=True)
    yield Wrong
    del gym.registry["Wrong-v0"]


def raise_error():
    raise KeyError("no such room")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda: np.zeros(3, np.float32), "an observation of shape (3,), where the env's"),
        (lambda: np.zeros(1, np.float32), "an observation of shape (1,), where the env's"),
        (raise_error, "KeyError: 'no such room'"),
    ],
)
def test_a_broken_env_is_named(capsys, monkeypatch, wrong_env, fault, message):
    monkeypatch.setattr(wrong_env, "fault", staticmethod(fault))
    flags = ("--env-id", "Wrong-v0", "--num-rollouts", "2", "--checkpoint-frequency", "64")
    status, _, err = run_command(capsys, "train", "ppo", *SHORT, *flags)
    assert status == 1
    assert message in err
    assert "env 2 of Tiny.rollouts[1], seeded with 3, at its step 19" in err
    folder = err.rstrip().split()[-1]
    assert checkpoint.load(f"{folder}/checkpoint.npz")[1]["env_steps"] == 64


def test_an_env_that_hangs_is_named(monkeypatch, wrong_env):
    import threading

    release = threading.Event()

    def hang():
        release.wait(60)
        return np.zeros(4, np.float32)

    monkeypatch.setattr(wrong_env, "fault", staticmethod(hang))
    options = tiny.TinyOptions(env_id="Wrong-v0", num_rollouts=2)
    run = RunOptions(step_timeout=0.3, checkpoint_frequency=64)
    try:
        with pytest.raises(training.EnvTimeoutError) as caught:
            train("ppo", options, run, say=quiet)
    finally:
        release.set()
    assert str(caught.value).startswith(
        "env 2 of Tiny.rollouts[1] (Wrong-v0) hangs: it has not returned from its step 19 for"
    )
    (note,) = caught.value.__notes__
    assert checkpoint.load(f"{note.split()[-1]}/checkpoint.npz")[1]["env_steps"] == 64


class Opaque(Wrong):
    """Holds what cannot be saved."""

    def __init__(self):
        self.engine = iter([])

    @staticmethod
    def fault():
        return np.zeros(4, np.float32)


def test_envs_that_cannot_be_saved_begin_anew_and_this_is_said(capsys, wrong_env):
    gym.register("Opaque-v0", Opaque, disable_env_checker=True)
    try:
        status, out, err = run_command(capsys, "train", "ppo", *SHORT, "--env-id", "Opaque-v0")
        assert status == 0
        line = "the envs of rollouts[0] cannot be saved (Opaque.engine is a builtins.list_iterator)"
        assert f"checkpoint: {line}; a resumed run will begin new episodes there" in out + err
        flags = ("--resume", folder_of(out), "--total-timesteps", "768")
        status, out, _ = run_command(capsys, "train", "ppo", *flags)
        assert status == 0
        assert f"{line}: they begin new episodes, with other seeds" in out
        assert rows(folder_of(out))[-1][0] == 768
    finally:
        del gym.registry["Opaque-v0"]


def test_a_run_prints_shortly():
    run = train("ppo", tiny.TinyOptions(), RunOptions(eval_episodes=3), say=quiet)
    assert repr(run) == f"<TrainingRun {run.folder}, {training.evaluation_line(run.returns)}>"
    assert run.report.reactions > 0
    assert run.mean == np.mean(run.returns)
    assert run.std == np.std(run.returns)


FEW = {"num_envs": 4, "num_steps": 16, "total_timesteps": 640, "hidden_sizes": (8,)}
REPLAY = {"learning_starts": 100, "buffer_size": 300, "gradient_steps": 2, "batch_size": 8}
PROGRAMS = {
    "dqn": ("dqn", {**REPLAY, "double": True, "target_network_frequency": 100}),
    "prioritized dqn": ("dqn", {**REPLAY, "dueling": True, "prioritized": True, "n_step": 3}),
    "overlapping dqn": ("dqn", {**REPLAY, "overlap": True}),
    "overlapping prioritized dqn": ("dqn", {**REPLAY, "overlap": True, "prioritized": True}),
    "a2c": ("a2c", {"anneal_lr": True}),
    "a3c": ("a3c", {"sync_every": 8}),
    "table": ("qlearning", {}),
    "network": ("qlearning", {"kind": "network", "buffer_size": 300, "batch_size": 8}),
    "marl": ("marl", {}),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs_go_on_to_the_same_bits(monkeypatch, case):
    """With replay, priorities, a target network and schedules; buffers are full at that time."""
    name, more = PROGRAMS[case]
    options = presets.load_program(name)[1](**{**FEW, **more})
    whole = train(name, options, with_workers(1), say=quiet)
    expected = without_speed(whole.folder)
    with monkeypatch.context() as patch:
        stop_after(patch, 512, fail)
        with pytest.raises(rr.ReactionError) as caught:
            train(name, options, with_workers(2), say=quiet)
    folder = training.Path(caught.value.__notes__[0].split()[-1])
    run = train(name, None, with_workers(4, resume=folder), say=quiet)
    assert without_speed(folder) == expected
    assert run.algorithm.episodes.returns == whole.algorithm.episodes.returns
    assert rl.weights_sha256(run.weights) == rl.weights_sha256(whole.weights)
    assert equal_arrays(folder / "checkpoint.npz", whole.folder / "checkpoint.npz")


def equal_arrays(one, other):
    """Whether two checkpoints have the same arrays, to the bit."""
    with np.load(one) as mine, np.load(other) as theirs:
        names = [name for name in mine.files if not name.endswith(".json")]
        return mine.files == theirs.files and all(
            mine[name].tobytes() == theirs[name].tobytes() for name in names
        )
