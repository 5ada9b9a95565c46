"""A drag that goes on for as long as a test looks at it, and the editor in a terminal to do so."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from support.bundled import SEED

from dragonnx.document import Document, LatentStart, save_document
from dragonnx.drag.config import DragConfig


def truecolor() -> dict[str, str]:
    """Surroundings of a terminal that shows every colour."""
    return os.environ | {"COLORTERM": "truecolor", "TERM": "xterm-256color"}


def endless_drag(path: Path) -> None:
    """Write a document whose drag does not reach its target."""
    config = DragConfig(preset="paper", max_steps=10**6, stop_distance=0.1)
    document = Document(start=LatentStart(SEED), config=config)
    save_document(document.with_point((107, 163)).with_point((150.5, 80.5)), path)


def edit(name: str) -> list[str]:
    """The command that opens a document in the editor."""
    return [sys.executable, "-m", "dragonnx.cli", "edit", name, "--device", "cpu"]
