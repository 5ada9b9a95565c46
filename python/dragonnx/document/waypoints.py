"""What a walk goes through: seeds and files, as users name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dragonnx.document.latent_file import load_latent
from dragonnx.document.latents import start_w_plus
from dragonnx.document.start import LatentStart
from dragonnx.paths import typed_path

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.model.labels import Label
    from dragonnx.types import Float32

Waypoint: TypeAlias = LatentStart | Path
"""A seed, or a file as `load_latent` takes it."""


def waypoint(text: str, psi: float | None = None, label: Label | None = None) -> Waypoint:
    """What a text names: digits alone are a seed, of this truncation psi and class."""
    if not (text.isascii() and text.isdecimal()):
        return typed_path(text)
    # So many digits tell that it is too large, and Python reads no more than some thousand.
    return LatentStart(int(text.lstrip("0")[:20] or "0"), psi, label)


def w_plus_of(each: Waypoint, generator: Generator) -> Float32:
    """Its latent, [1, num_ws, w_dim].

    Raises:
        InputError: It does not fit the model.
    """
    if isinstance(each, Path):
        return load_latent(each, generator=generator)
    return start_w_plus(each, generator)
