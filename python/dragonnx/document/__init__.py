"""What a user edits, without any screen: model, latent, points, mask, settings, result.

Names load when first used, so that looking at one part does not load the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonnx.document.archive import open_document, save_document
    from dragonnx.document.history import History
    from dragonnx.document.recovery import Recovery
    from dragonnx.document.result import DragResult
    from dragonnx.document.run import DragRun, drag
    from dragonnx.document.start import LatentStart
    from dragonnx.document.state import Document, PointPair

__all__ = [
    "Document",
    "DragResult",
    "DragRun",
    "History",
    "LatentStart",
    "PointPair",
    "Recovery",
    "drag",
    "open_document",
    "save_document",
]

_HOMES = {
    "Document": "state",
    "DragResult": "result",
    "DragRun": "run",
    "History": "history",
    "LatentStart": "start",
    "PointPair": "state",
    "Recovery": "recovery",
    "drag": "run",
    "open_document": "archive",
    "save_document": "archive",
}


if not TYPE_CHECKING:  # a type checker would take any misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(importlib.import_module(f"dragonnx.document.{_HOMES[name]}"), name)
        raise AttributeError(f"module 'dragonnx.document' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
