"""Opening a file from a stranger: its bytes within bounds, and every refusal as one sentence."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from dragonnx.errors import InputError
from dragonnx.paths import address_in
from dragonnx.reading.pickles.damage import DAMAGE
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.recognise import Format, recognise
from dragonnx_export.families.family import ArchitectureError

MAX_FILE_BYTES = 1 << 32
"""The largest StyleGAN2 snapshots are a tenth of this, VGG16 with its classifier an eighth."""

_MAX_REASON = 400
_PICKLE = "data.pkl"
"""In every checkpoint of torch.save, which is a zip."""
_Found = TypeVar("_Found")


def open_file(
    path: Path, read: Callable[[Format, bytes], _Found], expected: str, advice: str
) -> _Found:
    """Read a file with a reader that only looks at its bytes; one of another kind is not read at all.

    Args:
        path: The file.
        read: Makes of its format and its bytes what is wanted; may raise CheckpointError with the
            reason why not.
        expected: What the file should be, as a clause for a refusal.
        advice: What to do where a refusal says nothing better.

    Returns:
        What the reader made.

    Raises:
        CheckpointError: The file cannot be read, or not as what is expected. One sentence.
    """
    try:
        kind, data = _contents(path, expected)
        with np.errstate(all="ignore"):  # what is not finite is refused, not warned about
            return read(kind, data)
    except (InputError, ArchitectureError) as error:
        reason = textwrap.shorten(str(error), _MAX_REASON)
        if "; " not in reason:
            reason = f"{reason}; {advice}"
        raise CheckpointError(
            f"{quoted(path.name or str(path))} cannot be read: {reason}"
        ) from error
    except DAMAGE as error:
        raise CheckpointError(
            f"{quoted(path.name or str(path))} cannot be read: it is damaged or holds what no "
            f"checkpoint has ({type(error).__name__}); where a fresh copy gives the same, {advice}"
        ) from error


def _contents(path: Path, expected: str) -> tuple[Format, bytes]:
    if address := address_in(path):
        raise CheckpointError(
            f"it is an address ({address.partition(':')[0]}), but {expected}; download it and give the "
            "file"
        )
    try:
        if path.is_dir():
            if (path / _PICKLE).is_file():
                raise CheckpointError(
                    "it is a folder into which a checkpoint was unpacked, as some browsers do; zip it "
                    "again and give the zip, or fetch the file again"
                )
            raise CheckpointError(f"it is a folder, but {expected}; give the file in it")
        if not path.exists():
            raise CheckpointError("there is no such file; check its name and folder")
        if not path.is_file():
            raise CheckpointError(f"it is no ordinary file, but {expected}")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise CheckpointError(f"it is larger than {MAX_FILE_BYTES >> 30} GiB, but {expected}")
        with path.open("rb") as stream:
            kind = recognise(stream, expected)
            stream.seek(0)
            return kind, stream.read(size)
    except OSError as error:
        raise CheckpointError(f"{error.strerror or error}; check its permissions") from error
