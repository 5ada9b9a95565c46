"""Named arrays in .npz or .safetensors: the project's own checkpoints, and others' state dicts.

The architecture is inside (npz: a text array named "architecture"; safetensors: a metadata
entry of that name), or in a JSON file beside it of the same stem. Where it is in neither, the
arrays must be a state dict in names that show it.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.files import atomic_path
from dragonnx.reading.pickles.numpy_records import from_bfloat16
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx.reading.pickles.zip_members import zip_members
from dragonnx.reading.regular_file import read_bytes
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.contents import Contents
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_foreign
from dragonnx_export.checkpoints.generators import read_generator
from dragonnx_export.checkpoints.layouts import MARKERS
from dragonnx_export.checkpoints.weights import (
    StoredArray,
    UnreadArray,
    as_array,
    select_weights,
    unread,
    why_unread,
)
from dragonnx_export.checkpoints.wrappers import unwrapped
from dragonnx_export.families.family import ArchitectureError
from dragonnx_export.families.stylegan2 import checkpoint as stylegan2
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import parameter_shapes

NPZ_FORMAT = "dragonnx checkpoint (npz)"
SAFETENSORS_FORMAT = "dragonnx checkpoint (safetensors)"

ARCHITECTURE = "architecture"
_A_FACT = '"z_dim"'
"""In every description, in whatever state."""
_FOREIGN_WORD = (
    "its entry 'architecture' describes no generator, so that only names and shapes were read"
)
_NPY = ".npy"
_MOST_SHOWN = 5
_MAX_JSON_BYTES = 1 << 20
_UNPACKED_PER_BYTE = 8  # trained weights hardly compress; this leaves room for those of zeros
_UNPACKED_EXTRA = 1 << 26
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SAFETENSORS_CODES = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "BOOL": "|b1",
    "I8": "|i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
    "U8": "|u1", "U16": "<u2", "U32": "<u4", "U64": "<u8",
}  # fmt: skip


def read_npz(data: bytes, beside: Path, choices: Choices) -> Contents:
    """Read the bytes of an npz.

    Args:
        data: The file.
        beside: Its path, for the JSON file of the same stem.
        choices: What the user says.

    Raises:
        CheckpointError: An array or the architecture is missing or unusable.
        ArchitectureError: The architecture contradicts itself.
    """
    arrays: dict[str, NDArray[Any]] = {}
    embedded: str | None = None
    limit = _UNPACKED_PER_BYTE * len(data) + _UNPACKED_EXTRA
    for member, contents in zip_members(data, limit):
        if not member.endswith(_NPY):
            raise CheckpointError(f"it is a zip with {quoted(member)}, which no array file has")
        name = member.removesuffix(_NPY)
        values = _read_npy(name, contents)
        if name == ARCHITECTURE:
            embedded = _text(values)
        else:
            arrays[name] = values
    return _contents(arrays, embedded, beside, limit, NPZ_FORMAT, choices)


def _read_npy(name: str, contents: memoryview) -> NDArray[Any]:
    """An array of numbers or text whose bytes are exactly what its header promises."""
    stream = io.BytesIO(contents)
    readers: dict[tuple[int, int], Callable[[io.BytesIO], Any]] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        shape, fortran, dtype = readers[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # the header is a Python literal: what it raises is not bounded
        raise CheckpointError(f"its array {quoted(name)} has no readable header") from error
    raw = memoryview(contents)[stream.tell() :]
    if dtype.kind not in "fiubU" or dtype.hasobject or min(shape, default=0) < 0:
        raise CheckpointError(f"its array {quoted(name)} holds values of type {dtype}, not numbers")
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise CheckpointError(f"its array {quoted(name)} does not fill its shape; fetch it again")
    values: NDArray[Any] = np.frombuffer(raw, dtype) if len(raw) else np.zeros(0, dtype)
    return values.reshape(shape, order="F" if fortran else "C")


def _text(values: NDArray[Any]) -> str:
    """The text that an array is; NumPy itself makes text even of what no text can be."""
    if values.dtype.kind != "U" or values.ndim:
        raise CheckpointError("its architecture is no text; make the file again")
    encoding = "utf-32-be" if values.dtype.byteorder == ">" else "utf-32-le"
    try:
        return values.tobytes().decode(encoding).rstrip("\0")
    except UnicodeDecodeError as error:
        raise CheckpointError("its architecture is no text; make the file again") from error


def read_safetensors(data: bytes, beside: Path, choices: Choices) -> Contents:
    """Read the bytes of a safetensors file.

    Args:
        data: The file.
        beside: Its path, for the JSON file of the same stem.
        choices: What the user says.

    Raises:
        CheckpointError: An array or the architecture is missing or unusable.
        ArchitectureError: The architecture contradicts itself.
    """
    arrays, metadata = safetensors_arrays(data)
    return _contents(
        arrays, metadata.get(ARCHITECTURE), beside, len(data), SAFETENSORS_FORMAT, choices
    )


def safetensors_arrays(data: bytes) -> tuple[dict[str, StoredArray], Mapping[str, Any]]:
    """Every array of a safetensors file by its name, and the file's metadata.

    Those of types that NumPy lacks are not read; whoever needs one is told of it.

    Raises:
        CheckpointError: The file is damaged.
    """
    try:
        tensors = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata = header.get("__metadata__") or {}
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        raise CheckpointError(
            "it is a safetensors file that is truncated or damaged; fetch it again"
        ) from error
    arrays = {name: _stored(tensor).reshape(tensor["shape"]) for name, tensor in tensors}
    return arrays, metadata


def _stored(tensor: Mapping[str, Any]) -> StoredArray:
    kind = tensor["dtype"]
    if kind == "BF16":
        return from_bfloat16(tensor["data"])
    if kind not in _SAFETENSORS_CODES:
        return UnreadArray(kind)
    return np.frombuffer(tensor["data"], _SAFETENSORS_CODES[kind])


def _contents(
    arrays: Mapping[str, StoredArray],
    embedded: str | None,
    beside: Path,
    max_elements: int,
    own_format: str,
    choices: Choices,
) -> Contents:
    """A generator of the architecture given, or one whose state dict says what it is."""
    arrays = unwrapped(arrays)
    named = any(name.endswith(MARKERS) for name in arrays)
    sidecar = beside.with_suffix(".json")
    # Others keep a mere name under that key of a safetensors file, which describes nothing.
    is_ours = own_format == NPZ_FORMAT or _A_FACT in (embedded or "")
    foreign = embedded is not None and named and not is_ours
    if embedded is not None and not foreign:
        architecture, stated = _described(embedded)
    elif sidecar != beside and os.path.lexists(sidecar):
        try:
            architecture, stated = _described(_sidecar_text(sidecar))
        except (ArchitectureError, InputError) as error:
            raise CheckpointError(
                f"the JSON file {quoted(sidecar.name)} beside it, which is to say what its arrays "
                f"make up, is of no use ({error}); mend it, or move it away"
            ) from error
    elif named:
        contents = read_generator(dict(arrays), max_elements, choices)
        container = "npz" if own_format == NPZ_FORMAT else "safetensors"
        notes = (*contents.notes, _FOREIGN_WORD) if foreign else contents.notes
        return replace(contents, format=f"{contents.format} ({container})", notes=notes)
    else:
        refuse_foreign(arrays.keys())
        held = ", ".join(quoted(name[:20]) for name in list(arrays)[:_MOST_SHOWN]) or "nothing"
        raise CheckpointError(
            f"it holds {held} and no entry 'architecture', and no JSON file {quoted(sidecar.name)} "
            "that says what its arrays make up lies beside it"
        )
    own = {name: as_array(name, values) for name, values in arrays.items() if not unread(values)}
    architecture, notes = choices.completed(architecture, own, stated)
    try:
        weights = select_weights(architecture, own, max_elements)
    except CheckpointError as error:
        raise CheckpointError(why_unread(arrays) or str(error)) from error
    return stylegan2.Contents(
        architecture=architecture, weights=weights, format=own_format, notes=notes
    )


def _sidecar_text(sidecar: Path) -> str:
    try:
        return read_bytes(sidecar, _MAX_JSON_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("it is no text in UTF-8") from error


def _described(text: str) -> tuple[Architecture, frozenset[str]]:
    """The architecture of a JSON text, and what of it the text states that no array shows."""
    return Architecture.from_json(text), Architecture.stated_in(text)


def write_native(
    checkpoint_path: Path,
    architecture: Architecture,
    weights: Mapping[str, NDArray[np.float32]],
    *,
    half: bool = False,
) -> None:
    """Write an npz with the architecture inside; the same contents give the same bytes.

    Args:
        checkpoint_path: Where to; an existing file is replaced in one step.
        architecture: What the generator is made of.
        weights: Its arrays, exactly those that `parameter_shapes` lists.
        half: Keep them in half precision, in half the space.

    Raises:
        CheckpointError: The weights do not fit the architecture, or writing failed.
    """
    needed = sum(math.prod(shape) for name, shape in parameter_shapes(architecture))
    checked = select_weights(architecture, weights, max_elements=needed)
    kept = {name: array.astype("<f2" if half else "<f4") for name, array in checked.items()}
    try:
        with atomic_path(checkpoint_path) as temporary, temporary.open("wb") as stream:
            _write_npz(stream, {ARCHITECTURE: np.array(architecture.to_json()), **kept})
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise CheckpointError(
            f"{quoted(str(checkpoint_path))} cannot be written: {error.strerror or error}"
        ) from error


def _write_npz(stream: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            contents = io.BytesIO()
            np.lib.format.write_array(contents, values, version=(1, 0), allow_pickle=False)
            member = zipfile.ZipInfo(name + _NPY, _EPOCH)
            member.create_system = 3  # Unix, wherever it is written
            member.external_attr = 0o644 << 16
            archive.writestr(member, contents.getvalue())
