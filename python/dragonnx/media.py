"""Pictures that leave the program: PNG with its recipe, animations, points drawn on images."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from dragonnx import __version__
from dragonnx.errors import InputError
from dragonnx.files import save_bytes, written_whole
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.pictures import PictureSource, name_of, read_picture
from dragonnx.types import Points

PROVENANCE = "AI-generated: made by a StyleGAN2 generator with dragonnx; it shows nothing real."
ANIMATION_SUFFIXES = (".gif", ".webp", ".mp4")

_HANDLE_COLOUR = (230, 30, 40)
_TARGET_COLOUR = (40, 90, 235)
_LINE_COLOUR = (255, 255, 255)
_SMALLEST_DRAWING = 384
"""Pixels: a smaller image is enlarged before points are drawn on it, so that they stay legible."""
_OVERSAMPLING = 3
_FRAME_MILLISECONDS = 80
_LAST_FRAME_MILLISECONDS = 1500
_LONGEST_RECIPE = 32 * 2**20
"""Characters: no picture is read that holds more beside its pixels."""
_LARGEST_FRAME = 512
"""Pixels: larger frames of a GIF or WebP are shrunk, since all of them are in memory at once."""


def save_png(image: Image.Image, path: Path, recipe: Mapping[str, Any]) -> None:
    """Write a PNG that says how it was made and that it is AI-generated, all or nothing.

    Args:
        image: The picture.
        path: Where to.
        recipe: Model, latent, points and settings, as JSON values.

    Raises:
        OutputError: The file cannot be written.
    """
    metadata = PngInfo()
    metadata.add_text("Software", f"dragonnx {__version__}")
    metadata.add_text("Comment", PROVENANCE)
    metadata.add_itxt("dragonnx", json.dumps(recipe, sort_keys=True))
    content = io.BytesIO()
    image.save(content, "PNG", pnginfo=metadata)
    save_bytes(content.getvalue(), path)


def read_recipe(source: PictureSource) -> dict[str, Any]:
    """How a PNG of this program was made: the recipe that `save_png` wrote.

    Raises:
        InputError: The picture cannot be read, or carries no recipe.
    """
    text = getattr(read_picture(source, ""), "text", {}).get("dragonnx")
    recipe = None
    with contextlib.suppress(InputError):
        recipe = None if text is None else parse_json(text, "the recipe", largest=_LONGEST_RECIPE)
    if not isinstance(recipe, dict):
        name = name_of(source, "") or "the picture"
        raise InputError(f"{name} does not say how it was made: dragonnx did not write it")
    return recipe


def check_animation(path: Path) -> None:
    """Refuse an animation that could not be written in the end.

    Raises:
        InputError: The suffix is unknown, or a library that it needs is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in ANIMATION_SUFFIXES:
        kinds = " or ".join(ANIMATION_SUFFIXES)
        raise InputError(f"an animation is written as {kinds}, not {path.suffix or path}")
    if suffix == ".mp4" and importlib.util.find_spec("av") is None:
        raise InputError(
            "an .mp4 needs PyAV, which is not installed: pip install 'dragonnx[video]'"
        )


def save_animation(frames: Iterator[Image.Image], path: Path) -> None:
    """Write a GIF, WebP or MP4, by the path's suffix, whose last frame stands longer.

    Raises:
        InputError: The suffix is another one, a library is missing, or the file cannot be written.
    """
    check_animation(path)
    if path.suffix.lower() == ".mp4":
        with written_whole(path) as temporary:
            _write_mp4(frames, temporary)
        return
    pictures = [_shrunk(frame) for frame in frames]
    durations = [_FRAME_MILLISECONDS] * (len(pictures) - 1) + [_LAST_FRAME_MILLISECONDS]
    content = io.BytesIO()
    pictures[0].save(
        content,
        path.suffix[1:].upper(),
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        comment=PROVENANCE.encode(),
    )
    save_bytes(content.getvalue(), path)


def _shrunk(picture: Image.Image) -> Image.Image:
    picture.thumbnail((_LARGEST_FRAME, _LARGEST_FRAME), Image.Resampling.LANCZOS)
    return picture


def _write_mp4(frames: Iterator[Image.Image], path: Path) -> None:
    """Encode frame by frame, so that one at a time is in memory."""
    import av

    try:
        with av.open(str(path), "w") as container:
            container.metadata["comment"] = PROVENANCE
            stream = container.add_stream("h264", Fraction(1000, _FRAME_MILLISECONDS))
            stream.pix_fmt = "yuv420p"  # what every player can show
            stream.options = {"crf": "18"}
            for number, picture in enumerate(_with_last_held(frames)):
                # Two by two pixels share their colour, so both sides must be even.
                pixels = np.asarray(picture.convert("RGB"))
                pixels = pixels[: picture.height & ~1, : picture.width & ~1]
                if number == 0:
                    stream.height, stream.width = pixels.shape[:2]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error


def _with_last_held(frames: Iterator[Image.Image]) -> Iterator[Image.Image]:
    for frame in frames:
        yield frame
    yield from [frame] * (_LAST_FRAME_MILLISECONDS // _FRAME_MILLISECONDS)


def save_json(values: Mapping[str, Any], path: Path) -> None:
    """Write JSON for users and programs, all or nothing.

    Raises:
        OutputError: The file cannot be written.
    """
    save_bytes(f"{json.dumps(values, indent=1)}\n".encode(), path)


def with_points(image: Image.Image, handles: Points, targets: Points) -> Image.Image:
    """The image with its handles (red), targets (blue) and the lines between, enlarged if small.

    Args:
        image: The picture.
        handles: (x, y) in its pixels, [n, 2].
        targets: Likewise.
    """
    scale = max(1, -(-_SMALLEST_DRAWING // min(image.size)))
    size = (image.width * scale, image.height * scale)
    fine = scale * _OVERSAMPLING
    overlay = Image.new("RGBA", (image.width * fine, image.height * fine))
    draw = ImageDraw.Draw(overlay)
    radius = max(overlay.size) / 110

    def disc(point: tuple[float, float], colour: tuple[int, int, int]) -> None:
        for reach, fill in ((1.35, _LINE_COLOUR), (1.0, colour)):
            r = radius * reach
            draw.ellipse((point[0] - r, point[1] - r, point[0] + r, point[1] + r), fill=fill)

    for handle, target in zip(handles, targets, strict=True):
        # Pixel centres are at integers, so the first pixel's middle is half a pixel in.
        start, end = ((float((p[0] + 0.5) * fine), float((p[1] + 0.5) * fine))
                      for p in (handle, target))  # fmt: skip
        draw.line((start, end), fill=_LINE_COLOUR, width=round(radius * 0.6))
        disc(end, _TARGET_COLOUR)
        disc(start, _HANDLE_COLOUR)
    enlarged = image.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    enlarged.alpha_composite(overlay.resize(size, Image.Resampling.BOX))
    return enlarged.convert("RGB")


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size in a row, a thin white gap between them."""
    gap = max(2, pictures[0].width // 48)
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new("RGB", (width, pictures[0].height), "white")
    x = 0
    for picture in pictures:
        row.paste(picture, (x, 0))
        x += picture.width + gap
    return row
