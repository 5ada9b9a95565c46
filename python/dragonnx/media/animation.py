"""Animations: GIF, WebP, MP4."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from dragonnx.errors import InputError
from dragonnx.files import save_bytes, written_whole
from dragonnx.media.xmp import PROVENANCE, packet

ANIMATION_SUFFIXES = (".gif", ".webp", ".mp4")

_FRAME_MILLISECONDS = 80
_LAST_FRAME_MILLISECONDS = 1500
_LARGEST_FRAME = 512
"""Pixels: larger frames of a GIF or WebP are shrunk, since all of them are in memory at once."""


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


def save_animation(frames: Iterator[Image.Image], path: Path, *, holds_last: bool = True) -> None:
    """Write a GIF, WebP or MP4, by the path's suffix, all or nothing.

    Args:
        frames: They are taken one by one.
        path: Where to.
        holds_last: Whether the last frame stands longer, which a loop does not want.

    Raises:
        InputError: The suffix is another one, a library is missing, or the file cannot be written.
    """
    check_animation(path)
    if path.suffix.lower() == ".mp4":
        with written_whole(path) as temporary:
            _write_mp4(_with_last_held(frames) if holds_last else frames, temporary)
        return
    prepare = _with_palette if path.suffix.lower() == ".gif" else _shrunk
    pictures = [prepare(frame) for frame in frames]
    durations = [_FRAME_MILLISECONDS] * len(pictures)
    if holds_last:
        durations[-1] = _LAST_FRAME_MILLISECONDS
    content = io.BytesIO()
    pictures[0].save(
        content,
        path.suffix[1:].upper(),
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        comment=PROVENANCE.encode(),  # of a GIF
        xmp=packet(None),  # of a WebP
    )
    save_bytes(content.getvalue(), path)


def _shrunk(picture: Image.Image) -> Image.Image:
    picture.thumbnail((_LARGEST_FRAME, _LARGEST_FRAME), Image.Resampling.LANCZOS)
    return picture


def _with_palette(picture: Image.Image) -> Image.Image:
    """A frame in 256 colours of its own.

    Pillow's own choice, by median cut, takes forty times as long, which is most of the time of a drag,
    and is further from pictures that a generator makes.
    """
    picture = _shrunk(picture)
    if picture.mode == "L":  # has no more
        return picture
    return picture.quantize(method=Image.Quantize.FASTOCTREE)


def _write_mp4(frames: Iterator[Image.Image], path: Path) -> None:
    """Encode frame by frame, so that one at a time is in memory."""
    import av

    try:
        with av.open(str(path), "w") as container:
            container.metadata["comment"] = PROVENANCE
            stream = container.add_stream("h264", Fraction(1000, _FRAME_MILLISECONDS))
            stream.pix_fmt = "yuv420p"  # what every player can show
            stream.options = {"crf": "18"}
            for number, picture in enumerate(frames):
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
