"""A finished folder of graphs takes its place in one step, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from dragonnx.errors import DragonnxError
from dragonnx.folders import atomic_folder, restore_folders
from dragonnx.model.facts import MANIFEST_NAME, FileRecord
from dragonnx_export.graphs.weight_file import WeightFile

_VERSIONS_OF = ("dragonnx-export", "numpy", "onnx", "onnxruntime", "torch")


class ExportError(DragonnxError):
    """A bundle or network cannot be made or written as asked."""


def check_target(folder: Path, *, overwrite: bool) -> None:
    """Refuse to replace what is no such folder, or one without being told to.

    Raises:
        ExportError: The folder is taken.
    """
    restore_folders(folder.parent)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExportError(f"{folder} is a file: name a folder that the bundle is to be")
    if not any(folder.iterdir()):
        return
    if not (folder / MANIFEST_NAME).is_file():
        raise ExportError(f"{folder} holds other files: name a new or empty folder")
    if not overwrite:
        raise ExportError(f"{folder} holds a bundle already: pass --overwrite to replace it")


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` that takes its place when the block ends well.

    Raises:
        ExportError: Something cannot be written; `folder` is as it was.
    """
    try:
        target = folder.resolve()  # through a link it is what the link points to that is written
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(target) as staging:
            yield staging
    except OSError as error:
        raise ExportError(f"{folder} cannot be written ({error.strerror or error})") from error


def write_files(
    staging: Path, contents: Mapping[str, bytes], weights: WeightFile
) -> dict[str, FileRecord]:
    """Write graphs and their weights, check the graphs, and say what a manifest says of them."""
    for name, content in contents.items():
        (staging / name).write_bytes(content)
    weights.write(staging)
    for name in contents:
        if name.endswith(".onnx"):
            onnx.checker.check_model(str(staging / name), full_check=True)
    return {name: _record(staging / name) for name in (*contents, weights.name)}


def _record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(sha256=digest, size=path.stat().st_size)


def serialised(model: onnx.ModelProto) -> bytes:
    """A graph's file; equal graphs are equal bytes."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def array_file(array: NDArray[np.float32]) -> bytes:
    """The content of a file of NumPy's format."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def library_versions() -> dict[str, str]:
    """The exporter and the libraries that make and check graphs, by name."""
    return {name: importlib.metadata.version(name) for name in _VERSIONS_OF}
