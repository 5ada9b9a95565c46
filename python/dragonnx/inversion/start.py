"""Where an inversion starts: at the average or at a random latent, whichever is most like the photo."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dragonnx.inversion.config import InversionConfig
from dragonnx.inversion.photo import Photo
from dragonnx.model.generator import Generator
from dragonnx.model.labels import Label
from dragonnx.types import Float32


def random_codes(generator: Generator, seed: int, count: int) -> Float32:
    """So many z, [count, z_dim]."""
    z_dim = generator.manifest.z_dim
    return np.random.RandomState(seed).randn(count, z_dim).astype(np.float32)


def best_candidate(
    generator: Generator, photo: Photo, config: InversionConfig, label: Label | None
) -> Float32:
    """Of w_avg and the candidates, the latent [1, num_ws, w_dim] whose preview is most like a photo.

    Args:
        generator: The model.
        photo: At the size of its images.
        config: How many candidates there are, and their seed.
        label: The class, for a conditional model.
    """
    average = np.repeat(generator.w_avg[None, None], generator.manifest.num_ws, axis=1)
    if not config.candidates:
        return average
    codes = random_codes(generator, config.seed, config.candidates)
    latents: list[Float32] = [average, *generator.w_plus(z=codes, label=label)[:, None]]
    distances = [_distance(generator, photo, w_plus) for w_plus in latents]
    return latents[int(np.argmin(distances))]


def _distance(generator: Generator, photo: Photo, w_plus: Float32) -> float:
    preview = generator.preview(w_plus).convert("RGB")
    small, weights = (
        None if picture is None else picture.resize(preview.size, Image.Resampling.BOX)
        for picture in (photo.picture, photo.weights)
    )
    difference = np.asarray(preview, np.float64) - np.asarray(small, np.float64)
    if weights is not None:
        difference *= np.asarray(weights, np.float64)[:, :, None] / 255
    return float(np.mean(difference**2))
