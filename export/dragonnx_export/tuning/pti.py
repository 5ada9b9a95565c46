"""Pivotal tuning: the generator is bent until the latent of a photo shows the photo itself.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images", arXiv 2106.05744: an
inversion finds the pivot, a latent that comes close (section 3.1); then all weights behind it are
tuned, the pivot staying where it is (section 3.2), on request with a penalty that holds pictures
near the pivot where they were (section 3.3). Images are compared by the same losses as in
`dragonnx.inversion`, so that they may use the same networks.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.errors import InputError
from dragonnx.inversion.image_loss import ImageLoss, psnr
from dragonnx.model.drag_settings import LARGEST_STEP_SIZE, LARGEST_WEIGHT, MOST_STEPS
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.reading.values import number, positive, set_fields, whole
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.tuning.optimiser import Optimiser

Float32 = NDArray[np.float32]

_MATRIX_GAIN = 2.0
"""How much faster the large weights learn."""
_LARGEST_PSNR = 1000.0
"""dB: beyond the rounding of any image, so that nothing stops the tuning early."""
_RAMP_DOWN = 0.5
"""Share of the steps over which the learning rate falls at the end."""


@dataclass(frozen=True, kw_only=True)
class TuningConfig:
    """How a generator is tuned; defaults are those of the authors' code where nothing else is said.

    Attributes:
        steps: At most.
        step_size: The learning rate at the start, for the optimiser of `dragonnx_export.tuning.optimiser`,
            with which a small generator comes 2 dB closer than with the authors' Adam at 3e-4.
        stop_psnr: Reaching it, in dB, ends the tuning: what follows would fit noise. The authors
            stop at an LPIPS distance of 0.06; without such a network this stands in for it.
        locality: Weight of the penalty on pictures near the pivot; 0 is none, as the authors have
            it, and 0.1 is what they take where it is on. It doubles the time of a step.
        locality_reach: How far from the pivot those pictures lie, as a length in w.
        seed: Of those pictures.

    Raises:
        InputError: A value is out of range.
    """

    steps: int = 350
    step_size: float = 1e-3
    stop_psnr: float = 40.0
    locality: float = 0.0
    locality_reach: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        set_fields(
            self,
            steps=whole(self.steps, "steps", 1, MOST_STEPS),
            step_size=positive(self.step_size, "step_size", LARGEST_STEP_SIZE),
            stop_psnr=number(self.stop_psnr, "stop_psnr", 0, _LARGEST_PSNR),
            locality=number(self.locality, "locality", 0, LARGEST_WEIGHT),
            locality_reach=positive(self.locality_reach, "locality_reach", LARGEST_WEIGHT),
            seed=whole(self.seed, "seed", 0, LARGEST_SEED),
        )


@dataclass(frozen=True)
class TuningStep:
    """What one step found: its number from 1, the loss, the picture's PSNR in dB, the seconds."""

    number: int
    loss: float
    psnr: float
    seconds: float


class Tuning:
    """Tunes a copy of a checkpoint's generator. Iterate over it for the steps.

    Args:
        checkpoint: The generator; it is not changed.
        pivot: The latent [1, num_ws, w_dim] that is to show the photo.
        target: The photo [1, 3, H, W], -1 to 1.
        loss: How images are compared.
        config: What the user chose.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        pivot: Float32,
        target: Float32,
        loss: ImageLoss,
        config: TuningConfig | None = None,
    ) -> None:
        self.config = config or TuningConfig()
        self._checkpoint = checkpoint
        self._pivot = torch.tensor(pivot)
        self._loss = loss
        self._original = Generator.from_checkpoint(checkpoint)
        self._tuned = copy.deepcopy(self._original)
        self._tuned.synthesis.requires_grad_(requires_grad=True)
        grey = checkpoint.architecture.image_channels == 1
        self._target = target.mean(axis=1, keepdims=True) if grey else target
        loss.set_target(self._target)
        self._random = torch.Generator().manual_seed(self.config.seed)
        self._best_loss = math.inf
        self._best = self._weights()
        self.psnr = -math.inf

    def __iter__(self) -> Iterator[TuningStep]:
        optimiser = Optimiser(self._tuned.synthesis)
        for step in range(1, self.config.steps + 1):
            began = time.perf_counter()
            optimiser.zero_grad()
            image = self._tuned.synthesis(self._pivot)
            pixels = image.detach().numpy()
            loss, grad_image = self._loss(pixels)
            if not math.isfinite(loss):
                raise InputError(
                    f"the tuning diverged after {step - 1} steps: take a smaller step size than "
                    f"{self.config.step_size:g}"
                )
            likeness = psnr(pixels, self._target)
            if loss < self._best_loss:
                self._best_loss, self.psnr, self._best = loss, likeness, self._weights()
            if likeness < self.config.stop_psnr:
                image.backward(torch.from_numpy(grad_image))
                if self.config.locality:
                    penalty = self._locality()
                    penalty.backward()  # type: ignore[no-untyped-call]
                    loss += float(penalty.detach())
                rate = self._rate(step - 1)
                optimiser.step(rate, rate * _MATRIX_GAIN)
            yield TuningStep(step, loss, likeness, time.perf_counter() - began)
            if likeness >= self.config.stop_psnr:
                return

    def checkpoint(self) -> Checkpoint:
        """The tuned generator, with the weights that came closest to the photo."""
        tuned = {name: values.numpy() for name, values in self._best.items()}
        weights = {**self._checkpoint.weights, **tuned}
        note = f"Tuned to a photo (PTI), {self.psnr:.1f} dB."
        notes = (*self._checkpoint.notes, note)
        return dataclasses.replace(self._checkpoint, weights=weights, notes=notes)

    def _weights(self) -> dict[str, Tensor]:
        """A copy of what is tuned, under the checkpoint's names."""
        return {
            f"synthesis.{name}": values.detach().clone()
            for name, values in self._tuned.synthesis.named_parameters()
        }

    def _locality(self) -> Tensor:
        """Equation 6: the tuned picture of a latent near the pivot shall be as it was."""
        architecture = self._checkpoint.architecture
        z = torch.randn(1, architecture.z_dim, generator=self._random)
        labels = architecture.label_dim
        label = None
        if labels:
            chosen = torch.randint(labels, (1,), generator=self._random)
            label = torch.eye(labels)[chosen]
        with torch.no_grad():
            towards = self._original.mapping(z, label)[:, None] - self._pivot
            length = towards.norm(dim=-1, keepdim=True).clamp_min(1e-8)
            near = self._pivot + self.config.locality_reach * towards / length
            before = self._original.synthesis(near)
        difference: Tensor = self._tuned.synthesis(near) - before
        return self.config.locality * difference.square().mean()

    def _rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0: level, then a cosine down to 0."""
        left = min(1.0, (1 - step / self.config.steps) / _RAMP_DOWN)
        return self.config.step_size * (0.5 - 0.5 * math.cos(math.pi * left))
