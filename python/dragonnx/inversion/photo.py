"""A photo from a file, upright and in sRGB, and its part that a generator is to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from dragonnx.errors import InputError
from dragonnx.inversion.window import Box, is_within, resized
from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.reading.colours import Colours, read_colours
from dragonnx.reading.pictures import PictureSource, Size, name_of
from dragonnx.reading.values import instance, one_of, shown, size, whole
from dragonnx.types import Fit

SMALLEST_SIDE = 32
"""Pixels: a smaller picture does not say what it shows."""
_LARGEST_BOX = 4
"""Times the photo's sides: what a larger one shows is no longer to be seen in a model's image."""
_FARTHEST = 10**6
"""Pixels from a photo's corner: no photo that is read is larger."""
_GREY = (128, 128, 128)


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

    def __post_init__(self) -> None:
        """Refuse what `load_photo` has to be asked for.

        Raises:
            InputError: The picture is not RGB, or the weights do not fit it.
        """
        if getattr(self.picture, "mode", None) != "RGB":
            raise InputError("the picture of a Photo must be RGB: load_photo makes it of any other")
        if self.weights is not None and (
            getattr(self.weights, "mode", None) != "L" or self.weights.size != self.picture.size
        ):
            raise InputError('the weights of a Photo must be "L", and of the size of its picture')


def load_photo(
    path: PictureSource,
    mask: PictureSource | None = None,
    *,
    image_size: tuple[int, int] | None = None,
) -> Photo:
    """Read a photo; EXIF rotation and colour profile are applied, of an animation the first frame.

    What is transparent does not count, and neither does what a mask shows black.

    Args:
        path: The picture, in any colour mode and depth: a file of the formats that are read, or a
            picture that Pillow has, which gives what its file gives.
        mask: A picture of the same size after rotation: white counts, black is ignored.
        image_size: (height, width) of the model's images, where that is known: a photo of that size
            will do, however small it is.

    Raises:
        InputError: A file cannot be read, the photo is too small or too large, or the mask has
            another size or leaves nothing.
    """
    least = SMALLEST_SIDE if image_size is None else min(SMALLEST_SIDE, *image_size)
    picture, opacity = _read(path, "the photo", partial(_check_side, least=least))
    weights = opacity
    if mask is not None:
        painted = _read_mask(mask, picture.size)
        weights = painted if opacity is None else ImageChops.darker(opacity, painted)
    if weights is not None and weights.getbbox() is None:
        raise InputError(
            f"nothing of {name_of(path, 'the photo')} counts: it is transparent or masked out"
        )
    if opacity is not None:
        # Transparent parts become grey, since they hold no colour worth looking at.
        picture.paste(_GREY, mask=ImageChops.invert(opacity))
    return Photo(picture, weights)


def photo_of(photo: Photo | PictureSource, image_size: tuple[int, int] | None = None) -> Photo:
    """A photo as it is given, or as `load_photo` reads it."""
    return photo if isinstance(photo, Photo) else load_photo(photo, image_size=image_size)


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
        InputError: The box does not lie on the photo, is too small or too large, or an argument is
            of another type.
    """
    instance(photo, "photo", Photo)
    height, width = size(image_size, "image_size", LARGEST_SIDE)
    one_of(fit, "fit", get_args(Fit))
    everything = (0, 0, *photo.picture.size)
    box = _checked_box(everything if box is None else box, photo.picture.size)
    window = _shaped(box, width / height, fit)
    # Band by band, since a copy of all of a large photo would take much memory.
    bands = [
        resized(band, window, (width, height), Image.Resampling.LANCZOS, border="goes on")
        for band in map(photo.picture.getchannel, range(3))
    ]
    picture = Image.merge("RGB", bands)
    if photo.weights is None and is_within(window, photo.picture.size):
        return Photo(picture)
    inside = photo.weights or Image.new("L", photo.picture.size, 255)
    weights = resized(inside, window, (width, height), Image.Resampling.BOX, border="black")
    return Photo(picture, None if weights.getextrema()[0] == 255 else weights)


def _checked_box(box: object, photo: Size) -> Box:
    """A box on a photo of that size (width, height), or partly beyond it."""
    if not isinstance(box, list | tuple) or len(box) != 4:
        raise InputError(f"box must be left, top, right, bottom in whole pixels, not {shown(box)}")
    left, top, right, bottom = (whole(each, "box", -_FARTHEST, _FARTHEST) for each in box)
    across, down = right - left, bottom - top
    if across < 2 or down < 2:
        raise InputError(
            f"the crop box must be at least 2 x 2 pixels, left before right and top before bottom, "
            f"not {left},{top},{right},{bottom}"
        )
    width, height = photo
    if right <= 0 or left >= width or bottom <= 0 or top >= height:
        raise InputError(
            f"the crop box {left},{top},{right},{bottom} does not touch the photo, which is "
            f"{width} x {height} pixels"
        )
    if across > _LARGEST_BOX * width or down > _LARGEST_BOX * height:
        raise InputError(
            f"the crop box {left},{top},{right},{bottom} lies mostly beyond the photo: it may be "
            f"{_LARGEST_BOX} times its size, {width} x {height} pixels"
        )
    return left, top, right, bottom


def _shaped(box: Box, shape: float, fit: Fit) -> Box:
    """The box around the same middle whose width is so many times its height."""
    left, top, right, bottom = box
    wide = (right - left) / (bottom - top) > shape
    across = (bottom - top) * shape if wide == (fit == "crop") else right - left
    down = (right - left) / shape if wide != (fit == "crop") else bottom - top
    x, y = (left + right - across) / 2, (top + bottom - down) / 2
    return round(x), round(y), round(x + across), round(y + down)


def target_of(photo: Photo) -> NDArray[np.float32]:
    """An aligned photo as an image [1, 3, H, W], -1 to 1."""
    pixels = np.asarray(photo.picture, np.float32).transpose(2, 0, 1)
    return np.ascontiguousarray(pixels / np.float32(127.5) - 1)[None]


def weights_of(photo: Photo) -> NDArray[np.float32] | None:
    """How much each pixel [H, W] of an aligned photo counts, 0 to 1; None where all do."""
    if photo.weights is None:
        return None
    return np.asarray(photo.weights, np.float32) / np.float32(255)


def _read(source: PictureSource, what: str, fits: Callable[[Size, str], None]) -> Colours:
    name = name_of(source, what)
    try:
        return read_colours(source, what, lambda size: fits(size, name))
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise InputError(f"there is no {name.removeprefix('the ')}") from error
        raise


def _check_side(size: Size, name: str, least: int) -> None:
    if min(size) < least:
        raise InputError(
            f"{name} is {size[0]} x {size[1]} pixels; at least {least} x {least} are needed to find it "
            "again"
        )


def _read_mask(source: PictureSource, photo: Size) -> Image.Image:
    """How much each pixel of a photo of that size counts, "L"."""

    def check(size: Size, name: str) -> None:
        if size != photo:
            raise InputError(
                f"{name} is {size[0]} x {size[1]} pixels, but the photo is {photo[0]} x {photo[1]}: "
                "it must be drawn at the photo's size"
            )

    def may_fit(size: Size, name: str) -> None:
        if size != photo[::-1]:  # EXIF may turn it
            check(size, name)

    painted, opacity = _read(source, "the mask", may_fit)
    check(painted.size, name_of(source, "the mask"))
    counts = painted.convert("L")
    # What is transparent was not painted, whatever colour lies unseen in it.
    return counts if opacity is None else ImageChops.darker(counts, opacity)
