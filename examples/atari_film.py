"""Pong played at random for ten seconds, as a GIF: `python examples/atari_film.py pong.gif`."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from reactorrl import atari, film


def main():
    """Films a policy that does not look."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "pong.gif"
    env = atari.make("Pong", preset="machado", render_mode="rgb_array")
    rng = np.random.default_rng(1)

    def policy(obs):
        """`obs` has four frames of 84 x 84: what a network would see."""
        assert obs.shape == (4, 84, 84)
        return int(rng.integers(env.action_space.n))

    film.record(path, env, policy, steps=10 * env.metadata["render_fps"], seed=1, scale=2)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
