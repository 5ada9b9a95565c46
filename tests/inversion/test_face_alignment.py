"""Faces turned and cut as FFHQ's are, against the formula itself, sampled densely in float64."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dragonnx import InputError, Photo, align_face
from dragonnx.inversion.faces.alignment import frame_of
from dragonnx.inversion.faces.landmarks import face_of

FIVE = np.array([(-20.0, -12.0), (20.0, -12.0), (0.0, 5.0), (-15.0, 28.0), (15.0, 28.0)])
"""A face that looks ahead: eyes 40 apart, the mouth 40 below. Its middle is between the eyes' line."""
OUT = 64


def corners_by_the_formula(five: np.ndarray) -> np.ndarray:
    """The square as the script's numbers have it, from complex numbers; pixel centres at integers."""
    left, right, _, mouth_left, mouth_right = five[:, 0] + 1j * five[:, 1]
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    x = (right - left) - 1j * (mouth - eyes)  # a quarter turn against the eyes' and the mouth's way
    x *= max(abs(right - left) * 2.0, abs(mouth - eyes) * 1.8) / abs(x)
    centre, y = eyes + 0.1 * (mouth - eyes), 1j * x
    corners = np.array([centre - x - y, centre - x + y, centre + x + y, centre + x - y])
    return np.stack([corners.real, corners.imag], 1)


def placed(scale=1.0, turn=0.0, at=(0.0, 0.0)) -> np.ndarray:
    """The five points of a face, larger, turned by so many degrees, with its middle elsewhere."""
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * FIVE @ rotation.T + at


def colour_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth picture: what it is between pixels is known."""
    red, green = 128 + 90 * np.sin(x / 37), 128 + 90 * np.sin(y / 29)
    return np.stack([red, green, 128 + 60 * np.sin((x + y) / 53)], -1)


@functools.cache
def smooth_photo(width: int, height: int) -> Photo:
    y, x = np.mgrid[:height, :width]
    return Photo(Image.fromarray(np.rint(colour_at(x, y)).astype(np.uint8)))


def places(corners: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel's middle of an image of that (height, width) lies, between four corners."""
    v, u = (np.mgrid[: size[0], : size[1]] + 0.5) / np.array(size)[:, None, None]
    upper_left, lower_left, _, upper_right = corners
    found = (
        upper_left
        + u[..., None] * (upper_right - upper_left)
        + v[..., None] * (lower_left - upper_left)
    )
    return found[..., 0], found[..., 1]


def test_the_square_is_that_of_the_formula() -> None:
    for five in (placed(), placed(3.1, 40, (200, 90)), placed(0.7, -170, (5, 5))):
        # The formula's points are centres of pixels; a frame's corner of the photo is (0, 0).
        found = frame_of(face_of(five)).corners - 0.5
        np.testing.assert_allclose(found, corners_by_the_formula(five), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    turn=st.floats(-180, 180),
    scale=st.floats(0.5, 4),
    shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    out=st.sampled_from([16, 64, 200]),
)
def test_every_pixel_is_where_the_formula_has_it(turn, scale, shift, out) -> None:
    # So large that no face comes near its border, from where on it is padded as FFHQ's script does.
    photo = smooth_photo(1500, 1400)
    five = placed(scale, turn, np.array([750, 700]) + shift)
    found = align_face(photo, five, (out, out))
    assert found.picture.size == (out, out)
    assert found.weights is None, "all of it is on the photo"
    x, y = places(corners_by_the_formula(five), (out, out))
    assert_shows(found.picture, x, y)


def assert_shows(picture: Image.Image, x: np.ndarray, y: np.ndarray) -> None:
    """That each pixel shows what lies at its place."""
    difference = np.abs(np.asarray(picture, float) - colour_at(x, y))
    step = np.hypot(x[0, 1] - x[0, 0], y[0, 1] - y[0, 0])
    # Eight bits are rounded up to four times, half a level each. A pixel of the result is a mean over
    # its square and, in two steps of resampling, its neighbours', each less wide than two pixels; of a
    # wave of this length a mean over a width is lower by (width / length)^2 / 24 of its height.
    bound = 2.5 + 90 * 2 * (2 * step / 29) ** 2 / 24
    assert difference[3:-3, 3:-3].max() <= bound
    # At the rim the last filter sees one side alone, some tenths of a pixel off; the wave's slope is 90/29.
    assert difference.max() <= bound + 0.35 * step * 90 / 29


@pytest.mark.parametrize("image_size", [(64, 32), (32, 64), (60, 48)])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_models_whose_images_are_no_squares(image_size, fit) -> None:
    height, width = image_size
    five = placed(2, 25, (400, 380))
    found = align_face(smooth_photo(900, 800), five, image_size, fit=fit)
    assert found.picture.size == (width, height)
    corners = corners_by_the_formula(five)
    middle, whole = corners.mean(axis=0), min(image_size) if fit == "pad" else max(image_size)
    across, down = ((corners[3] - corners[0]) / 2 * width, (corners[1] - corners[0]) / 2 * height)
    part = np.array([-across - down, down - across, across + down, across - down]) / whole + middle
    assert_shows(found.picture, *places(part, image_size))


