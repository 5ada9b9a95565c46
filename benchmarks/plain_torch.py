"""The yardstick on a device: drags and images in plain torch, as the released code computes them."""

from __future__ import annotations

import numpy as np
import torch
from random_models import config_f, random_weights
from reference.plain_draggan import PlainDrag
from workloads import Place, Work, half_mask, points

from dragonnx_export.families.stylegan2.networks import Generator


def plain_generator(size: int, place: Place) -> Generator:
    """A generator of random weights on a device.

    On a card its convolutions may use TF32 and its matrix products may not: torch's own defaults.
    """
    return Generator.from_checkpoint(random_weights(config_f(size))).to(place.device)


def torch_step(
    generator: Generator, w_plus: np.ndarray, count: int, place: Place, *, masked: bool = False
) -> Work:
    """A function that does one step of a running drag, all its tensors on the device."""
    size = generator.architecture.resolution
    handles, targets = points(size, count)
    drag = PlainDrag(
        generator=generator,
        w_plus=torch.tensor(w_plus, device=place.device),
        handles=torch.tensor(handles, device=place.device),
        targets=torch.tensor(targets, device=place.device),
        feature_resolution=128,
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
