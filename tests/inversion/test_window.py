"""Windows of pictures, resized: the same as cutting all of it out, without the memory."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dragonnx.inversion.window import Border, Box, resized


def cut_out(picture: Image.Image, window: Box, border: Border) -> Image.Image:
    """All of a window, also what lies beyond the picture."""
    if border == "black":
        return picture.crop(window)
    rows = np.arange(window[1], window[3]).clip(0, picture.height - 1)
    columns = np.arange(window[0], window[2]).clip(0, picture.width - 1)
    return Image.fromarray(np.asarray(picture)[rows[:, None], columns])


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Image.Image, Box]:
    width, height = draw(st.integers(2, 50)), draw(st.integers(2, 50))
    far = draw(st.sampled_from((20, 120)))
    left, top = draw(st.integers(-far, width - 1)), draw(st.integers(-far, height - 1))
    right = draw(st.integers(max(left + 2, 1), width + far))
    bottom = draw(st.integers(max(top + 2, 1), height + far))
    pixels = np.random.default_rng(draw(st.integers(0, 99))).integers(80, 176, (height, width))
    return Image.fromarray(pixels.astype(np.uint8)), (left, top, right, bottom)


@settings(max_examples=150, deadline=None)
@given(
    case=_cases(),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    how=st.sampled_from([("goes on", Image.Resampling.LANCZOS), ("black", Image.Resampling.BOX)]),
)
def test_a_window_is_what_is_cut_out_and_resized(
    case: tuple[Image.Image, Box],
    size: tuple[int, int],
    how: tuple[Border, Image.Resampling],
) -> None:
    picture, window = case
    border, resample = how
    found = resized(picture, window, size, resample, border=border)
    expected = cut_out(picture, window, border).resize(size, resample)
    assert found.size == size
    seen = [min(window[i + 2], picture.size[i]) - max(window[i], 0) for i in (0, 1)]
    if math.prod(window[i + 2] - window[i] for i in (0, 1)) <= 2 * math.prod(seen):
        tolerance = 0.0
    elif resample == Image.Resampling.LANCZOS:
        # Pillow rounds between the axes, and takes the one or the other first. (Here nothing is so
        # dark or bright that an overshoot would be cut off, which makes more of it.)
        tolerance = 3.0
    else:
        # A pixel whose middle is the edge of one of the result counts for either: of so many.
        steps = [(window[i + 2] - window[i]) / size[i] for i in (0, 1)]
        tolerance = 1 + 255 * sum(1 / max(step, 1) for step in steps)
    difference = np.asarray(found, float) - np.asarray(expected, float)
    assert np.abs(difference).max() <= tolerance
    assert np.abs(difference).mean() <= min(tolerance, 8), "and most are alike"


@pytest.mark.parametrize("size", [(500_000, 32), (32, 500_000)])
def test_a_strip_is_padded_to_a_square_without_its_memory(size: tuple[int, int]) -> None:
    """The square has 2.5 * 10^11 pixels."""
    half = (size[0] - max(size)) // 2, (size[1] - max(size)) // 2
    window = (half[0], half[1], half[0] + max(size), half[1] + max(size))
    began = time.process_time()
    part = Image.new("L", size, 255)
    found = resized(part, window, (64, 64), Image.Resampling.BOX, border="black")
    assert time.process_time() - began < 5
    # 32 pixels of the 7812 that one of the result stands for, 16 each in two of them: half a level.
    assert found.getextrema()[1] <= 1
    found = resized(part, window, (64, 64), Image.Resampling.LANCZOS, border="goes on")
    assert found.getextrema() == (255, 255)
