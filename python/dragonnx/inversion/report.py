"""What an inversion reached, in figures that others report too."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from dragonnx.inversion.image_loss import psnr
from dragonnx.inversion.perceptual import PerceptualLoss
from dragonnx.inversion.photo import Photo, target_of, weights_of
from dragonnx.inversion.session import InversionSession


def report_of(
    session: InversionSession,
    found: Image.Image,
    seconds: Sequence[float],
    perceptual: PerceptualLoss | None = None,
) -> dict[str, Any]:
    """An inversion's figures as JSON values.

    Args:
        session: After its last step.
        found: The image of its latent.
        seconds: How long each step took.
        perceptual: A network to compare in, where the user gave one.
    """
    return {
        "settings": asdict(session.config),
        "steps": session.steps,
        "loss": session.loss.name,
        **likeness(session.photo, found, perceptual),
        "seconds_per_step": round(float(np.median(seconds)), 4) if seconds else None,
    }


def likeness(
    photo: Photo, found: Image.Image, perceptual: PerceptualLoss | None = None
) -> dict[str, Any]:
    """An image of 8 bits against the photo, in figures as JSON values.

    PSNR in dB over the pixels that count; MS-SSIM over all; and the distance in a network, by the
    network's name, where there is one.
    """
    colours = found.convert("RGB")
    image, target = target_of(Photo(colours)), target_of(photo)
    value = psnr(image, target, weights_of(photo))
    figures: dict[str, Any] = {
        "psnr": round(value, 2),
        "ms_ssim": ms_ssim(photo.picture, colours),
    }
    if perceptual:
        figures["perceptual"] = {perceptual.name: round(perceptual.distance(image, target), 4)}
    return figures


def ms_ssim(photo: Image.Image, found: Image.Image) -> float | None:
    """Multi-scale structural similarity, 1 for equal pictures.

    Below 176 pixels there are fewer than five scales. None where the library `sewar` is not
    installed: `pip install dragonnx[metrics]`.
    """
    try:
        from sewar.full_ref import msssim
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Image is too small")
        value = complex(msssim(np.asarray(photo), np.asarray(found)))
    return round(value.real, 4) if math.isfinite(value.real) else None
