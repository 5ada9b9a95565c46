"""State dicts of VGG16 and of LPIPS's heads with random values, and what they should give."""

from __future__ import annotations

from pathlib import Path

import torch

from dragonnx_export.perceptual.network import STAGES

FEW = (3, 4, 5, 6, 5)
"""Channels of the stages; VGG16's own are 64, 128, 256, 512, 512."""

REAL = (64, 128, 256, 512, 512)


def vgg_state(channels: tuple[int, ...] = FEW, seed: int = 0) -> dict[str, torch.Tensor]:
    """In torchvision's names, with a classifier that no one needs."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    inputs = 3
    for numbers, outputs in zip(STAGES, channels, strict=True):
        for n in numbers:
            # He's scale keeps the values of all layers about alike.
            scale = (2 / (9 * inputs)) ** 0.5
            weight = torch.randn((outputs, inputs, 3, 3), generator=generator) * scale
            state[f"features.{n}.weight"] = weight
            state[f"features.{n}.bias"] = 0.2 * torch.randn(outputs, generator=generator)
            inputs = outputs
    state["classifier.0.weight"] = torch.zeros(7, inputs * 49)
    state["classifier.0.bias"] = torch.zeros(7)
    return state


def head_state(channels: tuple[int, ...] = FEW, seed: int = 1) -> dict[str, torch.Tensor]:
    """In LPIPS's names; its heads are positive."""
    generator = torch.Generator().manual_seed(seed)
    return {
        f"lin{n}.model.1.weight": torch.rand((1, count, 1, 1), generator=generator)
        for n, count in enumerate(channels)
    }


def saved(path: Path, state: dict[str, torch.Tensor]) -> Path:
    torch.save(state, path)
    return path
