"""Reading StyleGAN2 checkpoints from anyone, without running anything in them."""

from __future__ import annotations

import hashlib
import struct
import textwrap
from pathlib import Path

import numpy as np

from dragonnx_export.architecture import ArchitectureError
from dragonnx_export.checkpoints import native
from dragonnx_export.checkpoints.checkpoint import Checkpoint, CheckpointError, parameter_shapes
from dragonnx_export.checkpoints.generators import read_generator
from dragonnx_export.checkpoints.inert import inert_class
from dragonnx_export.checkpoints.native import write_native
from dragonnx_export.checkpoints.numpy_records import NUMPY
from dragonnx_export.checkpoints.nvidia_module import PERSISTENT
from dragonnx_export.checkpoints.recognise import EXPECTED, Format, recognise
from dragonnx_export.checkpoints.safe_pickle import load
from dragonnx_export.checkpoints.torch_file import TORCH, read_torch_file
from dragonnx_export.checkpoints.vocabulary import quoted

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "parameter_shapes",
    "read_checkpoint",
    "write_native",
]

MAX_FILE_BYTES = 1 << 32
"""The largest StyleGAN2 snapshots are a tenth of this."""

_MAX_REASON = 400
_ADVICE = "fetch it again, or give another StyleGAN2 checkpoint"
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    SystemError,  # what NumPy and the interpreter raise for data that they hold impossible
    TypeError,
    ValueError,
    struct.error,
)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a generator from a file of any supported format, told by its contents.

    Nothing that the file names is imported or run, whatever it says.

    Args:
        path: A checkpoint of NVIDIA's or rosinality's code or of what builds on them, or a file
            of named arrays.

    Returns:
        The architecture and the float32 weights.

    Raises:
        CheckpointError: The file cannot be read, is of another kind, or asks for more than
            data. The message is one sentence.
    """
    try:
        data = _contents(path)
        with np.errstate(all="ignore"):  # what is not finite is refused, not warned about
            return _read(data, path)
    except (CheckpointError, ArchitectureError) as error:
        reason = textwrap.shorten(str(error), _MAX_REASON)
        if "; " not in reason:
            reason = f"{reason}; {_ADVICE}"
        raise CheckpointError(f"{quoted(path.name)} cannot be read: {reason}") from error
    except _DAMAGE as error:
        raise CheckpointError(
            f"{quoted(path.name)} cannot be read: it is damaged ({type(error).__name__}); "
            "fetch it again"
        ) from error


def _read(data: bytes, path: Path) -> Checkpoint:
    match recognise(data):
        case Format.PICKLE:
            content = load(data, {**NUMPY, **TORCH, **PERSISTENT}, classes=inert_class)
            found = read_generator(content, max_elements=len(data))
        case Format.TORCH:
            vocabulary = {**NUMPY, **TORCH, **PERSISTENT}
            content = read_torch_file(data, vocabulary, classes=inert_class)
            found = read_generator(content, max_elements=len(data))
        case Format.NPZ:
            found = native.read_npz(data, path)
        case Format.SAFETENSORS:
            found = native.read_safetensors(data, path)
    return Checkpoint(
        architecture=found.architecture,
        weights=found.weights,
        format=found.format,
        notes=found.notes,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _contents(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise CheckpointError(f"it is a folder, but {EXPECTED}; give the file in it")
        if not path.exists():
            raise CheckpointError("there is no such file; check its name and folder")
        if not path.is_file():
            raise CheckpointError(f"it is no ordinary file, but {EXPECTED}")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise CheckpointError(
                f"it is larger than {MAX_FILE_BYTES >> 30} GiB, which no StyleGAN2 checkpoint is"
            )
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise CheckpointError(f"{error.strerror or error}; check its permissions") from error
