"""How far a generated image is from its render."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_CONTRAST = 10.0  # how much more a pixel weighs that stands out from its surroundings
_SQUARED, _ABSOLUTE, _PYRAMID = 6.0, 0.15, 3.0
_SCALES = 4
_PARTS = 25.0
_EYES = 4.0


def regression_loss(image: Tensor, target: Tensor, eyes: Tensor | None = None) -> Tensor:
    """Squared error where there is contrast, and of values and gradients at several scales.

    Squared, not absolute: the absolute error settles on the median of what it cannot place yet,
    and leaves out eyes and pupils. The contrast weights put effort where there is something to see.

    Args:
        image: What the generator gives, [N, 3, H, W], -1 to 1.
        target: What it should give, likewise.
        eyes: The share that eyes have of each place, [N, 1, h, w], h and w at most H and W. They
            are small, and looked at most, so they weigh more.
    """
    error = image - target
    weight = contrast_weight(target)
    if eyes is not None:
        weight = weight * (1 + _EYES * F.interpolate(eyes, size=target.shape[-2:], mode="bilinear"))
        weight = weight / weight.mean(dim=(2, 3), keepdim=True)
    loss = _SQUARED * (error.square() * weight).mean() + _ABSOLUTE * (error.abs() * weight).mean()
    for _ in range(_SCALES):
        across = error[..., :, 1:] - error[..., :, :-1]
        down = error[..., 1:, :] - error[..., :-1, :]
        terms = error.square().mean() + across.square().mean() + down.square().mean()
        loss = loss + _PYRAMID * terms
        error = F.avg_pool2d(error, 2)
    return loss


def part_loss(coverage: Tensor, target: Tensor) -> Tensor:
    """Squared error of each part's coverage; small parts weigh nearly as much as large ones.

    Args:
        coverage: What is read from the features, [N, parts, h, w].
        target: Which share of each place a part covers, likewise, 0 to 1.
    """
    rarity = 1 / (0.05 + 0.5 * target.mean(dim=(0, 2, 3), keepdim=True).sqrt())
    return _PARTS * ((coverage - target).square() * rarity).mean()


def part_coverage(parts: Tensor, count: int, side: int) -> Tensor:
    """The share [N, count, side, side] that each part has of each place.

    Args:
        parts: Which part each ray met, [N, a multiple of side, the same], below `count`.
        count: How many parts there are.
        side: Places along a side.
    """
    met = parts[:, None] == torch.arange(count)[:, None, None]
    return F.avg_pool2d(met.float(), parts.shape[-1] // side)


def contrast_weight(target: Tensor) -> Tensor:
    """Weights [N, 1, H, W] of mean 1 for each image, larger where it differs from its blur."""
    size = target.shape[-1]
    blurred = F.avg_pool2d(target, max(2, size // 8))
    blurred = F.interpolate(blurred, size=size, mode="bilinear")
    weight = 1 + _CONTRAST * (target - blurred).abs().mean(dim=1, keepdim=True)
    return weight / weight.mean(dim=(2, 3), keepdim=True)


def psnr(image: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in decibels, [N]; images [N, 3, H, W] in -1 to 1."""
    error = (image.clamp(-1, 1) - target).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(4 / error)
