"""DragGAN without PyTorch at run time.

    from dragonnx import DragConfig, DragSession, Generator

Names load when first used: `import dragonnx` alone loads neither ONNX Runtime nor a user interface.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonnx.drag.config import DragConfig
    from dragonnx.drag.progress import DragStep
    from dragonnx.drag.session import DragSession, Outcome
    from dragonnx.errors import BundleError, DeviceError, DragonnxError, InputError, StateError
    from dragonnx.inversion.config import InversionConfig
    from dragonnx.inversion.image_loss import PyramidLoss
    from dragonnx.inversion.perceptual import CombinedLoss, PerceptualLoss
    from dragonnx.inversion.session import InversionSession, InversionStep, invert
    from dragonnx.model.generator import Generator

__version__ = "0.1.0"

__all__ = [
    "BundleError",
    "CombinedLoss",
    "DeviceError",
    "DragConfig",
    "DragSession",
    "DragStep",
    "DragonnxError",
    "Generator",
    "InputError",
    "InversionConfig",
    "InversionSession",
    "InversionStep",
    "Outcome",
    "PerceptualLoss",
    "PyramidLoss",
    "StateError",
    "invert",
]

_HOMES = {
    "BundleError": "dragonnx.errors",
    "CombinedLoss": "dragonnx.inversion.perceptual",
    "DeviceError": "dragonnx.errors",
    "DragConfig": "dragonnx.drag.config",
    "DragSession": "dragonnx.drag.session",
    "DragStep": "dragonnx.drag.progress",
    "DragonnxError": "dragonnx.errors",
    "Generator": "dragonnx.model.generator",
    "InputError": "dragonnx.errors",
    "InversionConfig": "dragonnx.inversion.config",
    "InversionSession": "dragonnx.inversion.session",
    "InversionStep": "dragonnx.inversion.session",
    "Outcome": "dragonnx.drag.session",
    "PerceptualLoss": "dragonnx.inversion.perceptual",
    "PyramidLoss": "dragonnx.inversion.image_loss",
    "StateError": "dragonnx.errors",
    "invert": "dragonnx.inversion.session",
}


if not TYPE_CHECKING:  # a type checker would take any misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
        raise AttributeError(f"module 'dragonnx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
