"""Cars learn to pass a junction without colliding: PPO for agents that share one network.

Each car sees the cells around it and has a gas pedal and a brake. Rollouts step their envs in
parallel; every car's steps are columns of one batch.
"""

import reactorrl as rr
from reactorrl import rl


def rate(values):
    return sum(values) / len(values)


if __name__ == "__main__":
    options = rl.MultiAgentPPOOptions(
        env_id="TrafficJunction-easy",
        total_timesteps=20_480,
        num_envs=16,
        num_steps=64,
        learning_rate=3e-3,
        seed=1,
    )
    main = rl.MultiAgentPPO(options)
    report = rr.run(main, workers=2, fast=True)
    episodes = main.episodes
    print(f"{len(episodes.returns)} episodes in {report.wall_time_s:.0f} s")
    print(f"without a collision, of the first 100: {rate(episodes.successes[:100]):.2f}")
    print(f"without a collision, of the last 100:  {rate(episodes.successes[-100:]):.2f}")

    make_env = rl.parallel_env_maker(options.env_id)
    returns, successes = rl.evaluate_agents(
        main.greedy_policy(), main.learner.latest, make_env, episodes=50, seed=7
    )
    print(f"without exploration: return {rate(returns):.1f}, no collision {rate(successes):.2f}")
