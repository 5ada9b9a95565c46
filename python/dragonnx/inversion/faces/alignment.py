"""A photo turned and cut as the faces of FFHQ are, on which most generators of faces were trained.

Where the square lies is the formula of T. Karras, S. Laine and T. Aila, "A Style-Based Generator
Architecture for Generative Adversarial Networks" (2019; its FFHQ is aligned as appendix C of Karras et
al., "Progressive Growing of GANs", 2018, has it for CelebA-HQ), with the numbers of the script that makes
the data set, `recreate_aligned_images` of `download_ffhq.py`. Only these facts are from there.
"""

from __future__ import annotations

import math
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageChops, ImageFilter, ImageStat

from dragonnx.errors import InputError
from dragonnx.inversion.faces.landmarks import Face, face_of
from dragonnx.inversion.photo import Photo, photo_of
from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.reading.pictures import PictureSource
from dragonnx.reading.values import one_of, size
from dragonnx.types import Fit, Points

_OF_EYES, _OF_MOUTH = 2.0, 1.8
"""Half the square's side, in distances between the eyes and from eyes to mouth: the larger counts."""
_DOWN = 0.1
"""From the eyes towards the mouth lies the square's middle."""
_MARGIN, _SMALLEST_MARGIN = 0.1, 3
"""What is cut out around the square, in sides of it and at least in pixels."""
_TOUCHES = 4
"""Pixels: so close to the photo's border, its border is padded."""
_PADDING, _BLUR = 0.3, 0.02
"""In sides of the square: how far the border is mirrored at least, and how blurred it becomes."""
_FINE, _FINEST = 4, 4096
"""How many times finer the square is drawn before it is averaged, and pixels of a side at most."""
_SMALLEST = 8
"""Pixels of the square's side: a smaller face shows nothing."""
_LARGEST = 4
"""Times the photo's longer side: of a larger square most is not there."""


class Frame(NamedTuple):
    """Where an aligned image lies in a photo.

    Attributes:
        middle: Of the image, [2], in pixels of the photo, whose corner is (0, 0).
        across: From the middle to the middle of the right side, [2].
        down: From the middle to the middle of the lower side, [2].
    """

    middle: Points
    across: Points
    down: Points

    @property
    def corners(self) -> Points:
        """Upper left, lower left, lower right, upper right, [4, 2]."""
        right, below = self.across, self.down
        return self.middle + np.stack([-right - below, below - right, right + below, right - below])

    @property
    def side(self) -> float:
        """Length of the longer side, in pixels of the photo."""
        return 2 * max(math.hypot(*self.across), math.hypot(*self.down))


def frame_of(face: Face, image_size: tuple[int, int] = (1, 1), fit: Fit = "crop") -> Frame:
    """Where FFHQ's square of a face lies; for a model of another shape, the part in or around it.

    Args:
        face: Eyes and mouth; pixel centres at integers.
        image_size: (height, width) of the model's images.
        fit: "crop" for the largest part of that shape in the square, "pad" for the smallest around it.
    """
    eyes = (face.left_eye + face.right_eye) / 2
    eye_to_eye, eye_to_mouth = face.right_eye - face.left_eye, face.mouth - eyes
    # The mouth says as much of what is upright as the eyes do.
    direction = eye_to_eye + np.array([eye_to_mouth[1], -eye_to_mouth[0]])
    half = max(math.hypot(*eye_to_eye) * _OF_EYES, math.hypot(*eye_to_mouth) * _OF_MOUTH)
    across = direction / math.hypot(*direction) * half
    down = np.array([-across[1], across[0]])
    height, width = image_size
    whole = min(height, width) if fit == "pad" else max(height, width)
    # Of a pixel the middle is half a pixel in.
    middle = eyes + eye_to_mouth * _DOWN + 0.5
    return Frame(middle, across * (width / whole), down * (height / whole))


