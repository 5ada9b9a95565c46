"""The bundled model's checkpoint as a generator of another architecture or shape, for tests.

Random weights seldom follow a drag; these do, since they are a trained model's.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np

from dragonnx_export.checkpoints import Checkpoint, parameter_shapes, read_checkpoint
from dragonnx_export.families.stylegan2.architecture import RESIDUAL_GAIN, Variant

_WEIGHTS = Path(__file__).parents[2] / "export" / "critters" / "weights"
CRITTERS, TRACKING = _WEIGHTS / "critters.npz", _WEIGHTS / "tracking.npy"
_SKIP_SCALE = 0.05


def critters(variant: Variant, base_width: int = 4) -> Checkpoint:
    """The trained generator with its blocks joined in another way, or its left part alone.

    As `orig` it keeps the last block's colours alone. As `resnet` its features shrink by the
    residual gain block by block, so biases and noise shrink and colours grow with them; the skip
    layers, which it never learned, get small random weights.
    """
    trained = read_checkpoint(CRITTERS)
    architecture = dataclasses.replace(
        trained.architecture, variant=variant, base_width=base_width, conv_clamp=None
    )
    random = np.random.default_rng(0)
    weights = {}
    for name, shape in parameter_shapes(architecture):
        if name.endswith("skip.weight"):
            values = random.standard_normal(shape) * _SKIP_SCALE
        else:
            values = np.array(trained.weights[name], np.float64)
            if values.shape != shape:  # the constant and the noise of a narrower image
                values = values[..., : shape[-1]]
        if variant == "resnet" and name.startswith("synthesis."):
            values = values * _scale(name)
        weights[name] = np.array(values, np.float32, order="C")
    return dataclasses.replace(trained, architecture=architecture, weights=weights)


def _scale(name: str) -> float:
    """What a parameter is multiplied with as the features before it shrink."""
    block = int(name.split(".")[1].removeprefix("b"))
    before = RESIDUAL_GAIN ** max(int(math.log2(block)) - 3, 0)
    if name.endswith(("conv0.bias", "conv1.bias", "noise_strength")):
        return before
    if "torgb.affine" in name:
        return 1 / (before * (RESIDUAL_GAIN if block > 4 else 1))
    return 1.0
