"""The models that a user can choose by name, as a list shows them."""

from __future__ import annotations

from dragonnx.errors import BundleError
from dragonnx.model.library import known_manifests


def model_choices() -> list[tuple[str, str]]:
    """Models with a name: what to open, and what to show."""
    return [
        (
            folder.name,
            f"{folder.name}  damaged: {found}"
            if isinstance(found, BundleError)
            else f"{folder.name}  {found.image_size[1]} x {found.image_size[0]} px",
        )
        for folder, found in known_manifests()
    ]
