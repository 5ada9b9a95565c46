"""Opening a session of ONNX Runtime, and saying why one cannot be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dragonnx.errors import BundleError, DeviceError
from dragonnx.log import timed
from dragonnx.runtime.ort import ERRORS_ONLY, onnxruntime
from dragonnx.runtime.providers import Device
from dragonnx.runtime.turns import turn

_LONGEST_REASON = 500
"""Characters of what ONNX Runtime says; names in a graph may be of any length."""


def open_session(
    path: Path, device: Device, options: Any, *, windows: bool = False, replayed: bool = False,
    content: bytes | None = None,
) -> Any:  # fmt: skip
    """An ONNX Runtime session of a graph's file on a device, or of what was read of it before.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
        DeviceError: The graph cannot run on the device.
    """
    options.log_severity_level = ERRORS_ONLY
    # Each session has threads of its own, which spin after a run in the hope of the next one and so
    # steal the cores from the other graph of a drag step: without this, a step takes 1.8 times as long.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # On a card a planned block of scratch memory comes beside the pieces of the first run, which stay.
    if device.provider.memory != "cpu":
        options.enable_mem_pattern = False
    try:
        with timed(f"loading {path.name}"), turn(device):
            session = onnxruntime().InferenceSession(
                str(path) if content is None else content,
                options,
                providers=device.session_providers(windows=windows, replayed=replayed),
            )
    except DeviceError:
        raise
    except Exception as error:  # onnxruntime's exceptions share no narrower base class
        raise BundleError(
            f"ONNX Runtime cannot load {path} ({one_line(error)}): export the bundle again "
            "with this version of dragonnx-export"
        ) from error
    if device.provider.ort_name not in session.get_providers():
        raise DeviceError(f"ONNX Runtime would not run {path.name} on {device.provider.title}")
    return session


def one_line(error: Exception) -> str:
    """What ONNX Runtime says, in a line."""
    return " ".join(str(error).split())[:_LONGEST_REASON]
