"""What a file is that a reader does not take, told by its first bytes, and what to do with it."""

from __future__ import annotations

import re
from typing import NamedTuple

LOOKED_AT = 512
"""Bytes of a file's beginning that are enough to tell."""

ONNX, JSON, TABLE = "an ONNX model", "a JSON document", "a table of numbers as text"
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
    (rb"PK\x03\x04", "a zip archive, such as a checkpoint or an .npz", ""),
    (rb"\x80[\x02-\x05]", "a pickle, such as a checkpoint", ""),
    (rb"\x93NUMPY", "an array of NumPy's", ""),
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
    (rb"\s*[{\[]\s*[\"}\]{\[\d-]", JSON, ""),
    (
        rb"\s*[-+]?\d[-+\d.eE]*(?:[ \t]*[,; \t][ \t]*[-+]?\d[-+\d.eE]*)+\s",
        TABLE,
        "",
    ),
)


_DRAWN = frozenset(
    {"a PostScript program", "a PDF document", "a Photoshop document", "a GIMP document", "an SVG drawing",
     "a JPEG 2000 picture"}
)  # fmt: skip


class Foreign(NamedTuple):
    """A kind of file.

    Attributes:
        kind: Its name, with an article.
        advice: What to do with it; empty where that is for who wants something else.
    """

    kind: str
    advice: str

    @property
    def is_drawn(self) -> bool:
        """Whether it can be seen, and so be saved as a picture."""
        return self.kind in _DRAWN


def foreign_kind(beginning: bytes) -> Foreign | None:
    """The kind of a file with that beginning, where it is a known one.

    Args:
        beginning: Its first bytes, `LOOKED_AT` or all.
    """
    for pattern, kind, advice in _KINDS:
        if re.match(pattern, beginning[:LOOKED_AT], re.DOTALL):
            return Foreign(kind, advice)
    return None
