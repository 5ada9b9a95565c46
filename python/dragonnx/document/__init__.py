"""What a person edits, without any screen: model, latent, points, mask, settings, result.

Names load when first used, so that looking at one part does not load the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonnx.document.archive import open_document, save_document
    from dragonnx.document.history import History
    from dragonnx.document.recovery import Recovery
    from dragonnx.document.state import Document, DragResult, LatentStart, PointPair

__all__ = [
    "Document",
    "DragResult",
    "History",
    "LatentStart",
    "PointPair",
    "Recovery",
    "open_document",
    "save_document",
]

_HOMES = {
    "Document": "state",
    "DragResult": "state",
    "History": "history",
    "LatentStart": "state",
    "PointPair": "state",
    "Recovery": "recovery",
    "open_document": "archive",
    "save_document": "archive",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"dragonnx.document.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'dragonnx.document' has no attribute {name!r}")
