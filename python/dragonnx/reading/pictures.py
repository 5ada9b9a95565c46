"""Opening pictures: raster formats alone, told by their content, of bounded size.

The plugins of Pillow are called here one by one and never through its own `open`. That would
also try those that start a program (EPS) or hold another file, and it measures a picture against
a setting of the whole process, which is that of the program dragonnx runs in and not ours to
change, by warnings, which no thread can turn into an error for itself alone.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import BinaryIO, NamedTuple, TypeAlias

from PIL import Image, ImageFile

from dragonnx.errors import DragonnxError, InputError
from dragonnx.reading.foreign_kinds import LOOKED_AT, foreign_kind
from dragonnx.reading.heic import FOUND as HEIC_FOUND
from dragonnx.reading.heic import heic_reader, is_heic
from dragonnx.reading.picture_limits import (
    BYTES_A_PIXEL,
    STORED,
    check_memory,
    check_whole,
    limit,
    memory_of_jpeg,
    memory_of_tiff,
    stored_size,
)
from dragonnx.reading.picture_structure import check_png, check_tiff, check_webp, jpeg_scans
from dragonnx.reading.regular_file import MEBIBYTE, opened_file
from dragonnx.reading.values import shown

PictureSource: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image"
"""A file, the content of one, or a picture that Pillow has already."""
Size: TypeAlias = tuple[int, int]
"""Of a picture: width, height."""

_BEFORE_SIZE = 32 * MEBIBYTE
"""Read of a file before it says how large it is: profiles, previews, depth maps."""
_WHOLE = 256 * MEBIBYTE
"""Likewise where Pillow takes in all of a file at once."""
_SMALLEST_READ = 64
"""Bytes that a read counts for at least, since millions of small ones take long too."""
_TIMES_READ = 8
"""How often pixels may be read, in the mean: parts of a file can be named again and again."""
_LONGEST_REASON = 200


class Format(NamedTuple):
    """How pictures of a format are read.

    Attributes:
        module: Where its class is; one that is not installed is left out.
        reader: The class, which reads this format and nothing else.
        memory: Bytes a pixel at the peak of decoding, where the format says it all.
        before_size: Bytes that may be read before the size is known.
    """

    module: str
    reader: str
    memory: int = STORED
    before_size: int = _BEFORE_SIZE


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "PNG": Format("PIL.PngImagePlugin", "PngImageFile"),
        "JPEG": Format("PIL.JpegImagePlugin", "JpegImageFile"),
        # Measured: 16 bytes a pixel and the file (two canvases, a copy), up to 12 at 8 bits of 12.
        "WEBP": Format("PIL.WebPImagePlugin", "WebPImageFile", 20, _WHOLE),
        "AVIF": Format("PIL.AvifImagePlugin", "AvifImageFile", 20, _WHOLE),
        "TIFF": Format("PIL.TiffImagePlugin", "TiffImageFile"),
        "GIF": Format("PIL.GifImagePlugin", "GifImageFile"),
        "BMP": Format("PIL.BmpImagePlugin", "BmpImageFile"),
        "PPM": Format("PIL.PpmImagePlugin", "PpmImageFile"),
    }
)
"""What is read, by Pillow's names. No format is here that runs, parses or holds programs, whose
content cannot be told from others', or that is decoded slowly (JPEG 2000: 160 ns a pixel)."""

HEIF = Format("pillow_heif.as_plugin", "HeifImageFile", 20, _WHOLE)
"""HEIC, where pillow-heif is installed: measured as AVIF, with 9 bytes a pixel at 8 bits."""


