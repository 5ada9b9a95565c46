"""The crop box: always within the photo, and always of the model's shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from editor.sliding_model import HEIGHT, WIDTH
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.editor_runs import EditorRun

from dragonnx.editor.crop import Crop, read_photo, shaded
from dragonnx.editor.events import PhotoRead
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.inversion.config import InversionConfig

SIDES = st.integers(40, 3000)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["moved", "at"]), st.floats(-4000, 4000), st.floats(-4000, 4000))
    | st.tuples(st.just("resized"), st.floats(0.01, 100)),
    max_size=8,
)  # fmt: skip


@given(SIDES, SIDES, st.sampled_from([0.5, 1.0, 4 / 3]), CHANGES)
def test_a_box_stays_on_its_photo_and_keeps_its_shape(width, height, shape, changes):
    crop = Crop.largest((width, height), shape)
    for name, *numbers in changes:
        crop = getattr(crop, name)(*numbers)
        left, top, right, bottom = crop.box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        # Sides are whole pixels, and the photo may end half a pixel before one of them.
        assert abs((right - left) - (bottom - top) * shape) <= 1.5 + 1.5 * shape


def test_a_box_is_chosen_again_as_it_was():
    crop = Crop.largest((400, 300), 1.0).resized(0.5).moved(30, -20)
    again = Crop.of_box((400, 300), 1.0, crop.box)
    assert np.abs(np.subtract(again.box, crop.box)).max() <= 1


def test_a_large_photo_is_shown_small_and_its_box_is_bright(tmp_path: Path):
    Image.new("RGB", (3000, 1500), (200, 100, 50)).save(tmp_path / "photo.png")
    picture, size = read_photo(tmp_path / "photo.png", (64, 64))
    assert size == (3000, 1500)
    assert picture.shape == (512, 1024, 3)
    seen = shaded(picture, Crop.largest(size, 1.0))
    assert tuple(seen[256, 512]) == (200, 100, 50)
    assert tuple(seen[256, 10]) == (66, 33, 16)


def test_an_inversion_is_of_the_box(run: EditorRun, tmp_path: Path):
    pixels = np.zeros((3 * HEIGHT, 3 * WIDTH, 3), np.uint8)
    pixels[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH] = (10, 200, 90)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    box = (WIDTH, HEIGHT, 2 * WIDTH, 2 * HEIGHT)
    config = InversionConfig(steps=1)
    run.editor.photo.invert(PhotoRequest(tmp_path / "photo.png", config, box=box))
    read = run.received(PhotoRead)
    assert np.all(read.photo == (10, 200, 90))
    run.settled()
