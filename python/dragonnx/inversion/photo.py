"""A photo from a file, upright and in sRGB, and its part that a generator is to show."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from dragonnx.errors import InputError
from dragonnx.log import logger
from dragonnx.types import Fit

Box = tuple[int, int, int, int]

SMALLEST_SIDE = 32
"""Pixels: a smaller picture does not say what it shows."""


@dataclass(frozen=True)
class Photo:
    """A picture to look for.

    Attributes:
        picture: Upright, RGB.
        weights: "L" of the same size: how much each pixel counts, 255 for all there is; None where
            all count.
    """

    picture: Image.Image
    weights: Image.Image | None = None


def load_photo(path: str | os.PathLike[str], mask: str | os.PathLike[str] | None = None) -> Photo:
    """Read a photo; EXIF rotation and colour profile are applied, of an animation the first frame.

    What is transparent does not count, and neither does what a mask shows black.

    Args:
        path: The picture, of any format that Pillow reads, in any colour mode and depth.
        mask: A picture of the same size after rotation: white counts, black is ignored.

    Raises:
        InputError: A file cannot be read, the photo is too small, or the mask has another size or
            leaves nothing.
    """
    picture = _read(path, "the photo")
    if min(picture.size) < SMALLEST_SIDE:
        raise InputError(
            f"the photo {path} is {picture.width} x {picture.height} pixels; at least "
            f"{SMALLEST_SIDE} x {SMALLEST_SIDE} are needed to find it again"
        )
    weights = _opacity(picture)
    if mask is not None:
        painted = _read(mask, "the mask").convert("L")
        if painted.size != picture.size:
            raise InputError(
                f"the mask {mask} is {painted.width} x {painted.height} pixels, but the photo is "
                f"{picture.width} x {picture.height}: it must be drawn at the photo's size"
            )
        if weights is not None:
            weights = Image.fromarray(np.minimum(np.asarray(weights), np.asarray(painted)))
        else:
            weights = painted
    if weights is not None and not np.asarray(weights).any():
        raise InputError(f"nothing of the photo {path} counts: it is transparent or masked out")
    return Photo(_opaque(picture), weights)


def align(
    photo: Photo, image_size: tuple[int, int], *, box: Box | None = None, fit: Fit = "crop"
) -> Photo:
    """The part of a photo that the generator is to show, at the size of its images.

    A model trained on aligned pictures, such as faces, wants the photo aligned alike: choose the
    box so that eyes and mouth come to lie where its own pictures have them.

    Args:
        photo: The whole photo.
        image_size: (height, width) of the model's images.
        box: Left, top, right, bottom in pixels of the photo, of about the shape of the image; it
            may reach beyond the photo, and what lies there does not count. None takes all.
        fit: What to do where the shape is another one: "crop" what is too much on both sides, or
            "pad" what is missing, which then does not count.

    Raises:
        InputError: The box does not lie on the photo or is too small.
    """
    height, width = image_size
    left, top, right, bottom = box or (0, 0, *photo.picture.size)
    if right - left < 2 or bottom - top < 2:
        raise InputError(
            f"the crop box must be at least 2 x 2 pixels, left before right and top before bottom, "
            f"not {left},{top},{right},{bottom}"
        )
    if not (0 <= left < photo.picture.width or 0 < right <= photo.picture.width) or not (
        0 <= top < photo.picture.height or 0 < bottom <= photo.picture.height
    ):
        raise InputError(
            f"the crop box {left},{top},{right},{bottom} does not touch the photo, which is "
            f"{photo.picture.width} x {photo.picture.height} pixels"
        )
    shape = width / height
    wide = (right - left) / (bottom - top) > shape
    across = (bottom - top) * shape if wide == (fit == "crop") else right - left
    down = (right - left) / shape if wide != (fit == "crop") else bottom - top
    x, y = (left + right - across) / 2, (top + bottom - down) / 2
    window = (round(x), round(y), round(x + across), round(y + down))
    inside = photo.weights or Image.new("L", photo.picture.size, 255)
    # Resampling may look beyond the window, so cut out first; what lies beyond the photo is black.
    weights = inside.crop(window).resize((width, height), Image.Resampling.BOX)
    picture = _stretched(photo.picture, window).resize((width, height), Image.Resampling.LANCZOS)
    whole = np.asarray(weights).min() == 255
    return Photo(picture, None if whole else weights)


def target_of(photo: Photo) -> NDArray[np.float32]:
    """An aligned photo as an image [1, 3, H, W], -1 to 1."""
    pixels = np.asarray(photo.picture, np.float32).transpose(2, 0, 1)
    return np.ascontiguousarray(pixels / np.float32(127.5) - 1)[None]


def weights_of(photo: Photo) -> NDArray[np.float32] | None:
    """How much each pixel [H, W] of an aligned photo counts, 0 to 1; None where all do."""
    if photo.weights is None:
        return None
    return np.asarray(photo.weights, np.float32) / np.float32(255)


def _read(path: str | os.PathLike[str], what: str) -> Image.Image:
    """The first frame of a file, upright and in sRGB where it says what its colours mean."""
    try:
        with Image.open(path) as file:
            file.load()
            profile = file.info.get("icc_profile")
            picture = ImageOps.exif_transpose(_eight_bits(file))
    except FileNotFoundError as error:
        raise InputError(f"there is no {what.removeprefix('the ')} {path}") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{what} {path} is no picture that can be read") from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{what} {path} has more pixels than any camera's: make it smaller first"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{what} {path} cannot be read ({error})") from error
    return _in_srgb(picture, profile, path) if profile else picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Pictures of 16 and more bits a channel as 8 bits: Pillow would cut their values off."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        largest = 1.0 if picture.mode == "F" and values.max() <= 1 else 65535.0
        eight = Image.fromarray(np.rint(values.clip(0, largest) * (255 / largest)).astype(np.uint8))
        eight.info = dict(picture.info)
        return eight
    return picture


def _in_srgb(picture: Image.Image, profile: bytes, path: str | os.PathLike[str]) -> Image.Image:
    """The picture's colours as sRGB."""
    if picture.mode not in ("RGB", "CMYK", "L"):  # with transparency: alpha stays beside
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            picture, given, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError) as error:
        logger.warning("the colour profile of %s is not usable and was ignored (%s)", path, error)
        return picture
    return converted or picture


def _opacity(picture: Image.Image) -> Image.Image | None:
    """How opaque each pixel is, "L"; None where all are."""
    if not picture.has_transparency_data:
        return None
    alpha = picture.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _opaque(picture: Image.Image) -> Image.Image:
    """RGB; transparent parts on grey, since they hold no colour worth looking at."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    grey = Image.new("RGBA", picture.size, (128, 128, 128, 255))
    return Image.alpha_composite(grey, picture.convert("RGBA")).convert("RGB")


def _stretched(picture: Image.Image, window: Box) -> Image.Image:
    """A window of a picture, whose border pixels go on where the window reaches beyond it.

    A black border would ring into the photo where it is resized.
    """
    left, top, right, bottom = window
    if left >= 0 and top >= 0 and right <= picture.width and bottom <= picture.height:
        return picture.crop(window)
    rows = np.arange(top, bottom).clip(0, picture.height - 1)
    columns = np.arange(left, right).clip(0, picture.width - 1)
    return Image.fromarray(np.asarray(picture)[rows[:, None], columns])
