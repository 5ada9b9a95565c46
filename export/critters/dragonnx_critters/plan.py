"""What is trained and for how long: the networks, their stages, the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dragonnx_critters.factors import FACTOR_COUNT
from dragonnx_export.families.stylegan2.architecture import Architecture

# The first six layers, up to the first of the 32 px block, place everything: the coarse blocks get
# most channels. The finest get few, for on a CPU their activations cost the most time.
ARCHITECTURE = Architecture(
    z_dim=FACTOR_COUNT,
    w_dim=192,
    resolution=256,
    channels={4: 192, 8: 192, 16: 128, 32: 80, 64: 48, 128: 24, 256: 16},
    mapping_layers=2,
    mapping_lr_multiplier=1.0,
    use_noise=False,
)


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one resolution.

    Attributes:
        resolution: Of the images fitted, in pixels.
        steps: How many batches.
        first_rate: The learning rate at its start.
        last_rate: And at its end; half a cosine lies between.
    """

    resolution: int
    steps: int
    first_rate: float
    last_rate: float


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        stages: One after another.
        batch: Images a step.
        warm_up: Steps over which a stage's learning rate rises from 0.
        matrix_gain: How much faster the large weights learn, see `dragonnx_export.tuning.optimiser`.
        average_half_life: Of the weights' moving average, in steps.
        data_seed: Seed of the choice of images.
        mixing_from: From this resolution on the first six layers get a geometry with another
            appearance and the rest the appearance with another geometry; below, the layers that
            could show an appearance are among the six.
    """

    stages: tuple[Stage, ...]
    batch: int = 8
    warm_up: int = 50
    matrix_gain: float = 5.0
    average_half_life: float = 400.0
    data_seed: int = 1
    mixing_from: int = 32

    @property
    def steps(self) -> int:
        """Of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """The stage that a step, counted from 0, belongs to, and the step's number in it."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise IndexError("the plan has no such step")

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        stage, within = self.stage_at(step)
        cosine = 0.5 * (1 + math.cos(math.pi * within / stage.steps))
        rate = stage.last_rate + (stage.first_rate - stage.last_rate) * cosine
        return rate * min(1.0, (within + 1) / self.warm_up)

    def average_keep(self, step: int) -> float:
        """How much of the moving average one step keeps; little at first, when all is new."""
        _, within = self.stage_at(step)
        return float(0.5 ** (1 / min(self.average_half_life, 1 + 0.05 * max(within, step / 4))))


@dataclass(frozen=True)
class Network:
    """What `train` can train: an architecture, and how it is trained."""

    architecture: Architecture
    plan: Plan


PLAN = Plan(
    stages=(
        Stage(32, 5_000, 2e-3, 1.6e-3),
        # What an animal looks like is learned here; later stages, whose steps take longer, sharpen.
        Stage(64, 10_000, 1.6e-3, 1.0e-3),
        Stage(128, 4_500, 1.0e-3, 7e-4),
        Stage(256, 5_000, 7e-4, 2e-5),
    )
)

BUNDLED = "bundled"
"""The network in the package."""
NETWORKS = {
    BUNDLED: Network(ARCHITECTURE, PLAN),
    # Half the size and half the channels: another model to try things on, in less than an hour of one core.
    "small": Network(
        Architecture(
            z_dim=FACTOR_COUNT,
            w_dim=96,
            resolution=128,
            channels={4: 96, 8: 96, 16: 64, 32: 48, 64: 24, 128: 12},
            mapping_layers=2,
            mapping_lr_multiplier=1.0,
            use_noise=False,
        ),
        Plan(
            stages=(
                Stage(32, 4_500, 2e-3, 1.6e-3),
                Stage(64, 5_000, 1.6e-3, 1.0e-3),
                Stage(128, 2_800, 1.0e-3, 2e-5),
            )
        ),
    ),
}
