"""Weights as the CPU's kernels want them, laid out once in a file that processes map and so share.

ONNX Runtime turns and packs the weights of a graph when it loads it, into memory that belongs to one
process alone. What it made can be written down: loaded from there, the same kernels find the same
numbers in a mapped file, of which a machine has one copy however many processes map it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dragonnx.errors import BundleError
from dragonnx.locks import lock
from dragonnx.log import logger
from dragonnx.runtime.ort import onnxruntime
from dragonnx.runtime.providers import HOST
from dragonnx.runtime.session import open_session

_SMALLEST = "1024"
"""Bytes of a constant that goes into the file of weights; smaller ones stay in the graph."""
_PAUSE = 0.01
"""Seconds between two looks at whether another process has laid a graph out."""


def laid_out(path: Path, folder: Path, more: Callable[[Path], object] | None = None) -> Path | None:
    """A graph's file with its weights laid out for the CPU of this machine, in a file beside it.

    The first process to ask makes it, and others wait for that. It is good on this machine, with this
    ONNX Runtime, and to be loaded without further optimisation.

    Args:
        path: The .onnx file, its external data beside it.
        folder: Where processes keep such files; empty at first, and nobody else's.
        more: Makes other files of it, beside it.

    Returns:
        The file; None where it could not be written, as on a full disk.
    """
    name = f"{path.stem}-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]}"
    place = folder / name
    found = place / path.name
    try:
        with (folder / f"{name}.lock").open("ab") as claim:
            while not found.exists() and not lock(claim.fileno()):
                time.sleep(_PAUSE)
            if not found.exists():
                with tempfile.TemporaryDirectory(dir=folder, prefix="new-") as new:
                    _lay_out(path, Path(new) / path.name)
                    if more is not None:
                        more(Path(new) / path.name)
                    Path(new).rename(place)
                    Path(new).mkdir()  # for what removes it
    except (BundleError, OSError) as error:
        # Where it is the graph that is wrong, loading it as it comes says so.
        logger.info("%s is not shared with other processes (%s)", path.name, error)
        return None
    return found


def _lay_out(path: Path, new: Path) -> None:
    """Load a graph and have what its kernels made of its weights written down."""
    options = onnxruntime().SessionOptions()
    options.intra_op_num_threads = 1
    options.optimized_model_filepath = str(new)
    prefix = "session.optimized_model_external_initializers_"
    options.add_session_config_entry(f"{prefix}file_name", f"{new.stem}.bin")
    options.add_session_config_entry(f"{prefix}min_size_in_bytes", _SMALLEST)
    # Versions before 1.21 do not know this, and pack in each process what kernels want packed.
    options.add_session_config_entry("session.save_external_prepacked_constant_initializers", "1")
    open_session(path, HOST, options)
