"""The settings of an inversion, every default with its source, and how they run over its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dragonnx.errors import InputError
from dragonnx.types import Space


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
        InputError: A value is out of range.
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
        if self.space not in ("w+", "w"):
            raise InputError(f"the space must be w+ or w, not {self.space!r}")
        if self.steps < 1:
            raise InputError(f"steps must be at least 1, not {self.steps}")
        if not (self.step_size > 0 and math.isfinite(self.step_size)):
            raise InputError(f"step_size must be a positive number, not {self.step_size}")
        for name in ("coarse", "ramp_up", "ramp_down", "noise_until"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise InputError(f"{name} must be a share from 0 to 1, not {value}")
        for name in ("noise", "pull", "candidates", "seed"):
            if not (0 <= (value := getattr(self, name)) < math.inf):
                raise InputError(f"{name} must be 0 or more, not {value}")

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
