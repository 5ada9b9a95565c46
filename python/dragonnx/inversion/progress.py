"""How far an inversion got: what its next step needs, and the file that holds it."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.adam import Adam
from dragonnx.drag.progress_file import SavedProgress, read_progress, write_progress
from dragonnx.drag.progress_file import key_of as progress_key
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.model.drag_settings import MOST_STEPS
from dragonnx.model.labels import Label, label_facts
from dragonnx.reading.values import entry, shown, whole
from dragonnx.types import Array, Float32, Float64

_NUMBERS = ("loss", "psnr", "best_loss", "best_psnr")


@dataclass(frozen=True, eq=False)
class Progress:
    """An inversion after some steps.

    Coordinates are as in `latent_space`, [num_ws, w_dim], or [1, w_dim] in the space "w".

    Attributes:
        coordinates: Where the descent stands.
        adam: The moments.
        steps: How many steps are done.
        loss: Where the whole image was compared last.
        psnr: The image's there, in dB.
        best: The coordinates of the smallest loss so far.
        best_loss: That loss.
        best_psnr: The image's PSNR there, in dB.
        correction: Of the small image, see `coarse`; empty before one was made.
        best_image: The whole image [1, image_channels, H, W] there; None where it was not kept: it
            is not in the file.
    """

    coordinates: Float64
    adam: Adam
    steps: int = 0
    loss: float = math.inf
    psnr: float = -math.inf
    best: Float64 = field(default_factory=lambda: np.zeros(()))
    best_loss: float = math.inf
    best_psnr: float = -math.inf
    correction: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    best_image: Float32 | None = None

    def compared(self, place: Float64, image: Float32, loss: float, psnr: float) -> Self:
        """The same once it is known how the whole image of a place compares with the photo."""
        found = replace(self, loss=loss, psnr=psnr)
        if loss < self.best_loss:
            found = replace(found, best=place, best_loss=loss, best_psnr=psnr, best_image=image)
        return found

    def save(self, path: str | os.PathLike[str], key: str) -> None:
        """Write it with the key of what it belongs to, all or nothing.

        Raises:
            InputError: The file cannot be written.
        """
        facts = {"steps": self.steps, "adam_steps": self.adam.steps,
                 **{name: getattr(self, name) for name in _NUMBERS}}  # fmt: skip
        arrays: dict[str, Array] = {
            "coordinates": self.coordinates,
            "best": self.best,
            "correction": self.correction,
            "mean": self.adam.mean,
            "square": self.adam.square,
        }
        write_progress(path, key, facts, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], key: str, step_size: float) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: The file cannot be read, or has another key.
        """
        refusal = "it belongs to another photo, model or other settings: give the same ones, or another file"
        saved = read_progress(path, key, refusal)
        try:
            return cls._of(saved, step_size)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @classmethod
    def _of(cls, saved: SavedProgress, step_size: float) -> Self:
        facts = saved.facts
        steps, adam_steps = (
            whole(entry(facts, name), name, 1, MOST_STEPS) for name in ("steps", "adam_steps")
        )
        shape = entry(saved.arrays, "coordinates").shape
        coordinates, best, mean, square = (
            saved.array(name, np.float64, shape)
            for name in ("coordinates", "best", "mean", "square")
        )
        correction = entry(saved.arrays, "correction")
        correction = saved.array("correction", np.float32, correction.shape)
        if (square < 0).any():
            raise InputError("square holds numbers below 0")
        loss, psnr, best_loss, best_psnr = (_real(entry(facts, name), name) for name in _NUMBERS)
        return cls(
            coordinates,
            Adam(step_size, adam_steps, mean, square),
            steps,
            loss,
            psnr,
            best,
            best_loss,
            best_psnr,
            correction,
        )


def _real(value: object, name: str) -> float:
    """A number; of a picture that is found exactly the PSNR is infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise InputError(f"{name} must be a number, not {shown(value)}")
    return float(value)


def key_of(
    target: Float32,
    config: InversionConfig,
    model: str,
    loss: str,
    label: Label | None = None,
) -> str:
    """What must be the same for an inversion to go on: photo, settings, model, the loss's name."""
    # Files of models without classes have the key that they always had.
    classes = [] if label is None else [label_facts(label)]
    return progress_key([asdict(config), model, loss, *classes], target)
