"""What a file is, by its first bytes; its name says nothing."""

from __future__ import annotations

import enum
import os
import re
from typing import BinaryIO

from dragonnx.reading.file_kind import FileKind, kind_of
from dragonnx.reading.foreign_kinds import JSON, ONNX, TFLITE, foreign_kind
from dragonnx_export.checkpoints.errors import CheckpointError

EXPECTED = "a StyleGAN2 or StyleGAN3 checkpoint (.pkl, .pt, .safetensors or .npz) is expected"

_MAX_HEADER_BYTES = 100_000_000  # the bound of safetensors itself
_ENDS = 1 << 20
"""Bytes of an archive's end in which its directory of members is looked for."""
_BEGINNING = 1024
_CHECKPOINT = "give the checkpoint"

_OWN_KINDS = (
    (rb"\xff\xd8\xff", "a JPEG image", _CHECKPOINT),
    (rb"\x89PNG\r\n", "a PNG image", _CHECKPOINT),
    (rb"GIF8", "a GIF image", _CHECKPOINT),
    (rb"RIFF.{4}WEBP", "a WebP image", _CHECKPOINT),
    (
        rb".{4}ftyp(?:hei|hev|mif|msf|avi)",
        "a HEIC or AVIF photo",
        "give the checkpoint; photos are for `dragonnx invert`",
    ),
    (rb"\x93NUMPY", "a single NumPy array", "give an .npz with all arrays"),
)
"""Files that other readers of ours take."""
_ADVICE = {
    ONNX: "give the checkpoint that it was exported from, since its weights cannot be told from the rest",
    TFLITE: "give the checkpoint that it was converted from",
    JSON: "give the file with the weights",
}


class Format(enum.Enum):
    """The container of a checkpoint."""

    PICKLE = enum.auto()
    TORCH = enum.auto()
    NPZ = enum.auto()
    SAFETENSORS = enum.auto()


def recognise(stream: BinaryIO, expected: str = EXPECTED) -> Format:
    """The format of an open file, of which no more than the two ends are read.

    Args:
        stream: The file.
        expected: What the file should be, as a clause for a refusal.

    Raises:
        CheckpointError: It is none that is read, with what it is instead where that shows.
    """
    beginning = stream.read(_BEGINNING)
    stream.seek(max(stream.seek(0, os.SEEK_END) - _ENDS, 0))
    end = stream.read(_ENDS)
    if not beginning:
        raise CheckpointError(f"it is an empty file where {expected}; fetch the checkpoint again")
    # The length may begin with any byte, such as a pickle's first; no pickle has its four zeros.
    header = int.from_bytes(beginning[:8], "little")
    if beginning[8:9] == b"{" and 2 <= header <= _MAX_HEADER_BYTES:
        return Format.SAFETENSORS
    match kind_of(beginning, end):
        case FileKind.TORCH:
            return Format.TORCH
        case FileKind.NPZ | FileKind.DOCUMENT:
            return _recognised_zip(beginning, end, expected)
        case FileKind.PICKLE:
            return Format.PICKLE
    for pattern, kind, advice in _OWN_KINDS:
        if re.match(pattern, beginning, re.DOTALL):
            raise CheckpointError(f"it is {kind}, but {expected}; {advice}")
    if (foreign := foreign_kind(beginning)) is not None:
        advice = foreign.advice or _ADVICE.get(foreign.kind, _CHECKPOINT)
        raise CheckpointError(f"it is {foreign.kind}, but {expected}; {advice}")
    raise CheckpointError(f"it is of an unknown kind, but {expected}; give that")


def _recognised_zip(beginning: bytes, end: bytes, expected: str) -> Format:
    """An npz, unless no array is in it."""
    if b".npy" not in end and b".npy" not in beginning:
        raise CheckpointError(
            f"it is a zip archive without arrays, but {expected}; unpack it first"
        )
    return Format.NPZ
