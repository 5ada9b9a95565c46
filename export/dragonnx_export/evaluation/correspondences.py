"""Points of two pictures that show the same, for models of which nobody knows it better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.model.generator import Generator
from dragonnx.types import Float32, Points

_CANDIDATES = 32
"""Cells that are tried for each pair that is asked for: one in three or so has a mutual neighbour."""


def mutual_nearest(
    generator: Generator, first: Float32, second: Float32, count: int, rng: np.random.Generator
) -> tuple[Points, Points]:
    """Cells of two feature maps, each of which is the other's nearest of all cells of its map.

    That is what a network calls the same, not what is: a drag that follows features is favoured.

    Args:
        generator: The model.
        first: The latent of one picture, [1, num_ws, w_dim].
        second: Of the other.
        count: How many pairs.
        rng: Chooses among all pairs.

    Returns:
        Where they are in the first picture and in the second, (x, y) in pixels, [count, 2] each.

    Raises:
        InputError: There are not so many.
    """
    maps = [generator.features(w_plus).features[0] for w_plus in (first, second)]
    facts = generator.manifest.feature_map
    rows, columns = np.indices(facts.size)
    places = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    pixels = np.asarray(facts.offset) + np.asarray(facts.rate) * places
    height, width = generator.manifest.image_size
    # Maps of StyleGAN3 reach beyond the image.
    inside = np.flatnonzero(((pixels >= 0) & (pixels <= [width - 1, height - 1])).all(axis=1))
    cells, others = (each.reshape(len(each), -1).T[inside] for each in maps)
    tried = rng.permutation(len(inside))[: _CANDIDATES * count]
    there = _nearest(cells[tried], others)
    mutual = _nearest(others[there], cells) == tried
    if mutual.sum() < count:
        raise InputError(
            f"two pictures of {generator.manifest.name} have {mutual.sum()} features in common, and "
            f"{count} are wanted"
        )
    here, there = tried[mutual][:count], there[mutual][:count]
    return pixels[inside[here]], pixels[inside[there]]


def _nearest(of: Float32, among: Float32) -> NDArray[np.intp]:
    """Which features of a set [m, C] are nearest to features [n, C]."""
    squares = np.square(among).sum(axis=1)
    nearest: NDArray[np.intp] = (squares - 2 * of @ among.T).argmin(axis=1)
    return nearest
