"""What a file is, by its first bytes; its name says nothing."""

from __future__ import annotations

import enum
import re

from dragonnx.reading.pickles.safe_pickle import is_pickle
from dragonnx.reading.pickles.torch_file import LEGACY_MAGIC
from dragonnx.reading.pickles.zip_members import ZIP_MAGIC
from dragonnx_export.checkpoints.errors import CheckpointError

EXPECTED = "a StyleGAN2 or StyleGAN3 checkpoint (.pkl, .pt, .safetensors or .npz) is expected"

_MAX_HEADER_BYTES = 100_000_000  # the bound of safetensors itself
_FETCH = "fetch the checkpoint again"

_FOREIGN = (
    (rb"\xff\xd8\xff", "a JPEG image", "give the checkpoint"),
    (rb"\x89PNG\r\n", "a PNG image", "give the checkpoint"),
    (rb"GIF8", "a GIF image", "give the checkpoint"),
    (rb"RIFF.{4}WEBP", "a WebP image", "give the checkpoint"),
    (
        rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|\?xml))",
        "a web page",
        f"{_FETCH} from its direct address",
    ),
    (rb"version https://git-lfs", "a git-LFS pointer", "run `git lfs pull` to fetch its contents"),
    (rb"\x1f\x8b", "a gzip archive", "unpack it first"),
    (rb"BZh", "a bzip2 archive", "unpack it first"),
    (rb"\xfd7zXZ", "an xz archive", "unpack it first"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (rb"Rar!", "a RAR archive", "unpack it first"),
    (rb".{257}ustar", "a tar archive", "unpack it first"),
    (rb"PK\x05\x06", "an empty zip archive", _FETCH),
    (rb"\x89HDF", "an HDF5 file", "give the checkpoint"),
    (rb"\x93NUMPY", "a single NumPy array", "give an .npz with all arrays"),
    (
        rb"\x08[\x01-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]",
        "an ONNX model, whose weights cannot be told from the rest",
        "give the checkpoint that it was exported from",
    ),
    (
        rb".{4}ftyp(?:hei|hev|mif|msf|avi)",
        "a HEIC or AVIF photo",
        "give the checkpoint; photos are for `dragonnx invert`",
    ),
    (rb"GGUF", "a language model", "give the checkpoint"),
    (rb".{4}TFL3", "a TensorFlow Lite model", "give the checkpoint that it was converted from"),
    (rb"%PDF", "a PDF document", "give the checkpoint"),
    (rb"\x7fELF|MZ", "a program", "give the checkpoint"),
    (rb"\s*[{\[]\s*[\"}\]{\[]", "a JSON document", "give the file with the weights"),
)


class Format(enum.Enum):
    """The container of a checkpoint."""

    PICKLE = enum.auto()
    TORCH = enum.auto()
    NPZ = enum.auto()
    SAFETENSORS = enum.auto()


def recognise(data: bytes, expected: str = EXPECTED) -> Format:
    """The format of a file's contents.

    Args:
        data: The contents.
        expected: What the file should be, as a clause for a refusal.

    Raises:
        CheckpointError: It is none that is read, with what it is instead where that shows.
    """
    if not data:
        raise CheckpointError(f"it is an empty file where {expected}; {_FETCH}")
    if data.startswith(LEGACY_MAGIC):
        return Format.TORCH
    # The length may begin with any byte, such as a pickle's first; no pickle has its four zeros.
    header = int.from_bytes(data[:8], "little")
    if data[8:9] == b"{" and 2 <= header <= _MAX_HEADER_BYTES:
        return Format.SAFETENSORS
    if data[0] == 0x80:
        return Format.PICKLE
    if data.startswith(ZIP_MAGIC):
        return _recognise_zip(data, expected)
    for pattern, kind, advice in _FOREIGN:
        if re.match(pattern, data, re.DOTALL):
            raise CheckpointError(f"it is {kind}, but {expected}; {advice}")
    if is_pickle(data[:1024], data[-16:]):
        return Format.PICKLE  # protocol 0 or 1: no checkpoint, but its reader can say why
    raise CheckpointError(f"it is of an unknown kind, but {expected}; give that")


def _recognise_zip(data: bytes, expected: str) -> Format:
    """What torch.save wrote if its directory of members names a pickle, or else an npz."""
    directory = data[-(1 << 20) :]
    if b"/data.pkl" in directory or b"/data.pkl" in data[:1024]:
        return Format.TORCH
    if b".npy" not in directory and b".npy" not in data[:1024]:
        raise CheckpointError(
            f"it is a zip archive without arrays, but {expected}; unpack it first"
        )
    return Format.NPZ
