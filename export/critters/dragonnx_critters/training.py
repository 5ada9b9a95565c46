"""Fitting a generator to renders by regression, one step at a time, from a state that can be kept.

Besides the image, the features that the geometry's layers end in are fitted: a linear map of them,
of use in training only, must tell which part of the animal is where. That is learned sooner than
colours tell it (at 32 px, 23.3 against 22.2 dB after 800 steps), and a drag follows such features.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dragonnx.errors import InputError
from dragonnx_critters.factors import GEOMETRY, recombined
from dragonnx_critters.loss import part_coverage, part_loss, psnr, regression_loss
from dragonnx_critters.plan import Plan
from dragonnx_critters.shards import EYE_VALUES, PART_COUNT, Shards
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.networks import Generator, State
from dragonnx_export.tuning.optimiser import Optimiser

GEOMETRY_LAYERS = 6
"""How many of the first w's carry the geometry: those that a drag optimises."""

_GEOMETRY_SIDE = 32  # of the feature map after those layers

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From w_plus, target image and map of parts to the loss."""


class Training:
    """A generator, its moving average and its optimiser at some step of a plan.

    Attributes:
        plan: How it is trained; may be replaced by one that agrees on the steps already done.
        step: Steps done.
        generator: What is trained.
        average: The moving average of its weights, the better generator.
        part_reader: From the geometry's features to the parts' coverage.
    """

    def __init__(
        self, architecture: Architecture, plan: Plan, *, seed: int = 0, compiled: bool = False
    ) -> None:
        """Start.

        Args:
            architecture: Of the generator.
            plan: How to train it.
            seed: Of the first weights.
            compiled: Whether torch compiles each stage first, which takes a minute and makes a
                step a quarter faster.
        """
        torch.manual_seed(seed)
        self.plan = plan
        self.step = 0
        # Channels last: a quarter less time a step on CPUs than torch's default.
        self.generator = Generator(architecture).to(memory_format=torch.channels_last)
        _start_quietly(self.generator)
        self.average = Generator(architecture).requires_grad_(requires_grad=False)
        self.average.load_state_dict(self.generator.state_dict())
        self.part_reader = nn.Conv2d(architecture.channels[_GEOMETRY_SIDE], PART_COUNT, 1)
        nn.init.zeros_(self.part_reader.weight)
        self._optimisers = (Optimiser(self.generator), Optimiser(self.part_reader))
        self._compiled = compiled
        self._objectives: dict[int, Objective] = {}

    def advance(self, shards: Shards) -> float:
        """One step on a batch; the loss. The same state and shards give the same step."""
        stage, _ = self.plan.stage_at(self.step)
        rng = np.random.default_rng([self.plan.data_seed, self.step])
        batch = shards.batch(rng, self.plan.batch)
        other = rng.standard_normal(batch.z.shape, dtype=np.float32)
        mixed = stage.resolution >= self.plan.mixing_from
        w_plus = mixed_w_plus(self.generator, batch.z, other if mixed else batch.z)
        target = as_target(batch.images, stage.resolution)
        objective = self._objective(stage.resolution)
        loss = objective(w_plus, target, torch.from_numpy(batch.parts))
        for optimiser in self._optimisers:
            optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        rate = self.plan.rate(self.step)
        for optimiser in self._optimisers:
            optimiser.step(rate, rate * self.plan.matrix_gain)
        self._update_average()
        self.step += 1
        return float(loss.detach())

    def _objective(self, resolution: int) -> Objective:
        """The loss at a resolution as a function."""
        if resolution not in self._objectives:

            def objective(w_plus: Tensor, target: Tensor, parts: Tensor) -> Tensor:
                image, geometry = _image_and_geometry(self.generator, w_plus, resolution)
                side = min(resolution, _GEOMETRY_SIDE)
                coverage = part_coverage(parts, PART_COUNT, side)
                eyes = coverage[:, EYE_VALUES].sum(dim=1, keepdim=True)
                loss = regression_loss(image, target, eyes)
                if geometry is not None:
                    loss = loss + part_loss(self.part_reader(geometry), coverage)
                return loss

            compiled = torch.compile(objective, dynamic=False) if self._compiled else objective
            self._objectives[resolution] = compiled
        return self._objectives[resolution]

    def _update_average(self) -> None:
        new = 1 - self.plan.average_keep(self.step)
        kept: list[Tensor] = list(self.average.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(kept, list(self.generator.parameters()), new)

    def take_over(self, trained: Generator, step: int) -> None:
        """Go on from a generator's weights, without what else was known at that step.

        Raises:
            InputError: It is of another architecture.
        """
        if trained.architecture != self.generator.architecture:
            raise InputError("the checkpoint is of another architecture than the plan trains")
        for kept in (self.generator, self.average):
            kept.load_state_dict(trained.state_dict())
        self.step = step

    def save(self, path: Path) -> None:
        """Keep everything that the next step depends on; an existing file is replaced at once."""
        temporary = path.with_name(f".{path.name}.partial")
        torch.save(
            {
                "architecture": self.generator.architecture.to_json(),
                "step": self.step,
                "generator": self.generator.state_dict(),
                "average": self.average.state_dict(),
                "part_reader": self.part_reader.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            },
            temporary,
        )
        temporary.replace(path)

    @classmethod
    def resume(cls, path: Path, plan: Plan, *, compiled: bool = False) -> Training:
        """Go on from what `save` kept."""
        kept: dict[str, Any] = torch.load(path, weights_only=True)
        training = cls(Architecture.from_json(kept["architecture"]), plan, compiled=compiled)
        training.step = kept["step"]
        training.generator.load_state_dict(kept["generator"])
        training.average.load_state_dict(kept["average"])
        training.part_reader.load_state_dict(kept["part_reader"])
        for optimiser, state in zip(training._optimisers, kept["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        return training


def _start_quietly(generator: Generator) -> None:
    """Let a new block first add nothing to the image, so that a new stage goes on smoothly."""
    for name, parameter in generator.named_parameters():
        if name.endswith("torgb.weight") and ".b4." not in name:
            with torch.no_grad():
                parameter.zero_()


def _image_and_geometry(
    generator: Generator, w_plus: Tensor, resolution: int
) -> tuple[Tensor, Tensor | None]:
    """The image, and the features after the geometry's layers where there are so many layers."""
    state, geometry = State(), None
    for layers, stage in generator.synthesis.stages(resolution):
        if layers == GEOMETRY_LAYERS and geometry is None:
            geometry = state.x
        state = stage(state, w_plus)
    assert state.image is not None, "the variant is skip"  # noqa: S101
    return state.image, geometry