def face_picture(size: int, five: np.ndarray) -> Image.Image:
    """A disc with eyes and a mouth where landmarks say; drawn fine, so that edges are soft."""
    centre, unit = five[:2].mean(axis=0), np.hypot(*(five[1] - five[0])) / 40
    y, x = np.mgrid[:size, :size]
    picture = np.full((size, size, 3), (40, 60, 90), float)

    def disc(at: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
        inside = np.clip(radius * unit - np.hypot(x - at[0], y - at[1]) + 0.5, 0, 1)[..., None]
        picture[:] = picture * (1 - inside) + inside * np.array(colour)

    disc(centre + 0.3 * (five[2] - centre), 60, (220, 180, 150))
    for eye in five[:2]:
        disc(eye, 8, (20, 20, 30))
    disc(five[2], 5, (200, 120, 110))
    for corner in five[3:]:
        disc(corner, 6, (180, 40, 50))
    return Image.fromarray(np.rint(picture).astype(np.uint8))


def test_turned_and_scaled_faces_come_out_upright_and_equal() -> None:
    expected = align_face(Photo(face_picture(600, placed(2, 0, (300, 300)))),
                          placed(2, 0, (300, 300)), (OUT, OUT))  # fmt: skip
    for turn, scale in ((0, 1.1), (30, 2), (90, 1.7), (-135, 1.3), (180, 2)):
        five = placed(scale, turn, (300, 300))
        found = align_face(Photo(face_picture(600, five)), five, (OUT, OUT))
        difference = np.asarray(found.picture, float) - np.asarray(expected.picture, float)
        # Edges lie within a hundredth of a pixel; what resampling makes of them differs by few levels.
        assert np.abs(difference).mean() < 1.5, (turn, scale)


def test_a_mirrored_photo_gives_the_mirrored_face() -> None:
    five = placed(2, 20, (290, 310))
    picture = face_picture(600, five)
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    other = (five * (-1, 1) + (599, 0))[[1, 0, 2, 4, 3]]
    found = align_face(Photo(mirrored), other, (OUT, OUT)).picture
    expected = align_face(Photo(picture), five, (OUT, OUT)).picture
    again = np.asarray(found.transpose(Image.Transpose.FLIP_LEFT_RIGHT), float)
    assert np.abs(again - np.asarray(expected, float)).max() <= 2  # rounding alone


def test_eyes_given_the_other_way_round_are_the_same_face() -> None:
    photo, five = smooth_photo(600, 600), placed(2, 160, (300, 300))
    expected = align_face(photo, five, (OUT, OUT)).picture
    for order in ([1, 0, 2, 3, 4], [1, 0, 2, 4, 3], [0, 1, 2, 4, 3]):
        assert np.array_equal(align_face(photo, five[order], (OUT, OUT)).picture, expected)


def test_68_points_are_their_eyes_and_mouth() -> None:
    photo, five = smooth_photo(600, 600), placed(2, 15, (300, 300))
    many = np.random.default_rng(0).uniform(0, 600, (68, 2))
    around = np.array([(-3, 0), (-1, -2), (1, -2), (3, 0), (1, 2), (-1, 2)])
    many[36:42], many[42:48] = five[0] + around, five[1] + around
    many[48], many[54] = five[3], five[4]
    found = align_face(photo, many.tolist(), (OUT, OUT))
    expected = align_face(photo, five, (OUT, OUT))
    assert np.array_equal(found.picture, expected.picture)


# --- beyond the photo ---------------------------------------------------------------------------


def test_what_lies_beyond_the_photo_does_not_count() -> None:
    """The upper part of the square is not there: mirrored, blurred, and of no weight."""
    photo, five = smooth_photo(600, 600), placed(2, 0, (300, 60))
    found = align_face(photo, five, (OUT, OUT))
    assert found.weights is not None
    weights = np.asarray(found.weights)
    x, y = places(corners_by_the_formula(five), (OUT, OUT))
    assert (y.min(), y.max() < 599) < (-80, True)
    assert (weights[y < -3] == 0).all()
    # A side of 320 has a margin of 32; of what is padded, a third as much is blurred within the photo.
    deep = y > (32 - y.min()) / 3 + 4
    assert (weights[deep] == 255).all()
    assert (np.diff(weights.astype(int), axis=0) >= 0).all(), "it grows inwards"
    difference = np.abs(np.asarray(found.picture, float) - colour_at(x, y))
    assert difference[deep].max() <= 4, "the photo itself is as it was"
    # Just beyond the border it is the photo again, mirrored; a blur changes this smooth one little.
    near = (y < -2) & (y > -10)
    mirrored = np.abs(np.asarray(found.picture, float) - colour_at(x, -y))
    assert mirrored[near].max() < 20


def test_far_beyond_the_photo_is_its_median() -> None:
    pixels = np.full((200, 200, 3), (200, 100, 50), np.uint8)
    pixels[:20] = (0, 0, 255)
    found = align_face(Photo(Image.fromarray(pixels)), placed(3, 0, (100, 60)), (OUT, OUT))
    assert np.abs(np.asarray(found.picture)[0].astype(int) - (200, 100, 50)).max() < 60


def test_a_mask_of_the_photo_is_turned_along() -> None:
    photo = smooth_photo(600, 600)
    weights = Image.new("L", (600, 600), 255)
    weights.paste(0, (0, 0, 300, 600))
    found = align_face(Photo(photo.picture, weights), placed(2, 90, (300, 300)), (OUT, OUT))
    # A quarter turn to the right: the left half is now the lower one.
    shown = np.asarray(found.weights)
    half = OUT // 2
    assert (shown[half + 6 :] == 0).all() or (shown[: half - 6] == 0).all()
    assert {int(shown[4, 5]), int(shown[-5, 5])} == {0, 255}
    beyond = align_face(Photo(photo.picture, weights), placed(2, 0, (300, 60)), (OUT, OUT))
    assert np.asarray(beyond.weights)[-3, 5] == 0
    assert np.asarray(beyond.weights)[-3, -5] == 255
    assert np.asarray(beyond.weights)[0].max() == 0


@pytest.mark.parametrize("size", [(32, 32), (33, 500), (500, 33)])
def test_small_and_narrow_photos(size) -> None:
    photo = smooth_photo(*size)
    middle = np.array(size) / 2
    for scale in (0.06, 0.3, 0.8):
        found = align_face(photo, placed(scale, 10, middle), (OUT, OUT))
        assert found.picture.size == (OUT, OUT)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a process's peak there")
def test_a_large_photo_is_not_copied() -> None:
    """Of 8 bytes a pixel that reading a photo may take, four are the photo itself."""
    program = """
        from pathlib import Path
        import numpy as np
        from PIL import Image
        from dragonnx import Photo, align_face

        def peak(name):
            lines = Path("/proc/self/status").read_text().splitlines()
            return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

        five = np.array([(-20, -12), (20, -12), (0, 5), (-15, 28), (15, 28)])
        for side, scale in ((100, 1), (5000, 25), (5000, 40)):
            photo = Photo(Image.new("RGB", (side, side), "tan"))
            Path("/proc/self/clear_refs").write_text("5")
            before = peak("VmRSS")
            align_face(photo, five * scale + side / 2, (64, 64))
            print((peak("VmHWM") - before) / side**2)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True,
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"},
    )  # fmt: skip
    _, inside, beyond = map(float, done.stdout.split())
    # Rows that are shrunk along one axis, of 25 million pixels; the rest is some 3 MB, whatever the size.
    assert max(inside, beyond) < 1


# --- what cannot be used ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        (FIVE[:4] + 300, "and 4 came"),
        (np.zeros((98, 2)), "the 68 of iBUG, and 98 came"),
        ([], "must be a list of points"),
        (None, "must be a list of points"),
        ("60,80", "must be a list of points"),
        ([*FIVE.tolist()[:4], [1]], "must be a list of points"),
        ([[True, False]] * 5, "must be a list of points"),
        (np.full((5, 2), np.nan), "must be numbers from -1000000 to 1000000"),
        (FIVE * 1e6, "must be numbers from"),
        (np.zeros((5, 2)), "eyes and mouth lie on one line"),
        ([(0, 0), (10, 0), (5, 0), (20, 0), (30, 0.5)], "eyes and mouth lie on one line"),
        # dlib's five: the corners of both eyes, and the base of the nose.
        ([(190, 80), (170, 82), (110, 80), (130, 82), (150, 110)], "third of five .* is no nose"),
        (FIVE + 700, "the face lies at 7.* the photo is 600 x 500 pixels: landmarks are those of"),
        (FIVE * 0.04 + 300, "at least 8 are needed"),
        (FIVE * 90 + (300, 970), "at most 4 times the photo's longer side, which is 600"),
    ],
)
def test_landmarks_that_are_none(landmarks, message) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        align_face(smooth_photo(600, 500), landmarks, (OUT, OUT))
    assert "\n" not in str(refusal.value)


def test_other_arguments_that_cannot_be_used(tmp_path) -> None:
    for photo, image_size, fit in (
        (3, (64, 64), "crop"),
        (tmp_path / "missing.jpg", (64, 64), "crop"),
        (smooth_photo(99, 99), 64, "crop"),
        (smooth_photo(99, 99), (0, 64), "crop"),
        (smooth_photo(99, 99), (64, 64), "fill"),
    ):
        with pytest.raises(InputError):
            align_face(photo, FIVE + 50, image_size, fit=fit)


def test_a_file_is_read_as_a_photo(tmp_path) -> None:
    photo = smooth_photo(200, 200)
    photo.picture.save(tmp_path / "p.png")
    found = align_face(tmp_path / "p.png", FIVE + 100, (OUT, OUT))
    expected = align_face(photo, FIVE + 100, (OUT, OUT))
    assert np.array_equal(found.picture, expected.picture)
