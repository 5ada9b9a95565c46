"""What every reader raises."""

from __future__ import annotations

from dragonnx.errors import InputError


class CheckpointError(InputError):
    """The file is no checkpoint that can be read safely, or lacks something it must have."""
