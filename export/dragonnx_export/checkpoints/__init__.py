"""Reading StyleGAN2 and StyleGAN3 checkpoints from anyone, without running anything in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dragonnx.reading.pickles.inert import inert_class
from dragonnx.reading.pickles.numpy_records import NUMPY
from dragonnx.reading.pickles.safe_pickle import load
from dragonnx.reading.pickles.torch_file import TORCH, read_torch_file
from dragonnx_export.checkpoints import native
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.contents import Checkpoint, Contents, of_file, of_stylegan2
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.generators import read_generator
from dragonnx_export.checkpoints.native import write_native
from dragonnx_export.checkpoints.nvidia_module import PERSISTENT
from dragonnx_export.checkpoints.opening import open_file
from dragonnx_export.checkpoints.recognise import EXPECTED, Format
from dragonnx_export.families.stylegan2.checkpoint import parameter_shapes

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Choices",
    "of_stylegan2",
    "parameter_shapes",
    "read_checkpoint",
    "write_native",
]

_ADVICE = "give another StyleGAN2 or StyleGAN3 checkpoint"
_NO_CHOICES = Choices()


def read_checkpoint(path: Path, choices: Choices = _NO_CHOICES) -> Checkpoint:
    """Read a generator from a file of any supported format, told by its contents.

    Nothing that the file names is imported or run, whatever it says.

    Args:
        path: A checkpoint of NVIDIA's or rosinality's code or of what builds on them, or a file
            of named arrays.
        choices: What the user says of it: which network to take, facts that it may not state.

    Returns:
        The architecture and the float32 weights.

    Raises:
        CheckpointError: The file cannot be read, is of another kind, or asks for more than
            data. The message is one sentence.
    """
    return open_file(path, lambda kind, data: _read(kind, data, path, choices), EXPECTED, _ADVICE)


def _read(kind: Format, data: bytes, path: Path, choices: Choices) -> Checkpoint:
    match kind:
        case Format.PICKLE:
            content = load(data, {**NUMPY, **TORCH, **PERSISTENT}, classes=inert_class)
            found: Contents = read_generator(content, len(data), choices)
        case Format.TORCH:
            vocabulary = {**NUMPY, **TORCH, **PERSISTENT}
            content = read_torch_file(data, vocabulary, classes=inert_class)
            found = read_generator(content, len(data), choices)
        case Format.NPZ:
            found = native.read_npz(data, path, choices)
        case Format.SAFETENSORS:
            found = native.read_safetensors(data, path, choices)
    return of_file(found, hashlib.sha256(data).hexdigest())
