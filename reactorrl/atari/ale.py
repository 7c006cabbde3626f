"""ale-py: the names of its games, and an emulator with one of them loaded."""

from __future__ import annotations

import difflib
import importlib
import re
from functools import cache
from typing import Any

from gymnasium.error import DependencyNotInstalled, NameNotFound

_ID = re.compile(r"(?:ALE/)?(?P<name>\w+?)(?:NoFrameskip|Deterministic)?(?:-v[045])?")


@cache
def import_ale() -> Any:
    """The module ale_py, told to report errors only.

    Raises:
        gymnasium.error.DependencyNotInstalled: There is none.
    """
    try:
        ale_py = importlib.import_module("ale_py")
    except ImportError as error:
        raise DependencyNotInstalled(
            f"Atari games need ale-py: pip install 'reactorrl[atari]' ({error})"
        ) from error
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # for the whole process
    return ale_py


@cache
def _roms() -> dict[str, str]:
    """Name of the ROM file by name of the game, of all that one player can play."""
    ale_py = import_ale()
    roms = importlib.import_module("ale_py.roms")
    playable = [
        rom
        for rom in sorted(roms.get_all_rom_ids())
        if ale_py.ALEInterface.isSupportedROM(roms.get_rom_path(rom))
    ]
    return {rom.title().replace("_", ""): rom for rom in playable}


def games() -> list[str]:
    """The names of all games, such as `"SpaceInvaders"`.

    Raises:
        gymnasium.error.DependencyNotInstalled: ale-py is missing.
    """
    return list(_roms())


def name_of(game: str) -> str:
    """The name of a game given by name, ROM (`"space_invaders"`) or Gymnasium id.

    Raises:
        gymnasium.error.NameNotFound: There is no such game; close ones are named.
        gymnasium.error.DependencyNotInstalled: ale-py is missing.
    """
    match = _ID.fullmatch(game)
    wanted = (match["name"] if match else game).replace("_", "").lower()
    names = {name.lower(): name for name in _roms()}
    if wanted in names:
        return names[wanted]
    close = [names[name] for name in difflib.get_close_matches(wanted, names)]
    hint = f"did you mean {' or '.join(close)}?" if close else "see reactorrl.atari.games()"
    raise NameNotFound(f"there is no Atari game {game!r} for one player; {hint}")


def load(name: str, settings: dict[str, int | float]) -> Any:
    """An `ALEInterface` with a game loaded, and nothing random in it.

    Args:
        name: As from `games`.
        settings: More of ALE's settings.
    """
    ale = import_ale().ALEInterface()
    for key, value in {"random_seed": 0, "repeat_action_probability": 0.0, **settings}.items():
        (ale.setFloat if isinstance(value, float) else ale.setInt)(key, value)
    ale.loadROM(importlib.import_module("ale_py.roms").get_rom_path(_roms()[name]))
    return ale
