"""What a file is that none of our readers takes, told by its first bytes, and what to do with it."""

from __future__ import annotations

import re
from typing import NamedTuple

LOOKED_AT = 512
"""Bytes of a file's beginning that are enough to tell."""

ONNX = "an ONNX model"
_UNPACK = "unpack it first"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (
        rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head))",
        "a web page",
        "fetch the file again from its direct address",
    ),
    (
        rb"version https://git-lfs",
        "a git-LFS pointer",
        "run `git lfs pull` to fetch its contents, or download the file itself",
    ),
    (rb"\x1f\x8b", "a gzip archive", _UNPACK),
    (rb"BZh", "a bzip2 archive", _UNPACK),
    (rb"\xfd7zXZ", "an xz archive", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!", "a RAR archive", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"PK\x05\x06", "an empty zip archive", "fetch the file again"),
    (rb"\x89HDF", "an HDF5 file", ""),
    (rb"MATLAB 5.0", "a MATLAB file", ""),
    (rb".{4}\x00{4}\{", "a safetensors file", ""),
    (rb"\x08[\x01-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]", ONNX, ""),
    (rb"GGUF", "a language model", ""),
    (rb".{4}TFL3", "a TensorFlow Lite model", ""),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript program", ""),
    (rb"%PDF", "a PDF document", ""),
    (rb"8BPS", "a Photoshop document", ""),
    (rb"gimp xcf", "a GIMP document", ""),
    (rb"\s*<svg", "an SVG drawing", ""),
    (rb"<\?xml", "XML", ""),
    (rb"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", ""),
    (rb".{4}ftyp(?:isom|mp4|M4V|qt|avc|iso)|\x1aE\xdf\xa3", "a video", ""),
    (rb"\x7fELF|MZ", "a program", ""),
    (rb"\s*[{\[]\s*[\"}\]{\[\d-]", "a JSON document", ""),
    (
        rb"\s*[-+]?\d[-+\d.eE]*(?:[ \t]*[,; \t][ \t]*[-+]?\d[-+\d.eE]*)+\s",
        "a table of numbers as text",
        "",
    ),
)


class Foreign(NamedTuple):
    """A kind of file.

    Attributes:
        kind: Its name, with an article.
        advice: What to do with it; empty where that is for who wants something else.
    """

    kind: str
    advice: str


def foreign_kind(beginning: bytes) -> Foreign | None:
    """The kind of a file with that beginning, where it is a known one.

    Args:
        beginning: Its first bytes, `LOOKED_AT` or all.
    """
    for pattern, kind, advice in _KINDS:
        if re.match(pattern, beginning[:LOOKED_AT], re.DOTALL):
            return Foreign(kind, advice)
    return None
