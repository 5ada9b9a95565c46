"""Pictures as files that say how they were made: PNG, JPEG, WebP."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dragonnx import __version__
from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx.media.xmp import PROVENANCE, jpeg_segments, packet, recipe_in
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.pictures import PictureSource, name_of, read_picture
from dragonnx.reading.values import whole

QUALITY = 95
"""Of JPEG and WebP where none is said: nothing of it is seen."""
LOSSLESS = 100
"""The quality of which a WebP keeps every pixel as it is; a JPEG cannot."""
_LONGEST_RECIPE = 32 * 2**20
"""Characters: no picture is read that holds more beside its pixels."""
_KEY = "dragonnx"
_XMP = "XML:com.adobe.xmp"
"""Names of texts in a PNG: the recipe, and what XMP's specification calls its own."""
_JPEG_FIRST = b"\xff\xd8\xff\xe0"


class Format(NamedTuple):
    """A format that pictures are written in.

    Attributes:
        name: Pillow's.
        largest: Pixels of a side that it can hold.
        is_lossy: Whether it takes a quality.
    """

    name: str
    largest: int
    is_lossy: bool


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".png": Format("PNG", 2**31 - 1, False),
        ".jpg": Format("JPEG", 65_500, True),
        ".jpeg": Format("JPEG", 65_500, True),
        ".webp": Format("WebP", 16_383, True),
    }
)
"""By how the file's name ends."""
PICTURE_SUFFIXES = tuple(FORMATS)


def save_image(
    image: Image.Image, path: Path, recipe: Mapping[str, Any] | None, quality: int | None = None
) -> None:
    """Write a picture that says how it was made and that it is AI-generated, all or nothing.

    Args:
        image: The picture, RGB or "L".
        path: Where to; it ends as `FORMATS` has it.
        recipe: Model, latent, points and settings, as JSON values; None for what no single one makes.
        quality: 1 to 100, of JPEG and WebP, which at 100 loses nothing; None is 95.

    Raises:
        InputError: The name ends in something else, or the picture is too large for the format.
        OutputError: The file cannot be written.
    """
    kind = check_size(image.size, path)
    quality = QUALITY if quality is None else _checked(quality)
    save_bytes(_WRITERS[kind.name](image, recipe, quality), path)


def check_size(size: tuple[int, int], path: Path) -> Format:
    """Refuse a picture of more pixels than its file's format can hold; what the format is.

    Args:
        size: Width and height.
        path: Where the picture is to go.

    Raises:
        InputError: It is too large, or the name ends in something else.
    """
    kind = format_of(path)
    if max(size) > kind.largest:
        raise InputError(
            f"{path} cannot hold {size[0]} x {size[1]} pixels: a {kind.name} has at most "
            f"{kind.largest} on a side; name a .png"
        )
    return kind


def check_quality(quality: int | None, paths: Iterable[Path | None]) -> None:
    """Refuse a quality that is none, or that none of these pictures takes.

    Raises:
        InputError: It is.
    """
    if quality is None:
        return
    _checked(quality)
    formats = (FORMATS.get(path.suffix.lower()) for path in paths if path is not None)
    if not any(kind is not None and kind.is_lossy for kind in formats):
        raise InputError(
            "a quality is for pictures that end in .jpg or .webp, and none is to be written; a PNG "
            "keeps every pixel as it is"
        )


def format_of(path: Path) -> Format:
    """The format that a file's name ends in.

    Raises:
        InputError: It ends in something else.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(f"{path} must end in {' or '.join(PICTURE_SUFFIXES)}")
    return found


def read_recipe(source: PictureSource) -> dict[str, Any]:
    """How a picture of this program was made: the recipe that `save_image` wrote.

    Raises:
        InputError: The picture cannot be read, or carries no recipe.
    """
    text = _recipe_text(read_picture(source, ""))
    recipe = None
    with contextlib.suppress(InputError):
        recipe = None if text is None else parse_json(text, "the recipe", largest=_LONGEST_RECIPE)
    if not isinstance(recipe, dict):
        name = name_of(source, "") or "the picture"
        raise InputError(f"{name} does not say how it was made: dragonnx did not write it")
    return recipe


def save_json(values: Mapping[str, Any], path: Path) -> None:
    """Write JSON for users and programs, all or nothing.

    Raises:
        OutputError: The file cannot be written.
    """
    save_bytes(f"{json.dumps(values, indent=1)}\n".encode(), path)


def _checked(quality: int) -> int:
    return whole(quality, "the quality", 1, LOSSLESS)


def _recipe_text(picture: Image.Image) -> str | None:
    if picture.format == "PNG":
        return getattr(picture, "text", {}).get(_KEY)
    main = picture.info.get("xmp")
    # Pillow keeps a JPEG's segments, each with its name.
    segments = (content for _, content in getattr(picture, "applist", ()))
    return recipe_in(main, segments) if isinstance(main, bytes) else None


def _png(image: Image.Image, recipe: Mapping[str, Any] | None, _quality: int) -> bytes:
    texts = PngInfo()
    texts.add_text("Software", f"dragonnx {__version__}")
    texts.add_text("Comment", PROVENANCE)
    if recipe is not None:
        texts.add_itxt(_KEY, json.dumps(recipe, sort_keys=True))
    texts.add_itxt(_XMP, packet(None).decode())
    content = io.BytesIO()
    image.save(content, "PNG", pnginfo=texts)
    return content.getvalue()


def _jpeg(image: Image.Image, recipe: Mapping[str, Any] | None, quality: int) -> bytes:
    stream = io.BytesIO()
    # Colours as fine as light: what a generator paints has edges of colour alone.
    image.save(stream, "JPEG", quality=quality, subsampling=0, optimize=True)
    content = stream.getvalue()
    assert content.startswith(_JPEG_FIRST), "the segment that names the format"  # noqa: S101
    behind = len(_JPEG_FIRST) + int.from_bytes(content[4:6], "big")
    return content[:behind] + jpeg_segments(recipe) + content[behind:]


def _webp(image: Image.Image, recipe: Mapping[str, Any] | None, quality: int) -> bytes:
    content = io.BytesIO()
    image.save(content, "WEBP", quality=quality, lossless=quality == LOSSLESS, xmp=packet(recipe))
    return content.getvalue()


_WRITERS = {"PNG": _png, "JPEG": _jpeg, "WebP": _webp}
