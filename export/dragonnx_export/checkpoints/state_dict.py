"""The arrays of a plain state dict, from torch's container or from safetensors."""

from __future__ import annotations

from collections.abc import Mapping

from dragonnx.reading.pickles.inert import inert_class
from dragonnx.reading.pickles.numpy_records import NUMPY
from dragonnx.reading.pickles.torch_file import TORCH, read_torch_file
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.native import safetensors_arrays
from dragonnx_export.checkpoints.recognise import Format


def read_state_dict(kind: Format, data: bytes, expected: str) -> Mapping[str, object]:
    """What `as_array` takes, by name; arrays in torch's container stay packed until then.

    Args:
        kind: The file's format.
        data: The file.
        expected: What it should be, as a clause for a refusal.

    Raises:
        CheckpointError: The file is damaged, of another kind, or asks for more than data.
    """
    match kind:
        case Format.SAFETENSORS:
            return safetensors_arrays(data)[0]
        case Format.TORCH:
            content = read_torch_file(data, {**NUMPY, **TORCH}, classes=inert_class)
        case Format.PICKLE | Format.NPZ:
            raise CheckpointError(f"it is neither torch's nor safetensors' file, but {expected}")
    if not isinstance(content, dict):
        raise CheckpointError(f"it holds no state dict, but {expected}")
    return {name: value for name, value in content.items() if isinstance(name, str)}