class NoPictureError(InputError):
    """A file's content is of no format that is read.

    Attributes:
        found: What it is instead, where that is known, else empty.
        advice: What to do with that, else empty.
    """

    def __init__(self, message: str, found: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.found, self.advice = found, advice


def name_of(source: PictureSource, what: str) -> str:
    """What messages call a picture: "the mask" and its path."""
    path = getattr(source, "filename", "") if isinstance(source, Image.Image) else source
    return what if isinstance(path, bytes) else f"{what} {path}".strip()


@contextlib.contextmanager
def refusing(source: PictureSource, what: str) -> Iterator[None]:
    """Say of any failure in the block that the picture cannot be read, and why.

    Raises:
        InputError: Something was raised in the block.
    """
    try:
        yield
    except DragonnxError:
        raise
    # A broken file makes Pillow's plugins raise nearly everything that Python has (struct.error,
    # IndexError, OverflowError, SyntaxError, MemoryError ...), and no release raises the same.
    except Exception as error:
        reason = "there is not enough memory" if isinstance(error, MemoryError) else str(error)
        reason = " ".join(reason.split())[:_LONGEST_REASON] or type(error).__name__
        raise InputError(f"{name_of(source, what)} cannot be read ({reason})") from error


def read_picture(
    source: PictureSource,
    what: str,
    fits: Callable[[Size], None] = lambda _: None,
    formats: Sequence[str] = (),
) -> Image.Image:
    """A picture as it is stored, of an animation the first frame, with all its pixels in memory.

    Args:
        source: Where it is. One that Pillow has is given back, and no more than loaded.
        what: What messages call it: "the mask".
        fits: Raises InputError for a size (width, height) that cannot be used. It is asked before
            memory is taken, and before EXIF may turn the picture.
        formats: Of `FORMATS`, those that are read; empty is all.

    Raises:
        InputError: There is no such file, its content is no picture of these formats, is damaged,
            does not fit or is larger than `limit`.
    """
    with refusing(source, what):
        if isinstance(source, Image.Image):
            fits(source.size)
            check_memory(source, 0, name_of(source, what))
            check_whole(source, name_of(source, what))
            source.load()
            return source
        if isinstance(source, bytes):
            return _read(io.BytesIO(source), len(source), name_of(source, what), fits, formats)
        if not isinstance(source, str | os.PathLike):
            raise InputError(
                f"{what or 'a picture'} must be a path or a Pillow image, not {shown(source)}"
            )
        largest = int(limit() * BYTES_A_PIXEL) + _BEFORE_SIZE
        with opened_file(source, largest, what) as file:
            size = os.fstat(file.fileno()).st_size
            picture = _read(file, size, name_of(source, what), fits, formats)
        picture.filename = os.fspath(source)
        return picture


class _Measured(io.BufferedReader):
    """A file that is read up to an allowance, so that none keeps its reader busy or fills memory."""

    def __init__(self, file: BinaryIO, name: str, allowance: int) -> None:
        super().__init__(file)  # type: ignore[arg-type]  # whatever has readinto
        self._name = name
        self.allowance = allowance

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= self.allowance:
            size = self.allowance + 1
        content = super().read(size)
        self.allowance -= max(len(content), _SMALLEST_READ)
        if self.allowance < 0:
            raise InputError(
                f"{self._name} holds more beside its pixels than a picture needs, or in too small "
                "pieces: save it anew without layers and metadata"
            )
        return content


def _read(
    file: BinaryIO,
    size: int,
    name: str,
    fits: Callable[[Size], None],
    formats: Sequence[str],
) -> ImageFile.ImageFile:
    """The picture in an open file of so many bytes."""
    kind, form, reader = _recognised(file.read(LOOKED_AT), name, formats)
    scans = 1
    if kind == "PNG":
        check_png(file, size, name, _BEFORE_SIZE)
    elif kind == "WEBP":
        check_webp(file, name, _BEFORE_SIZE)
    elif kind == "TIFF":
        check_tiff(file, name)
    elif kind == "JPEG":
        scans = jpeg_scans(file, name)
    file.seek(0)
    measured = _Measured(file, name, form.before_size)
    try:
        picture = reader(measured, "")
        fits(picture.size)
        check_whole(picture, name)
        if any(tile[0] in Image.DECODERS for tile in picture.tile):
            # These are written in Python: 3000 ns a pixel.
            raise InputError(
                f"{name} is a {kind} of a kind that takes long to read: save it as PNG"
            )
        if kind == "TIFF":
            check_memory(picture, memory_of_tiff(picture, size), name)
            # Pillow would check the size again as it takes this memory, against a limit of its own.
            picture.im = Image.new(picture.mode, stored_size(picture)).im
        elif kind == "JPEG":
            check_memory(picture, memory_of_jpeg(picture, scans), name)
        else:
            check_memory(picture, math.prod(picture.size) * form.memory, name)
        measured.allowance = _TIMES_READ * size + _BEFORE_SIZE
        picture.load()
        fits(picture.size)  # of a HEIC it is sure only now
    finally:
        measured.detach()  # else it would close the file when it is forgotten
    return picture


def _recognised(start: bytes, name: str, formats: Sequence[str]) -> tuple[str, Format, _Open]:
    """The format that a file's first bytes tell, how it is read, and what opens it.

    Raises:
        NoPictureError: It is none of these.
    """
    if is_heic(start) and not formats:
        if (opens := heic_reader()) is not None:
            return "HEIF", HEIF, opens
        raise NoPictureError(f"{name} is {HEIC_FOUND}, or save it as JPEG", HEIC_FOUND)
    names = formats or tuple(FORMATS)
    readers = {kind: reader for kind in names if (reader := _reader(kind)) is not None}
    for kind, reader in readers.items():
        if reader.accepts(start):
            return kind, FORMATS[kind], reader.open
    foreign = foreign_kind(start)
    found, advice = (foreign.kind, foreign.advice) if foreign else ("", "")
    kinds = " or ".join(filter(None, (", ".join([*readers][:-1]), [*readers][-1])))
    save = f"save it as {kinds}"
    raise NoPictureError(
        f"{name} is {f'{found} and ' * bool(found)}no picture that can be read: "
        f"{advice or (save if foreign is None or foreign.is_drawn else 'give a picture')}",
        found,
        advice,
    )


_Open: TypeAlias = Callable[[BinaryIO, str], ImageFile.ImageFile]


class _Reader(NamedTuple):
    """How Pillow tells a format by a file's start, and what reads it."""

    accepts: Callable[[bytes], bool]
    open: _Open


@functools.cache
def _reader(kind: str) -> _Reader | None:
    """How a format is read; None where this Pillow does not read it."""
    with contextlib.suppress(ImportError, KeyError):
        module = importlib.import_module(FORMATS[kind].module)
        accept = Image.OPEN[kind][1]
        if accept is not None:
            # A text says why it is not read although it is that format.
            return _Reader(
                lambda start: accept(start) is True, getattr(module, FORMATS[kind].reader)
            )
    return None
