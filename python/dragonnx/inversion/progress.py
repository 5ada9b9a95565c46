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

from dragonnx.adam import Adam
from dragonnx.errors import InputError
from dragonnx.files import atomic_path
from dragonnx.inversion.config import InversionConfig

Float64 = NDArray[np.float64]


@dataclass
class Progress:
    """Coordinates are as in `latent_space`, [num_ws, w_dim], or [1, w_dim] in the space "w".

    Attributes:
        coordinates: Where the descent stands.
        adam: The moments.
        steps: How many steps are done.
        best: The coordinates of the smallest loss so far.
        best_loss: That loss.
        best_psnr: The picture's PSNR there, in dB.
    """

    coordinates: Float64
    adam: Adam
    steps: int = 0
    best: Float64 = field(default_factory=lambda: np.zeros(()))
    best_loss: float = math.inf
    best_psnr: float = -math.inf

    def advance(self, coordinates: Float64, looked_at: Float64, loss: float, psnr: float) -> None:
        """Take over what a step found: where it went, and the place that it had looked at."""
        if loss < self.best_loss:
            self.best, self.best_loss, self.best_psnr = looked_at, loss, psnr
        self.coordinates = coordinates
        self.steps += 1

    def save(self, path: Path, key: str) -> None:
        """Write it with the key of what it belongs to, all or nothing.

        Raises:
            InputError: The file cannot be written.
        """
        facts = {"key": key, "steps": self.steps, "loss": self.best_loss,
                 "psnr": self.best_psnr}  # fmt: skip
        try:
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.savez(
                    file,
                    facts=np.array(json.dumps(facts)),
                    coordinates=self.coordinates,
                    best=self.best,
                    mean=self.adam.mean,
                    square=self.adam.square,
                )
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error.strerror or error})") from error

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
            steps, loss, psnr = int(facts["steps"]), float(facts["loss"]), float(facts["psnr"])
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
        adam = Adam(step_size, steps, arrays["mean"], arrays["square"])
        return cls(arrays["coordinates"], adam, steps, arrays["best"], loss, psnr)


def key_of(target: NDArray[np.float32], config: InversionConfig, model: str, loss: str) -> str:
    """What must be the same for an inversion to go on: photo, settings, model, the loss's name."""
    settings = json.dumps([asdict(config), model, loss], sort_keys=True).encode()
    return hashlib.sha256(target.tobytes() + settings).hexdigest()
