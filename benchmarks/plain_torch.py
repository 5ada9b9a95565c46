"""The yardstick on a device: drags and images in plain torch, as the released code computes them."""

from __future__ import annotations

import numpy as np
import torch
from random_models import Family, config_f, config_t, random_weights
from reference.plain_draggan import PlainDrag
from reference.plain_stylegan3 import PlainStyleGAN3Drag
from workloads import Place, Work, half_mask, points

from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.families.stylegan3.network import Generator as StyleGAN3

_MIDDLE_LAYER = 6
"""Of StyleGAN3, as its bundles are dragged: at 512 px it has 128 cells across the image."""


def plain_generator(size: int, place: Place, family: Family = "stylegan2") -> Generator | StyleGAN3:
    """A generator of random weights on a device.

    On a card its convolutions may use TF32 and its matrix products may not: torch's own defaults.
    """
    if family == "stylegan3":
        return StyleGAN3.from_checkpoint(config_t(size)).to(place.device)
    return Generator.from_checkpoint(random_weights(config_f(size))).to(place.device)


def torch_step(
    generator: Generator | StyleGAN3,
    w_plus: np.ndarray,
    count: int,
    place: Place,
    *,
    masked: bool = False,
) -> Work:
    """A function that does one step of a running drag, all its tensors on the device."""
    size = generator.architecture.resolution
    handles, targets = points(size, count)
    later = isinstance(generator, StyleGAN3)
    kind: type[PlainDrag] = PlainStyleGAN3Drag if later else PlainDrag
    drag = kind(
        generator=generator,
        w_plus=torch.tensor(w_plus, device=place.device),
        handles=torch.tensor(handles, device=place.device),
        targets=torch.tensor(targets, device=place.device),
        feature_resolution=_MIDDLE_LAYER if later else 128,
        r1=3 * size / 512,
        r2=12 * size / 512,
        step_size=1e-4,
        mask=torch.tensor(half_mask(size), device=place.device) if masked else None,
    )
    return drag.step


def torch_image(generator: Generator, w_plus: np.ndarray, place: Place) -> Work:
    """A function that renders one picture of 8 bits into host memory."""
    latent = torch.tensor(w_plus, device=place.device)

    @torch.no_grad()
    def render() -> torch.Tensor:
        image = generator.synthesis(latent)[0].permute(1, 2, 0)
        return (image * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).cpu()

    return render


def wait_for(place: Place) -> None:
    """Return when the device has done what it was given, by whichever library of this process."""
    if place.on_card:
        torch.cuda.synchronize(place.device)
