"""Screens to small grey frames: csrc/kernels/screen.c, against exact integers and OpenCV."""

import math
from pathlib import Path

import numpy as np
import pytest

from reactorrl.atari._frames import FrameStack

OPENCV = Path(__file__).with_name("opencv_frames.npz")
"""Written by tools/opencv_frames.py."""


def overlaps(n_in, n_out):
    """`(n_out, n_in)` integers: how much of each input pixel lies in each output pixel."""
    unit = math.gcd(n_in, n_out)
    length, step = n_in // unit, n_out // unit
    begin, end = np.arange(n_in) * step, (np.arange(n_in) + 1) * step
    low, high = np.arange(n_out)[:, None] * length, (np.arange(n_out)[:, None] + 1) * length
    return np.maximum(0, np.minimum(end, high) - np.maximum(begin, low))


def average(image, shape):
    """The average over areas in integers, rounded to even."""
    rows, columns = (overlaps(n_in, n) for n_in, n in zip(image.shape, shape, strict=True))
    sums = rows @ image.astype(np.int64) @ columns.T
    units = rows[0].sum() * columns[0].sum()
    quotient, rest = np.divmod(sums, units)
    up = (2 * rest > units) | ((2 * rest == units) & (quotient % 2 == 1))
    return (quotient + up).astype(np.uint8)


def grey_stack(screen_shape, frame_shape, n_frames=1):
    """A stack whose colours are grey levels."""
    stack = FrameStack(screen_shape, frame_shape, n_frames)
    height, width = screen_shape
    for index in range(256):  # a screen may be smaller than the palette
        stack.screen[:] = index
        stack.learn(np.full((height, width), index, np.uint8))
    return stack


def show(stack, image):
    """Makes it the newest screen."""
    stack.screen[:] = image
    assert stack.see()


@pytest.mark.parametrize(
    ("screen_shape", "frame_shape"),
    [
        ((210, 160), (84, 84)),
        ((250, 160), (84, 84)),
        ((214, 160), (84, 84)),
        ((210, 160), (96, 128)),
        ((210, 160), (105, 80)),
        ((210, 160), (83, 79)),
        ((210, 160), (210, 160)),
        ((7, 5), (3, 2)),
        ((9, 4), (1, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_frame_is_the_exact_average_rounded_to_even(screen_shape, frame_shape, seed):
    """Noise, two levels far apart (many ties), and repeated rows; every size of cell."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, screen_shape, dtype=np.uint8)
    levels = rng.choice(np.array([0, 1, 254, 255], np.uint8), screen_shape)
    bands = np.repeat(noise[:1], screen_shape[0], axis=0)
    bands[screen_shape[0] // 2 :] = levels[-1]
    stack = grey_stack(screen_shape, frame_shape)
    for image in (noise, levels, bands):
        show(stack, image)
        stack.push(newest_only=True)
        np.testing.assert_array_equal(stack.frames[-1], average(image, frame_shape))


def test_a_frame_is_of_the_brighter_of_the_last_two_screens(seed):
    """Pixel by pixel, before the average; `newest_only` leaves the older one out."""
    rng = np.random.default_rng(seed)
    older, newer = rng.integers(0, 256, (2, 210, 160), dtype=np.uint8)
    stack = grey_stack((210, 160), (84, 84), 2)
    show(stack, rng.integers(0, 256, (210, 160), dtype=np.uint8))
    show(stack, older)
    show(stack, newer)
    stack.push()
    stack.push(newest_only=True)
    np.testing.assert_array_equal(stack.frames[0], average(np.maximum(older, newer), (84, 84)))
    np.testing.assert_array_equal(stack.frames[1], average(newer, (84, 84)))


def test_a_stack_holds_the_last_frames_oldest_first():
    """Zeros stand for what has not been pushed."""
    stack = grey_stack((4, 4), (2, 2), 3)
    seen = []
    for level in (10, 20, 30, 40):
        show(stack, level)
        stack.push(newest_only=True)
        seen.append(stack.frames[:, 0, 0].tolist())
    assert seen == [[0, 0, 10], [0, 10, 20], [10, 20, 30], [20, 30, 40]]


def test_a_screen_with_an_unknown_colour_is_not_taken():
    """Until its grey is learned; what is known is looked up."""
    stack = FrameStack((2, 2), (1, 1), 1)
    stack.screen[:] = 7
    assert not stack.see()
    stack.learn(np.full((2, 2), 100, np.uint8))
    assert stack.see()
    stack.screen[1, 1] = 9
    assert not stack.see()
    stack.push(newest_only=True)
    assert stack.frames.item() == 100
    stack.learn(np.array([[100, 100], [100, 20]], np.uint8))
    assert stack.see()
    stack.push(newest_only=True)
    assert stack.frames.item() == 80


@pytest.mark.parametrize(
    ("screen_shape", "frame_shape", "n_frames", "says"),
    [
        ((210, 160), (84, 161), 4, "84 x 161"),
        ((210, 160), (211, 84), 4, "211 x 84"),
        ((210, 160), (0, 84), 4, "0 x 84"),
        ((500, 400), (499, 399), 4, "divides better"),
        ((210, 160), (84, 84), 0, "n_frames=0"),
    ],
)
def test_sizes_that_cannot_be_served_are_refused(screen_shape, frame_shape, n_frames, says):
    """Larger than the screen, empty, or with sums that would not be exact."""
    with pytest.raises(ValueError, match=says):
        FrameStack(screen_shape, frame_shape, n_frames)


def test_only_the_grey_levels_of_a_whole_screen_can_be_learned():
    """Another shape is refused."""
    with pytest.raises(ValueError, match="16 x 16"):
        FrameStack((210, 160), (84, 84), 4).learn(np.zeros((16, 16), np.uint8))


def test_frames_are_those_of_opencv():
    """Within one level, on at most 0.05 % of the pixels of each of ten games."""
    arrays = np.load(OPENCV)
    games = [name.removesuffix(".grey") for name in arrays if name.endswith(".grey")]
    assert len(games) == 10
    for game in games:
        images, expected = arrays[f"{game}.grey"], arrays[f"{game}.opencv"]
        stack = grey_stack(images.shape[1:], expected.shape[1:])
        frames = []
        for image in images:
            show(stack, image)
            stack.push(newest_only=True)
            frames.append(stack.frames[0].copy())
        away = np.abs(np.array(frames, int) - expected)
        assert away.max() <= 1, game
        assert np.mean(away > 0) <= 0.0005, game


def test_noise_is_averaged_as_opencv_does(seed):
    """Where OpenCV can be imported."""
    cv2 = pytest.importorskip("cv2")
    image = np.random.default_rng(seed).integers(0, 256, (210, 160), dtype=np.uint8)
    expected = cv2.resize(image, (84, 84), interpolation=cv2.INTER_AREA).astype(int)
    stack = grey_stack((210, 160), (84, 84))
    show(stack, image)
    stack.push(newest_only=True)
    assert np.abs(stack.frames[0] - expected).max() <= 1
