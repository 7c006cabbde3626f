"""Write Atari screens and what OpenCV makes of them: what tests/test_screen.py compares with.

OpenCV cannot be had for free-threaded Python, so this runs under an ordinary one:

    python -m pip install ale-py opencv-python-headless
    python tools/opencv_frames.py tests/opencv_frames.npz
"""

import argparse

import ale_py
import cv2
import numpy as np
from ale_py import roms

GAMES = (
    *("breakout", "carnival", "enduro", "montezuma_revenge", "ms_pacman"),
    *("pacman", "pong", "qbert", "seaquest", "space_invaders"),
)
SIZE = (84, 84)


def resize(image):
    """To 84 x 84 by area."""
    return cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)


def play(rom, n_screens, every):
    """Screens of random play, as pairs of consecutive ones: grey, and RGB."""
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", 0)
    ale.loadROM(roms.get_rom_path(rom))
    ale.reset_game()
    rng = np.random.default_rng(0)
    actions = ale.getMinimalActionSet()
    for _ in range(n_screens):
        for _ in range(every):
            ale.act(actions[rng.integers(len(actions))])
            if ale.game_over():
                ale.reset_game()
        pair = []
        for _ in range(2):
            ale.act(actions[0])
            pair.append((ale.getScreenGrayscale(), ale.getScreenRGB()))
        yield pair


def main():
    """Writes the file and says how much the order of maximum and grey matters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--screens", type=int, default=4, help="of each game")
    parser.add_argument("--every", type=int, default=150, help="frames from one to the next")
    options = parser.parse_args()
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    arrays = {}
    for rom in GAMES:
        grey, frames, colour_first = [], [], []
        for (grey_1, rgb_1), (grey_2, rgb_2) in play(rom, options.screens, options.every):
            grey.append(np.maximum(grey_1, grey_2))
            frames.append(resize(grey[-1]))
            brighter = np.maximum(rgb_1, rgb_2)
            colour_first.append(resize(cv2.cvtColor(brighter, cv2.COLOR_RGB2GRAY)))
        arrays[f"{rom}.grey"] = np.array(grey)
        arrays[f"{rom}.opencv"] = np.array(frames)
        away = np.abs(np.array(colour_first, int) - np.array(frames, int))
        print(
            f"{rom}: taking the maximum of each colour before grey changes "
            f"{100 * np.mean(away > 0):.3f} % of the pixels, by up to {away.max()}"
        )
    np.savez_compressed(options.file, **arrays)


if __name__ == "__main__":
    main()
