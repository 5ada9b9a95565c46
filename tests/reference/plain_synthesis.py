"""A synthesis layer in plain torch as released generators have it: weights are modulated.

The modulated weights depend on w, so that autograd computes a gradient for every weight on the way
to w. `dragonnx_export.families.stylegan2.networks` modulates activations instead, which spares that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch import Tensor
from torch.nn import functional as F

from dragonnx_export.families.stylegan2 import networks


@contextmanager
def weights_modulated() -> Iterator[None]:
    """Within it the project's torch network computes its layers that way, for one image a batch."""
    with mock.patch.object(networks.ModulatedLayer, "forward", _forward):
        yield


def _forward(
    layer: networks.ModulatedLayer, x: Tensor, w: Tensor, *, noise: bool = True, gain: float = 1.0
) -> Tensor:
    """Equations 1 to 3 of StyleGAN2 (arXiv 1912.04958) as they stand."""
    weight = layer.weight * layer.affine(w)[0][None, :, None, None]
    weight = weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
    if layer._upsamples:
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        x = networks._depthwise(x, layer.resample_filter.flip(0, 1), padding=1)
    else:
        x = F.conv2d(x, weight, padding=1)
    if layer._use_noise and noise:
        x = x + layer.noise_const * layer.noise_strength
    x = F.leaky_relu(x + layer.bias[:, None, None], 0.2) * math.sqrt(2)
    return networks._clamp(x, layer._clamp, gain)
