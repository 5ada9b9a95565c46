"""The settings of an inversion, every default with its source, and how they run over its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from dragonnx.model.drag_settings import LARGEST_STEP_SIZE, LARGEST_WEIGHT, MOST_STEPS
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.reading.values import number, one_of, positive, set_fields, whole
from dragonnx.types import Space

MOST_CANDIDATES = 10_000
"""All are in memory at once: of the largest model 370 MB."""


@dataclass(frozen=True, kw_only=True)
class InversionConfig:
    """How a photo is looked for. Defaults are the StyleGAN2 projector's where nothing else is said.

    Attributes:
        space: "w+" gives each layer a w of its own and comes closer to the photo; "w" gives all
            layers one w, which looks more like the model's own pictures and is edited better.
        steps: How many. The projector takes 1000; here 500 are enough, for they are taken in
            coordinates in which all directions vary alike (`latent_space`).
        coarse: Share of the steps, the first ones, that compare a small image, where the model has
            one: they take a part of the time (`dragonnx.inversion.coarse`).
        step_size: Adam's learning rate at its highest.
        ramp_up: Share of the steps over which the learning rate rises from 0, at the start and
            where the whole image takes over.
        ramp_down: Share at the end over which it falls to 0, along a cosine.
        noise: Standard deviation of the noise on the latent at the start, in the same coordinates.
        noise_until: Share of the steps over which that noise vanishes.
        pull: Weight of the squared distance from w_avg, in the same coordinates; 0 for none.
            A little of it keeps w+ where the model is good, for the price of some likeness.
        candidates: How many random latents are looked at for the start; 0 starts from w_avg.
        seed: Of the candidates and the noise.

    Raises:
        InputError: A value is out of range, or of another type.
    """

    space: Space = "w+"
    steps: int = 500
    coarse: float = 0.5
    step_size: float = 0.1
    ramp_up: float = 0.05
    ramp_down: float = 0.25
    noise: float = 0.05
    noise_until: float = 0.75
    pull: float = 1e-5
    candidates: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        shares = ("coarse", "ramp_up", "ramp_down", "noise_until")
        set_fields(
            self,
            space=one_of(self.space, "space", get_args(Space)),
            steps=whole(self.steps, "steps", 1, MOST_STEPS),
            step_size=positive(self.step_size, "step_size", LARGEST_STEP_SIZE),
            noise=number(self.noise, "noise", 0, LARGEST_WEIGHT),
            pull=number(self.pull, "pull", 0, LARGEST_WEIGHT),
            candidates=whole(self.candidates, "candidates", 0, MOST_CANDIDATES),
            seed=whole(self.seed, "seed", 0, LARGEST_SEED),
            **{name: number(getattr(self, name), name, 0, 1) for name in shares},
        )

    def rate(self, step: int, since: int = 0) -> float:
        """The share of the step size that a step, counted from 0, takes.

        Args:
            step: The step.
            since: The step at which the descent began, or began anew.
        """
        done = step / self.steps
        rise = min(1.0, (step - since + 1) / (self.ramp_up * self.steps)) if self.ramp_up else 1.0
        fall = min(1.0, (1 - done) / self.ramp_down) if self.ramp_down else 1.0
        return rise * (0.5 - 0.5 * math.cos(math.pi * fall))

    def noise_at(self, step: int) -> float:
        """The noise's standard deviation at a step, counted from 0."""
        done = step / self.steps
        return self.noise * max(0.0, 1 - done / self.noise_until) ** 2 if self.noise_until else 0.0
