"""Q-learning on a frozen lake: eight rollouts fill one table, which is then held to the optimum.

The env gives its transition probabilities, so what the learned policy is worth can be worked out
instead of sampled: there is no error in the last line but the learner's own.
"""

import reactorrl as rr
from reactorrl import rl

ARROWS = "←↓→↑"


def chart(actions, lake):
    """The policy as arrows; holes and the goal are left as they are."""
    rows = []
    for row, cells in enumerate(lake):
        arrows = [ARROWS[action] for action in actions[4 * row : 4 * row + 4]]
        rows.append(
            "".join(a if cell in "SF" else cell for a, cell in zip(arrows, cells, strict=True))
        )
    return "\n".join(rows)


if __name__ == "__main__":
    options = rl.QLearningOptions(
        env_id="FrozenLake-v1",
        total_timesteps=120_000,
        num_envs=16,
        num_steps=100,
        num_rollouts=8,
        seed=1,
    )
    hashes = set()
    for workers in (1, 2):
        main = rl.QLearning(options)
        report = rr.run(main, workers=workers, fast=True)
        digest = rl.weights_sha256(main.learner.latest)[:16]
        hashes.add(digest)
        print(f"{workers} workers: {report.wall_time_s:.1f} s, table {digest}")

    actions = main.learner.latest["q"].argmax(axis=1)
    print(chart(actions, ["SFFF", "FHFH", "FFFH", "HFFG"]))

    model = rl.TabularModel.of(options.env_id)
    best = model.optimal_q(options.gamma, sweeps=3_000).argmax(axis=1)
    print(f"success within 100 steps: {model.return_of(actions):.4f}, exactly")
    print(f"of the best table:        {model.return_of(best):.4f}")
