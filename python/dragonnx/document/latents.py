"""The latents that a document tells of, on its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragonnx.document.start import LatentStart
from dragonnx.document.state import Document
from dragonnx.model.labels import Label
from dragonnx.types import Float32

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator


def current_w_plus(document: Document, generator: Generator) -> Float32:
    """The latent [1, num_ws, w_dim] of the document's picture.

    Raises:
        InputError: It does not fit the model.
    """
    if document.result is not None:
        return generator.checked_w_plus(document.result.w_plus)
    return start_w_plus(document.start, generator)


def start_w_plus(start: LatentStart, generator: Generator) -> Float32:
    """The latent [1, num_ws, w_dim] before any drag.

    Raises:
        InputError: It does not fit the model, or the model cannot turn and move what it shows.
    """
    if start.w_plus is not None:
        w_plus = generator.checked_w_plus(start.w_plus)
    else:
        w_plus = generator.w_plus(
            start.seed, label=effective_label(start, generator), truncation_psi=start.truncation_psi
        )
    for each in start.directions:
        generator.checked_w_plus(each.vector)
    if start.directions:
        w_plus = generator.checked_w_plus(start.gone_along(w_plus))
    if (motion := start.motion) is not None:
        w_plus = generator.transform(
            w_plus, rotation=motion.rotation, translation=motion.translation
        )
    return w_plus


def effective_label(start: LatentStart, generator: Generator) -> Label | None:
    """The class that applies: what was chosen, else the first of a model that has classes."""
    return 0 if start.label is None and generator.manifest.label_dim else start.label