def align_face(
    photo: Photo | PictureSource,
    landmarks: ArrayLike,
    image_size: tuple[int, int],
    *,
    fit: Fit = "crop",
) -> Photo:
    """A face turned and cut as FFHQ's are, at the size of the generator's images.

    What lies beyond the photo is its mirrored border, blurred, as in FFHQ; in the search for the latent
    it does not count, and what is blurred counts the less the more it is.

    Args:
        photo: The whole photo, or what `load_photo` reads.
        landmarks: (x, y) in pixels of the photo as it is shown, pixel centres at integers: 5 of left
            eye, right eye, nose and left and right corner of the mouth, or the 68 of iBUG. Left is what
            is seen left; the other way round is understood too.
        image_size: (height, width) of the model's images.
        fit: For a model whose images are no squares: "crop" cuts the square to their shape, "pad"
            shows all of it and more.

    Raises:
        InputError: The photo cannot be read, an argument is of another type, or the landmarks are no
            face on this photo.
    """
    photo = photo_of(photo, image_size)
    height, width = size(image_size, "image_size", LARGEST_SIDE)
    one_of(fit, "fit", get_args(Fit))
    frame = frame_on(photo.picture.size, landmarks, (height, width), fit)
    part = _cut_out(photo, frame, max(height, width))
    fine = min(_FINE, max(1, _FINEST // max(height, width)))

    def drawn(picture: Image.Image, resample: Image.Resampling) -> Image.Image:
        large = picture.transform(
            (width * fine, height * fine),
            Image.Transform.QUAD,
            part.corners.ravel().tolist(),
            Image.Resampling.BILINEAR,
        )
        return large if fine == 1 else large.resize((width, height), resample)

    picture = drawn(part.picture, Image.Resampling.LANCZOS)
    if part.weights is None:
        return Photo(picture)
    weights = drawn(part.weights, Image.Resampling.BOX)
    return Photo(picture, None if weights.getextrema()[0] == 255 else weights)


def frame_on(
    photo: tuple[int, int], landmarks: ArrayLike, image_size: tuple[int, int], fit: Fit = "crop"
) -> Frame:
    """Where an aligned image lies in a photo of that size (width, height).

    Args:
        photo: The size of the whole photo.
        landmarks: As `align_face` takes them.
        image_size: (height, width) of the model's images.
        fit: As `align_face` takes it.

    Raises:
        InputError: The landmarks are no face on such a photo.
    """
    frame = frame_of(face_of(landmarks), image_size, fit)
    _check_place(frame, photo)
    return frame


def _check_place(frame: Frame, photo: tuple[int, int]) -> None:
    """Refuse a face that is not on a photo of that size (width, height)."""
    x, y = frame.middle
    width, height = photo
    if not (0 <= x <= width and 0 <= y <= height):
        raise InputError(
            f"the face lies at {x:.0f},{y:.0f}, and the photo is {width} x {height} pixels: landmarks "
            "are those of another picture, or of this one at another size"
        )
    if not _SMALLEST <= frame.side <= _LARGEST * max(photo):
        raise InputError(
            f"the face with what is around it is {frame.side:.3g} pixels wide: at least {_SMALLEST} "
            f"are needed, and at most {_LARGEST} times the photo's longer side, which is {max(photo)}"
        )


class _Part(NamedTuple):
    """What is left of a photo: a part around the face, no finer than needed.

    Attributes:
        picture: It, RGB.
        weights: How much of each pixel is the photo's own and counts, "L"; None where all do.
        corners: The frame's in its pixels, as `Frame.corners`.
    """

    picture: Image.Image
    weights: Image.Image | None
    corners: Points


def _cut_out(photo: Photo, frame: Frame, longest: int) -> _Part:
    """The part of a photo that an aligned image of so many pixels shows, with a margin."""
    # As FFHQ's script: what is left is two to four times as fine as the image, however large the photo.
    shrink = max(1, math.floor(frame.side / longest * 0.5))
    margin = max(round(frame.side / shrink * _MARGIN), _SMALLEST_MARGIN) * shrink
    low = np.floor(frame.corners.min(axis=0) - margin).astype(int)
    high = np.ceil(frame.corners.max(axis=0) + margin).astype(int)
    left, top = np.maximum(low, 0).tolist()
    right, bottom = np.minimum(high, photo.picture.size).tolist()
    box = (left, top, right, bottom)
    sides = [
        max(1, round((stop - start) / shrink)) for start, stop in ((left, right), (top, bottom))
    ]

    def cut(picture: Image.Image, resample: Image.Resampling) -> Image.Image:
        # Not cropped first: of a large photo a copy would take much memory.
        if shrink == 1:
            return picture.crop(box)
        return picture.resize((sides[0], sides[1]), resample, box=box)

    scale = np.array(sides) / (right - left, bottom - top)
    part = _Part(
        cut(photo.picture, Image.Resampling.LANCZOS),
        None if photo.weights is None else cut(photo.weights, Image.Resampling.BOX),
        (frame.corners - (left, top)) * scale,
    )
    ends = np.stack([low < 0, high > photo.picture.size])
    return _padded(part, frame.side / shrink, ends) if ends.any() else part


def _padded(part: _Part, side: float, ends: NDArray[np.bool_]) -> _Part:
    """A part with what lies beyond the photo, where the frame reaches its border.

    Args:
        part: It.
        side: Of the frame, in pixels of the part.
        ends: Where the photo ends and not only the part: left and top, right and bottom, [2, 2].
    """
    lengths = np.array(part.picture.size)
    margin = max(round(side * _MARGIN), _SMALLEST_MARGIN)
    low = np.floor(part.corners.min(axis=0)).astype(int) - margin
    high = np.ceil(part.corners.max(axis=0)).astype(int) + margin
    lacks = np.maximum([-low, high - lengths], 0)
    if lacks[ends].max() <= max(margin - _TOUCHES, 0):
        return part
    low, high = np.where(ends[0], low, 0), np.where(ends[1], high, lengths)
    pads = np.maximum(lacks, side * _PADDING)
    columns, rows = (np.arange(start, stop) for start, stop in zip(low, high, strict=True))
    outside = []
    for axis, at in enumerate((columns, rows)):
        before = -at / pads[0, axis] if ends[0, axis] else -1.0
        after = (at - (lengths[axis] - 1)) / pads[1, axis] if ends[1, axis] else -1.0
        outside.append(np.broadcast_to(np.maximum(before, after), at.shape))
    mirrored = _taken(part.picture, rows, columns)
    # From a third of the padding within the photo on the border is blurred; farther out it fades.
    blurred = _shares([3 * at + 1 for at in outside])
    soft = mirrored.filter(ImageFilter.GaussianBlur(side * _BLUR))
    picture = Image.composite(soft, mirrored, blurred)
    del soft, mirrored
    median = tuple(ImageStat.Stat(picture).median)
    picture.paste(median, (0, 0, *picture.size), _shares(outside))
    own = blurred.point([255 - share for share in range(256)])
    if part.weights is not None:
        own = ImageChops.multiply(own, _taken(part.weights, rows, columns))
    return _Part(picture, own, part.corners - (columns[0], rows[0]))


def _taken(picture: Image.Image, rows: NDArray[np.int_], columns: NDArray[np.int_]) -> Image.Image:
    """These rows and columns of a picture, which goes on mirrored beyond its borders."""
    pixels = np.asarray(picture)
    across, down = (
        _mirrored(at, length) for at, length in ((columns, picture.width), (rows, picture.height))
    )
    return Image.fromarray(pixels[down][:, across])


def _mirrored(at: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    """Places on a line of that length, for places that may lie beyond; its ends come once."""
    period = max(2 * (length - 1), 1)
    within = at % period
    return np.asarray(np.where(within < length, within, period - within))


def _shares(of_columns_and_rows: list[NDArray[np.float64]]) -> Image.Image:
    """The larger of what a column and a row say, from 0 to 1, as a picture "L"."""
    columns, rows = (
        np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8) for values in of_columns_and_rows
    )
    return Image.fromarray(np.maximum(columns, rows[:, None]))
