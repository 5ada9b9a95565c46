"""How far an inversion got: what its next step needs, and the file that holds it."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.adam import Adam
from dragonnx.errors import InputError
from dragonnx.files import written_whole
from dragonnx.inversion.config import InversionConfig
from dragonnx.types import Float64

_NUMBERS = ("loss", "psnr", "best_loss", "best_psnr")


@dataclass
class Progress:
    """Coordinates are as in `latent_space`, [num_ws, w_dim], or [1, w_dim] in the space "w".

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

    def compared(self, place: Float64, loss: float, psnr: float) -> bool:
        """Take over how the whole image of a place compares; whether none was better before."""
        self.loss, self.psnr = loss, psnr
        better = loss < self.best_loss
        if better:
            self.best, self.best_loss, self.best_psnr = place, loss, psnr
        return better

    def advance(self, coordinates: Float64) -> None:
        """Count a step, which led there."""
        self.coordinates = coordinates
        self.steps += 1

    def save(self, path: Path, key: str) -> None:
        """Write it with the key of what it belongs to, all or nothing.

        Raises:
            InputError: The file cannot be written.
        """
        facts = {"key": key, "steps": self.steps, "adam_steps": self.adam.steps,
                 **{name: getattr(self, name) for name in _NUMBERS}}  # fmt: skip
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                facts=np.array(json.dumps(facts)),
                coordinates=self.coordinates,
                best=self.best,
                correction=self.correction,
                mean=self.adam.mean,
                square=self.adam.square,
            )

    @classmethod
    def load(cls, path: Path, key: str, step_size: float) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: The file cannot be read, or has another key.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                facts = json.loads(str(archive["facts"]))
                arrays = {name: archive[name].astype(np.float64, casting="no")
                          for name in ("coordinates", "best", "mean", "square")}  # fmt: skip
                correction = archive["correction"].astype(np.float32, casting="no")
            steps, adam_steps = int(facts["steps"]), int(facts["adam_steps"])
            numbers = {name: float(facts[name]) for name in _NUMBERS}
            found = facts["key"]
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} does not hold the progress of an inversion") from error
        if found != key:
            raise InputError(
                f"{path} belongs to another photo, model or other settings: give the same ones, "
                "or another file"
            )
        adam = Adam(step_size, adam_steps, arrays["mean"], arrays["square"])
        return cls(
            arrays["coordinates"],
            adam,
            steps,
            best=arrays["best"],
            correction=correction,
            **numbers,
        )


def key_of(target: NDArray[np.float32], config: InversionConfig, model: str, loss: str) -> str:
    """What must be the same for an inversion to go on: photo, settings, model, the loss's name."""
    settings = json.dumps([asdict(config), model, loss], sort_keys=True).encode()
    return hashlib.sha256(target.tobytes() + settings).hexdigest()
