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
from dragonnx.inversion.photo import Photo, target_of, weights_of
from dragonnx.inversion.session import InversionSession


def report_of(
    session: InversionSession, found: Image.Image, seconds: Sequence[float]
) -> dict[str, Any]:
    """An inversion's figures as JSON values.

    Args:
        session: After its last step.
        found: The image of its latent.
        seconds: How long each step took.
    """
    return {
        "settings": asdict(session.config),
        "steps": session.steps,
        "loss": session.loss.name,
        **likeness(session.photo, found),
        "seconds_per_step": round(float(np.median(seconds)), 4) if seconds else None,
    }


def likeness(photo: Photo, found: Image.Image) -> dict[str, float | None]:
    """PSNR in dB over the pixels that count, and MS-SSIM over all, of an image of 8 bits."""
    colours = found.convert("RGB")
    image = target_of(Photo(colours))
    value = psnr(image, target_of(photo), weights_of(photo))
    return {"psnr": round(value, 2), "ms_ssim": ms_ssim(photo.picture, colours)}


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
