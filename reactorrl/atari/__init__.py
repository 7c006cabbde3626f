"""Atari games through ale-py, with the usual preprocessing in C.

    import reactorrl.atari

    env = reactorrl.atari.make("Pong", preset="dqn", seed=1)

Needs ale-py (`pip install 'reactorrl[atari]'`), which is imported when the first game is made.
"""

from .ale import games
from .env import AtariEnv, make, spec
from .preprocessing import PRESETS, Preprocessing

__all__ = ["PRESETS", "AtariEnv", "Preprocessing", "games", "make", "spec"]
