"""Photos of every kind: upright, in sRGB, eight bits, and cut to what the model shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, ImageOps
from support.pictures import TIFF_MODES, png

from dragonnx.drag.mask import is_mask, load_mask
from dragonnx.errors import InputError
from dragonnx.inversion.photo import Photo, align, load_photo, photo_of, target_of, weights_of


def gradient(width: int = 80, height: int = 60) -> Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(20, 230, width), np.linspace(20, 230, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], 2).astype(np.uint8))


def assert_alike(picture: Image.Image, expected: Image.Image, tolerance: float) -> None:
    difference = np.asarray(picture, float) - np.asarray(expected, float)
    assert picture.mode == "RGB"
    assert np.abs(difference).mean() <= tolerance


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    turned = gradient().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned.save(tmp_path / "p.png", exif=exif)
    photo = load_photo(tmp_path / "p.png")
    assert_alike(photo.picture, gradient(), 0)


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "p.png")
    pixels = np.asarray(load_photo(tmp_path / "p.png").picture, float)
    np.testing.assert_allclose(pixels[..., 0], grey / 257, atol=0.51)  # half a level of rounding


@pytest.mark.parametrize("mode", sorted(TIFF_MODES & {"L", "P", "CMYK", "YCbCr", "1", "LA"}))
def test_every_colour_mode_is_read(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "p.tif"
    picture = gradient().convert(mode)
    picture.save(path)
    expected = picture.convert("RGB")
    assert_alike(load_photo(path).picture, expected, 1.0)  # conversions there and back round


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    lab = ImageCms.createProfile("LAB")
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    gradient().save(tmp_path / "same.png", icc_profile=linear.tobytes())
    assert_alike(load_photo(tmp_path / "same.png").picture, gradient(), 1.0)
    # A profile that does not fit the picture is said and left out.
    gradient().save(tmp_path / "lab.png", icc_profile=ImageCms.ImageCmsProfile(lab).tobytes())
    assert_alike(load_photo(tmp_path / "lab.png").picture, gradient(), 0)


def test_what_is_transparent_does_not_count(tmp_path: Path) -> None:
    picture = gradient().convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (0, 0, 40, 60))
    picture.putalpha(alpha)
    picture.save(tmp_path / "p.png")
    photo = load_photo(tmp_path / "p.png")
    weights = weights_of(align(photo, (60, 80)))
    assert weights is not None
    assert weights[:, :40].max() == 0
    assert weights[:, 40:].min() == 1
    assert np.asarray(photo.picture)[0, 0].tolist() == [128, 128, 128]


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "p.gif", save_all=True, append_images=frames[1:])
    assert np.asarray(load_photo(tmp_path / "p.gif").picture)[5, 5].tolist() == [255, 0, 0]


def test_unusable_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    def refused(path: Path, message: str) -> None:
        with pytest.raises(InputError, match=message):
            load_photo(path)

    refused(tmp_path / "none.jpg", "there is no photo")
    (tmp_path / "text.jpg").write_text("not a picture")
    refused(tmp_path / "text.jpg", "is no picture that can be read: save it as PNG")
    (tmp_path / "latent.npz").write_bytes(b"PK\3\4" + bytes(99))
    refused(tmp_path / "latent.npz", "is a zip archive, .* no picture .*: give a picture")
    (tmp_path / "drawing.svg").write_text("<svg/>")
    refused(tmp_path / "drawing.svg", "is an SVG drawing and no picture .*: save it as PNG")
    gradient(400, 300).save(tmp_path / "p.jpg")
    content = (tmp_path / "p.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "cut.jpg", "cannot be read")
    gradient(30, 300).save(tmp_path / "tiny.png")
    refused(tmp_path / "tiny.png", "30 x 300 pixels; at least 32 x 32")
    assert load_photo(tmp_path / "tiny.png", image_size=(16, 64)).picture.size == (30, 300)
    with pytest.raises(InputError, match="at least 32 x 32"):
        load_photo(tmp_path / "tiny.png", image_size=(64, 64))
    Image.new("RGBA", (64, 64)).save(tmp_path / "empty.png")
    refused(tmp_path / "empty.png", "nothing of the photo .* counts")
    refused(tmp_path, "cannot be read")


def test_a_picture_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(png(60_000, 60_000))
    with pytest.raises(InputError, match="more pixels than any camera's"):
        load_photo(tmp_path / "p.png")


def test_a_photo_is_a_path_a_picture_or_a_photo(tmp_path: Path) -> None:
    gradient().save(tmp_path / "p.png")
    made = [
        photo_of(source) for source in (tmp_path / "p.png", str(tmp_path / "p.png"), gradient())
    ]
    assert photo_of(made[0]) is made[0]
    for photo in made:
        assert_alike(photo.picture, gradient(), 0)
    for other in (np.zeros((60, 80, 3), np.uint8), None, 5):
        with pytest.raises(InputError, match="the photo must be a path or a Pillow image, not"):
            photo_of(other)  # type: ignore[arg-type]


def test_a_photo_that_is_put_together_must_fit() -> None:
    with pytest.raises(InputError, match="must be RGB: load_photo makes it"):
        Photo(gradient().convert("RGBA"))
    for weights in (Image.new("L", (9, 9)), Image.new("1", (80, 60)), np.zeros((60, 80))):
        with pytest.raises(InputError, match='the weights of a Photo must be "L"'):
            Photo(gradient(), weights)  # type: ignore[arg-type]


def test_a_mask_may_be_turned_by_exif_and_have_any_mode(tmp_path: Path) -> None:
    drawn = Image.new("L", (80, 60))
    drawn.paste(255, (10, 0, 80, 60))
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    drawn.quantize(2).save(tmp_path / "palette.png")
    Image.fromarray(np.asarray(drawn).astype(np.uint16) * 257).save(tmp_path / "deep.png")
    for name in ("turned.png", "palette.png", "deep.png"):
        weights = load_photo(gradient(), tmp_path / name).weights
        assert np.array_equal(weights, drawn), name
        assert np.array_equal(load_mask(tmp_path / name, (60, 80)), np.asarray(drawn) > 0), name
        assert is_mask(tmp_path / name), name
    with pytest.raises(
        InputError, match=r"the mask .* is 80 x 60 pixels, but the image is 60 x 80"
    ):
        load_mask(tmp_path / "deep.png", (80, 60))


@pytest.mark.parametrize("unseen", [0, 255])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_was_not_painted_on_a_clear_mask_stays(tmp_path: Path, unseen: int, mode: str) -> None:
    """Painting programs leave any colour under what they make clear."""
    painted = np.zeros((60, 80), bool)
    painted[10:30, 20:70] = True
    bands = [np.where(painted, 255, unseen).astype(np.uint8)] * (len(mode) - 1)
    drawn = np.dstack([*bands, painted.astype(np.uint8) * 255])
    Image.fromarray(drawn, mode).save(tmp_path / "clear.png")
    assert np.array_equal(load_mask(tmp_path / "clear.png", (60, 80)), painted)
    weights = load_photo(gradient(), tmp_path / "clear.png").weights
    assert np.array_equal(np.asarray(weights) == 255, painted)


def test_masks_are_told_from_photos_of_any_size() -> None:
    drawn = Image.new("L", (3000, 2000))
    ImageDraw.Draw(drawn).ellipse((400, 300, 2000, 1900), fill=255)
    assert is_mask(drawn)
    assert is_mask(drawn.convert("P"))
    assert not is_mask(gradient(3000, 2000))
    assert not is_mask(ImageOps.colorize(drawn, "red", "white")), "it has a colour"
    assert not is_mask(Image.new("L", (3000, 2000), 128))


def test_a_mask_leaves_the_background_out(tmp_path: Path) -> None:
    gradient().save(tmp_path / "p.png")
    mask = Image.new("L", (80, 60))
    mask.paste(255, (10, 10, 70, 50))
    mask.save(tmp_path / "m.png")
    weights = weights_of(align(load_photo(tmp_path / "p.png", tmp_path / "m.png"), (60, 80)))
    assert weights is not None
    assert weights.sum() == 60 * 40
    Image.new("L", (8, 6), 255).save(tmp_path / "m.png")
    with pytest.raises(InputError, match=r"the mask .* is 8 x 6 pixels, but the photo is 80 x 60"):
        load_photo(tmp_path / "p.png", tmp_path / "m.png")


def test_the_middle_is_cut_out() -> None:
    part = align(Photo(gradient(120, 60)), (60, 60))
    assert part.weights is None
    assert_alike(part.picture, gradient(120, 60).crop((30, 0, 90, 60)), 0)
    tall = align(Photo(gradient(60, 120)), (60, 60))
    assert_alike(tall.picture, gradient(60, 120).crop((0, 30, 60, 90)), 0)


def test_padding_does_not_count() -> None:
    part = align(Photo(gradient(120, 60)), (120, 120), fit="pad")
    weights = weights_of(part)
    assert weights is not None
    assert (weights[30:90] == 1).all()
    assert weights[:30].max() == weights[90:].max() == 0
    assert_alike(part.picture.crop((0, 30, 120, 90)), gradient(120, 60), 0)
    # Beyond the border its pixels go on, so that resampling does not ring.
    assert (np.asarray(part.picture)[:30] == np.asarray(part.picture)[30]).all()


def test_a_box_is_taken_and_may_reach_beyond_the_photo() -> None:
    whole = Photo(gradient(120, 60))
    inside = align(whole, (30, 30), box=(20, 10, 50, 40))
    assert_alike(inside.picture, whole.picture.crop((20, 10, 50, 40)), 0)
    beyond = align(whole, (40, 40), box=(-20, 10, 20, 50))
    weights = weights_of(beyond)
    assert weights is not None
    assert weights[:, :20].max() == 0
    assert weights[:, 20:].min() == 1
    around = weights_of(align(whole, (40, 80), box=(-60, -30, 180, 90)))
    assert around is not None
    assert (around[10:30, 20:60] == 1).all()
    assert around.sum() == 20 * 40
    for box, message in (
        ((5, 5, 5, 9), "at least 2 x 2"),
        ((200, 0, 230, 30), "does not touch"),
        ((-400, 0, 110, 30), "lies mostly beyond the photo: it may be 4 times its size, 120 x 60"),
    ):
        with pytest.raises(InputError, match=message):
            align(whole, (30, 30), box=box)


def test_pixels_become_minus_one_to_one() -> None:
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((1, 0), (255, 0, 51))
    target = target_of(Photo(picture))
    assert target.shape == (1, 3, 1, 2)
    np.testing.assert_allclose(target[0, :, 0, 1], [1, -1, -0.6], atol=1e-6)
