"""ONNX Runtime itself: which of its two builds is installed, if any. Nothing else imports it."""

from __future__ import annotations

import functools
from types import ModuleType

from dragonnx.errors import DeviceError

ERRORS_ONLY = 3
"""How much ONNX Runtime says: its warnings are for whoever develops it."""


@functools.cache
def onnxruntime() -> ModuleType:
    """The module, from whichever distribution it was installed.

    Raises:
        DeviceError: It is not installed, or what is installed is broken.
    """
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
