"""Rows of pixels as sixels, six rows of pixels a character (DEC STD 070)."""

from __future__ import annotations

import itertools
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dragonnx.tui.drawing.raster import Raster

_COLOURS = 48
"""Of a row of cells; more take longer than a user wants to wait for a key."""
_COARSE_COLOURS = 16
"""Of one while a drag runs."""
_BAND = 6
"""Rows of pixels in a band of sixels."""
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


def sixel(
    pixels: Raster,
    columns: int,
    row: int,  # noqa: ARG001 as Kitty's
    size: tuple[int, int] | None = None,
) -> str:
    """A row [height, width, 3] as sixels, with colours of its own; the cursor ends behind it.

    Args:
        pixels: The row.
        columns: Its cells.
        row: Its number.
        size: (width, height) that it is to have on the screen; None for one pixel each. Larger ones
            repeat pixels, which takes less time than to send as many.
    """
    width, height = size or pixels.shape[1::-1]
    is_coarse = (height, width) != pixels.shape[:2]
    picture = Image.fromarray(pixels).quantize(
        _COARSE_COLOURS if is_coarse else _COLOURS, Image.Quantize.FASTOCTREE
    )
    palette = np.array(picture.getpalette(), np.uint16).reshape(-1, 3) * 100 // 255
    numbers = np.asarray(picture)
    rows = np.arange(height) * len(numbers) // height
    edges = np.arange(numbers.shape[1] + 1) * width // numbers.shape[1]
    parts = [f'\x1b7\x1bP0;1q"1;1;{width};{height}'.encode()]
    parts += [b"#%d;2;%d;%d;%d" % (k, *palette[k].tolist()) for k in np.unique(numbers).tolist()]
    for top in range(0, height, _BAND):
        colours, layers = _band(numbers[rows[top : top + _BAND]])
        texts = _widened(layers, edges) if is_coarse else _narrowed(layers)
        for colour, text in zip(colours.tolist(), texts, strict=True):
            parts.append(b"#%d%b$" % (colour, text))
        parts.append(b"-")
    parts[-1] = f"\x1b\\\x1b8\x1b[{columns}C".encode()
    return b"".join(parts).decode()


def _band(numbers: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Up to six rows of colour numbers [rows, width]: the colours, and of each its characters."""
    colours = np.unique(numbers)
    bits = np.uint8(1) << np.arange(len(numbers), dtype=np.uint8)
    layers = np.einsum("kyx,y->kx", numbers == colours[:, None, None], bits, dtype=np.uint8)
    return colours, layers + np.uint8(63)


def _narrowed(layers: NDArray[np.uint8]) -> list[bytes]:
    """Layers as they are, runs of the same character said once."""
    return [_RUN.sub(_repeated, layer.tobytes()) for layer in layers]


def _widened(layers: NDArray[np.uint8], edges: NDArray[np.intp]) -> list[bytes]:
    """Layers whose characters reach from one edge to the next."""
    begins = np.ones(layers.shape, np.bool_)
    begins[:, 1:] = layers[:, 1:] != layers[:, :-1]
    layer, at = np.nonzero(begins)
    starts = edges[at]
    ends = np.append(starts[1:], edges[-1])
    ends[np.append(layer[1:] != layer[:-1], True)] = edges[-1]
    runs = [
        b"!%d%c" % run
        for run in zip((ends - starts).tolist(), layers[layer, at].tolist(), strict=True)
    ]
    firsts = np.searchsorted(layer, np.arange(len(layers) + 1)).tolist()
    return [b"".join(runs[a:b]) for a, b in itertools.pairwise(firsts)]


def _repeated(run: re.Match[bytes]) -> bytes:
    return b"!%d%c" % (len(run[0]), run[0][0])
