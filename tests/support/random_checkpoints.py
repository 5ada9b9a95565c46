"""Small generators of every kind, with random weights, for tests."""

from __future__ import annotations

import dataclasses

import numpy as np

from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint, parameter_shapes


def random_checkpoint(architecture: Architecture, seed: int = 0) -> Checkpoint:
    """A checkpoint whose weights are drawn as before training, with noise that is switched on."""
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in parameter_shapes(architecture):
        values = random.standard_normal(shape)
        if name.startswith("mapping.fc"):
            values /= architecture.mapping_lr_multiplier
        if name.endswith("affine.bias"):
            values += 1
        if name.endswith("noise_strength"):
            values = np.abs(values) * 0.3 + 0.1
        weights[name] = np.asarray(values, np.float32)
    return Checkpoint(architecture=architecture, weights=weights, format="random", sha256="0" * 64)


PLAIN = Architecture(
    z_dim=8, w_dim=16, resolution=32, channels={4: 12, 8: 10, 16: 8, 32: 6}, mapping_layers=2
)
"""No clamp, no label, noise on; a different width in each block, so that none can be confused."""

CLAMPED = Architecture(
    z_dim=8, w_dim=16, resolution=32, channels={4: 12, 8: 10, 16: 8, 32: 6}, mapping_layers=2,
    conv_clamp=1.6,
)  # fmt: skip
"""A clamp so low that it bites, yet leaves few neighbourhoods clamped as a whole: within those,
features are equal, and the sign of their difference is that of their rounding."""

LABELLED = Architecture(
    z_dim=8, w_dim=12, resolution=16, channels={4: 8, 8: 8, 16: 4}, mapping_layers=3,
    label_dim=5, use_noise=False, mapping_lr_multiplier=1.0, resample_filter=(1.0, 2.0, 3.0, 1.0),
)  # fmt: skip
"""Classes, no noise, and a filter that is not symmetric, so that a flipped one shows."""

GREY = Architecture(
    z_dim=4, w_dim=8, resolution=8, channels={4: 4, 8: 4}, mapping_layers=1, image_channels=1
)
"""The smallest there is."""

ORIG = dataclasses.replace(PLAIN, variant="orig", resample_filter=(1.0, 2.0, 3.0, 1.0))
"""Colours of the last block alone."""

RESNET = dataclasses.replace(CLAMPED, variant="resnet", resample_filter=(1.0, 2.0, 3.0, 1.0))
"""Residual blocks, clamped: the clamp comes before the gain of a block's second layer."""

TALL = dataclasses.replace(CLAMPED, base_width=2)
"""Half as wide as high."""

VARIANTS = {
    "orig": ORIG,
    "resnet": RESNET,
    "tall": TALL,
    "tall-orig": dataclasses.replace(ORIG, base_width=2),
    "tall-resnet": dataclasses.replace(RESNET, base_width=2),
    "wide-resnet": dataclasses.replace(RESNET, base_width=6, conv_clamp=None),
    "five-by-three": dataclasses.replace(CLAMPED, base_height=5, base_width=3),
    "three-by-seven": dataclasses.replace(ORIG, base_height=3, base_width=7),
}
"""Every way of joining blocks, in images of several shapes."""
