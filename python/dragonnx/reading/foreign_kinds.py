"""What a file is that a reader does not take, told by its first bytes, and what to do with it."""

from __future__ import annotations

import re
from typing import NamedTuple

LOOKED_AT = 512
"""Bytes of a file's beginning that are enough to tell."""

ONNX, TFLITE = "an ONNX model", "a TensorFlow Lite model"
JSON, TABLE = "a JSON document", "a table of numbers as text"
_UNPACK = "unpack it first"


class Foreign(NamedTuple):
    """A kind of file.

    Attributes:
        kind: Its name, with an article.
        advice: What to do with it; empty where that is for who wants something else.
        is_drawn: Whether it can be seen, and so be saved as a picture.
    """

    kind: str
    advice: str = ""
    is_drawn: bool = False


_KINDS: tuple[tuple[bytes, Foreign], ...] = (
    (
        rb"(?i:(?:\xef\xbb\xbf)?\s*(?:<!--.{0,200}?-->\s*)?"
        rb"<(?:!doctype html|html|head|body|meta|title|script)\b)",
        Foreign("a web page", "fetch the file again from its direct address"),
    ),
    (
        rb"(?:Entry not found|404: Not Found|Not Found\b|HTTP/\d|Invalid username or password"
        rb"|Access (?:to|denied)|(?:<\?xml[^>]{0,100}>\s*)?<Error>)",
        Foreign("a server's message in place of a file", "fetch the file again"),
    ),
    (
        rb"version https://git-lfs",
        Foreign(
            "a git-LFS pointer",
            "run `git lfs pull` to fetch its contents, or download the file itself",
        ),
    ),
    (rb"\x1f\x8b", Foreign("a gzip archive", _UNPACK)),
    (rb"BZh", Foreign("a bzip2 archive", _UNPACK)),
    (rb"\xfd7zXZ", Foreign("an xz archive", _UNPACK)),
    (rb"\x28\xb5\x2f\xfd", Foreign("a zstd archive", _UNPACK)),
    (rb"7z\xbc\xaf\x27\x1c", Foreign("a 7z archive", _UNPACK)),
    (rb"Rar!", Foreign("a RAR archive", _UNPACK)),
    (rb".{257}ustar", Foreign("a tar archive", _UNPACK)),
    (rb"PK\x05\x06", Foreign("an empty zip archive", "fetch the file again")),
    (rb"PK\x03\x04", Foreign("a zip archive, such as a checkpoint or an .npz")),
    (rb"\x80[\x02-\x05]", Foreign("a pickle, such as a checkpoint")),
    (rb"\x93NUMPY", Foreign("an array of NumPy's")),
    (rb"\x89HDF", Foreign("an HDF5 file")),
    (rb"MATLAB 5.0", Foreign("a MATLAB file")),
    (rb".{4}\x00{4}\{", Foreign("a safetensors file")),
    (rb"\x08[\x01-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]", Foreign(ONNX)),
    (rb"GGUF", Foreign("a language model")),
    (rb".{4}TFL3", Foreign(TFLITE)),
    (rb"%!PS|\xc5\xd0\xd3\xc6", Foreign("a PostScript program", is_drawn=True)),
    (rb"%PDF", Foreign("a PDF document", is_drawn=True)),
    (rb"8BPS", Foreign("a Photoshop document", is_drawn=True)),
    (rb"gimp xcf", Foreign("a GIMP document", is_drawn=True)),
    (rb"\s*<svg", Foreign("an SVG drawing", is_drawn=True)),
    (rb"<\?xml", Foreign("XML")),
    (rb"\x00\x00\x00\x0cjP  ", Foreign("a JPEG 2000 picture", is_drawn=True)),
    (rb".{4}ftyp(?:isom|mp4|M4V|qt|avc|iso)|\x1aE\xdf\xa3", Foreign("a video")),
    (rb"\x7fELF|MZ", Foreign("a program")),
    (rb"\s*[{\[]\s*[\"}\]{\[\d-]", Foreign(JSON)),
    (
        rb"\s*[-+]?\d[-+\d.eE]*(?:[ \t]*[,; \t][ \t]*[-+]?\d[-+\d.eE]*)+(?:\s|[,; \t]*\Z)",
        Foreign(TABLE),
    ),
)


def foreign_kind(beginning: bytes) -> Foreign | None:
    """The kind of a file with that beginning, where it is a known one.

    Args:
        beginning: Its first bytes, `LOOKED_AT` or all.
    """
    for pattern, foreign in _KINDS:
        if re.match(pattern, beginning[:LOOKED_AT], re.DOTALL):
            return foreign
    return None
