"""ONNX Runtime itself: which of its two builds is installed, if any. Nothing else imports it."""

from __future__ import annotations

import functools
from types import ModuleType

from dragonnx.errors import DeviceError


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
    found: ModuleType = module
    return found


def runtime_version() -> str:
    """Name and version of the installed ONNX Runtime with its providers.

    Raises:
        DeviceError: None is installed.
    """
    ort = onnxruntime()
    return f"onnxruntime {ort.__version__} ({', '.join(ort.get_available_providers())})"
