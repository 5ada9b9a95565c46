"""DragGAN without PyTorch at run time.

    from dragonnx import DragSession, Generator

Names load when first used: `import dragonnx` alone loads neither ONNX Runtime nor a user interface.
The logger "dragonnx" tells what is slow, and nothing is printed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonnx.document.archive import open_document, save_document
    from dragonnx.document.latent_file import load_latent
    from dragonnx.document.pictures import open_picture, save_picture
    from dragonnx.document.result import DragResult
    from dragonnx.document.start import LatentStart
    from dragonnx.document.state import Document, PointPair
    from dragonnx.drag.config import DragConfig
    from dragonnx.drag.mask import load_mask
    from dragonnx.drag.outcome import Outcome
    from dragonnx.drag.progress import DragStep
    from dragonnx.drag.session import DragSession
    from dragonnx.errors import (
        BundleError,
        DeviceError,
        DragonnxError,
        InputError,
        OutputError,
        StateError,
    )
    from dragonnx.inversion.config import InversionConfig
    from dragonnx.inversion.faces.alignment import align_face
    from dragonnx.inversion.faces.detector import FaceDetector
    from dragonnx.inversion.faces.landmarks import read_landmarks
    from dragonnx.inversion.image_loss import PyramidLoss
    from dragonnx.inversion.perceptual import CombinedLoss, PerceptualLoss
    from dragonnx.inversion.photo import Photo, load_photo
    from dragonnx.inversion.session import InversionSession, InversionStep, invert
    from dragonnx.model.generator import Generator
    from dragonnx.model.latent import save_latent
    from dragonnx.model.latent_walk import walk

    __version__: str

__all__ = [
    "BundleError",
    "CombinedLoss",
    "DeviceError",
    "Document",
    "DragConfig",
    "DragResult",
    "DragSession",
    "DragStep",
    "DragonnxError",
    "FaceDetector",
    "Generator",
    "InputError",
    "InversionConfig",
    "InversionSession",
    "InversionStep",
    "LatentStart",
    "Outcome",
    "OutputError",
    "PerceptualLoss",
    "Photo",
    "PointPair",
    "PyramidLoss",
    "StateError",
    "align_face",
    "invert",
    "load_latent",
    "load_mask",
    "load_photo",
    "open_document",
    "open_picture",
    "read_landmarks",
    "save_document",
    "save_latent",
    "save_picture",
    "walk",
]

_HOMES = {
    "BundleError": "dragonnx.errors",
    "CombinedLoss": "dragonnx.inversion.perceptual",
    "DeviceError": "dragonnx.errors",
    "Document": "dragonnx.document.state",
    "DragConfig": "dragonnx.drag.config",
    "DragResult": "dragonnx.document.result",
    "DragSession": "dragonnx.drag.session",
    "DragStep": "dragonnx.drag.progress",
    "DragonnxError": "dragonnx.errors",
    "FaceDetector": "dragonnx.inversion.faces.detector",
    "Generator": "dragonnx.model.generator",
    "InputError": "dragonnx.errors",
    "InversionConfig": "dragonnx.inversion.config",
    "InversionSession": "dragonnx.inversion.session",
    "InversionStep": "dragonnx.inversion.session",
    "LatentStart": "dragonnx.document.start",
    "Outcome": "dragonnx.drag.outcome",
    "OutputError": "dragonnx.errors",
    "PerceptualLoss": "dragonnx.inversion.perceptual",
    "Photo": "dragonnx.inversion.photo",
    "PointPair": "dragonnx.document.state",
    "PyramidLoss": "dragonnx.inversion.image_loss",
    "StateError": "dragonnx.errors",
    "align_face": "dragonnx.inversion.faces.alignment",
    "invert": "dragonnx.inversion.session",
    "load_latent": "dragonnx.document.latent_file",
    "load_mask": "dragonnx.drag.mask",
    "load_photo": "dragonnx.inversion.photo",
    "open_document": "dragonnx.document.archive",
    "open_picture": "dragonnx.document.pictures",
    "read_landmarks": "dragonnx.inversion.faces.landmarks",
    "save_document": "dragonnx.document.archive",
    "save_latent": "dragonnx.model.latent",
    "save_picture": "dragonnx.document.pictures",
    "walk": "dragonnx.model.latent_walk",
}


if not TYPE_CHECKING:  # a type checker would take any misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
        if name == "__version__":
            from importlib import metadata

            return metadata.version("dragonnx")
        raise AttributeError(f"module 'dragonnx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "__version__"})