def mixed_w_plus(
    generator: Generator, z: NDArray[np.float32], other: NDArray[np.float32]
) -> Tensor:
    """w_plus [N, num_ws, w_dim] whose first layers see z's geometry and the rest its appearance.

    Args:
        generator: The generator.
        z: Latent codes [N, z_dim].
        other: Latent codes that fill in what each part of the layers should not care about.
    """
    shape = torch.from_numpy(recombined(z, other, GEOMETRY))
    coat = torch.from_numpy(recombined(z, other, ~GEOMETRY))
    layers = generator.architecture.num_ws
    w_shape, w_coat = generator.mapping(torch.cat([shape, coat])).chunk(2)
    return torch.cat(
        [
            w_shape[:, None].expand(-1, GEOMETRY_LAYERS, -1),
            w_coat[:, None].expand(-1, layers - GEOMETRY_LAYERS, -1),
        ],
        dim=1,
    )


def as_target(images: NDArray[np.uint8], resolution: int) -> Tensor:
    """Images [N, H, W, 3] as [N, 3, resolution, resolution] in -1 to 1, by area."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    return F.avg_pool2d(pixels, images.shape[1] // resolution) / 127.5 - 1


@torch.no_grad()
def held_out_psnr(generator: Generator, shards: Shards, resolution: int, count: int = 64) -> float:
    """Mean PSNR in decibels on held-out critters at a resolution."""
    critters = shards.held_out(count)
    total = 0.0
    for first in range(0, count, 8):
        w_plus = generator.w_plus(torch.tensor(critters.z[first : first + 8]))
        target = as_target(critters.images[first : first + 8], resolution)
        total += float(psnr(generator.synthesis(w_plus, resolution=resolution), target).sum())
    return total / count


@torch.no_grad()
def measure_w_avg(generator: Generator, samples: int = 20_000, seed: int = 0) -> None:
    """Set the mean of w over random z, to which truncation pulls."""
    z = np.random.default_rng(seed).standard_normal(
        (samples, generator.architecture.z_dim), dtype=np.float32
    )
    mean = generator.mapping(torch.tensor(z)).mean(dim=0)
    assert math.isfinite(float(mean.sum())), "the mapping has diverged"  # noqa: S101
    generator.mapping.w_avg.copy_(mean)
