"""ONNX Runtime itself: which of its two builds is installed, if any. Nothing else imports it."""

from __future__ import annotations

import functools
import os
import sys
from types import ModuleType

from dragonnx.errors import DeviceError

ERRORS_ONLY = 3
"""How much ONNX Runtime says: its warnings are for whoever develops it."""

_SWITCH = "ORT_DISABLE_TELEMETRY"
"""What ONNX Runtime 1.29 and later looks at once, when it is imported; not on Windows."""


@functools.cache
def onnxruntime() -> ModuleType:
    """The module, from whichever distribution it was installed, with its telemetry off.

    By default it writes a device id and a queue of events into the user's cache folder and sends
    them home. It stays off in child processes too, unless the user has set ORT_DISABLE_TELEMETRY=0.

    Raises:
        DeviceError: It is not installed, or what is installed is broken.
    """
    if "onnxruntime" not in sys.modules:
        os.environ.setdefault(_SWITCH, "1")
    try:
        import onnxruntime as module
    except ImportError as error:
        raise DeviceError(
            "ONNX Runtime is not installed: pip install 'dragonnx[cpu]', or on a machine with an "
            "NVIDIA GPU pip install 'dragonnx[gpu]'"
        ) from error
    # A leftover namespace folder imports without error but is empty.
    if not hasattr(module, "InferenceSession"):
        raise DeviceError(
            "the installed onnxruntime is broken: pip uninstall onnxruntime onnxruntime-gpu, then "
            "pip install 'dragonnx[cpu]' or 'dragonnx[gpu]'"
        )
    # Where a program imported it before, and on Windows, this is all that can be done.
    if os.environ.get(_SWITCH) != "0" and hasattr(module, "disable_telemetry_events"):
        module.disable_telemetry_events()
    # With CUDA it warns at every session of something that is no fault, on the terminal.
    module.set_default_logger_severity(ERRORS_ONLY)
    found: ModuleType = module
    return found


def runtime_version() -> str:
    """Name and version of the installed ONNX Runtime with its providers.

    Raises:
        DeviceError: None is installed.
    """
    ort = onnxruntime()
    return f"onnxruntime {ort.__version__} ({', '.join(ort.get_available_providers())})"
