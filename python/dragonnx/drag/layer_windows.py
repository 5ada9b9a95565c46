"""Windows of StyleGAN3: from a layer's activation on, each layer computes one around each handle.

A layer convolves what it reads, raises the rate of that by a filter, bends it, and lowers the rate by
another one. Of whole maps each filter is a product with a matrix from both sides; of windows it is the
same with a part of that matrix. A convolution that pads reads cells beyond the map, which are zero: the
layer before gives them by rows of zeros. The layer of the cut convolves its map as a whole.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dragonnx.model.facts import LayerFacts

_Cells = NDArray[np.int64]

_RESAMPLED = 2.0
"""A multiply-add of the small products that resample a window, in those of convolutions."""
_BAND = 128
"""Rows of a whole map's matrix that are one product; see `dragonnx_export.families.stylegan3.activation`."""
_WINDOWED_LAYER = 5e6
"""What handling the windows of one layer costs beside its products, in multiply-adds."""


@dataclass(frozen=True)
class LayerWindows:
    """The layers up to the feature map's, counted from 0; see `WindowedNetwork`.

    Attributes:
        layers: What each is.
    """

    layers: tuple[LayerFacts, ...]

    def planned(
        self, cut: int, first: _Cells, size: tuple[int, int]
    ) -> tuple[_Cells, dict[str, NDArray[Any]]]:
        """See `WindowedNetwork`.

        For each layer k, with a window of s cells, of r at the raised rate and
        of m in the convolution's map, graphs may take

            raise_rows_k, raise_columns_k   float32 [n, 1, r, m], and turned
            lower_rows_k, lower_columns_k   float32 [n, 1, s, r], and turned

        s being two more than the next layer's m where that has a convolution of side 3.
        """
        inputs: dict[str, NDArray[Any]] = {}
        for axis, kind in enumerate(("columns", "rows")):
            for number, windows in self._along(cut, first[:, axis], size[axis]):
                for way, matrices in _matrices(self.layers[number], windows).items():
                    stacked = np.stack(matrices)[:, None]
                    turned = stacked if kind == "rows" else stacked.swapaxes(2, 3)
                    inputs[f"{way}_{kind}_{number}"] = np.ascontiguousarray(turned)
        return self._inside(first, size), inputs

    def raised_origins(
        self, cut: int, first: _Cells, size: tuple[int, int]
    ) -> dict[int, tuple[_Cells, _Cells]]:
        """Of the same windows in each layer the first column and the first row at the raised rate, [n] each."""
        columns, rows = (
            {
                number: np.array([window.raised_from for window in windows])
                for number, windows in self._along(cut, first[:, axis], size[axis])
            }
            for axis in range(2)
        )
        return {number: (columns[number], rows[number]) for number in columns}

    def multiply_adds(self, cut: int | None, size: tuple[int, int], points: int) -> float:
        """See `WindowedNetwork`."""
        columns, rows = ({}, {}) if cut is None else (self._spans(cut, side) for side in size)
        total = 0.0
        for number, layer in enumerate(self.layers):
            taps = layer.kernel**2 * layer.inputs * layer.channels
            if number not in columns:
                total += taps * layer.convolved**2 + layer.channels * _whole_resampling(layer)
                continue
            x, y = columns[number], rows[number]
            assert cut is not None, "there are windows"  # noqa: S101
            total += taps * (
                layer.convolved**2 if number == cut else points * x.convolved * y.convolved
            )
            total += points * layer.channels * _RESAMPLED * _window_resampling(layer, x, y)
            total += _WINDOWED_LAYER
        return total

    def _inside(self, first: _Cells, size: tuple[int, int]) -> _Cells:
        """The first cells of windows that are moved inside the map."""
        return np.clip(first, 0, self.layers[-1].size - np.array(size))

    def _along(self, cut: int, first: _Cells, side: int) -> Iterator[tuple[int, list[_Window]]]:
        """The windows of each layer from the last one to the cut along one axis, one for each first cell."""
        last = self.layers[-1]
        wanted = np.clip(first, 0, last.size - side).tolist()
        for number, span in self._spans(cut, side).items():
            layer = self.layers[number]
            windows = [_Window.of(layer, span, at) for at in wanted]
            yield number, windows
            wanted = [window.convolved_from - (layer.kernel - 1) for window in windows]

    def _spans(self, cut: int, side: int) -> dict[int, _Span]:
        """The windows of each layer from the cut on along one axis, from the side of the last one's."""
        spans = {}
        for number in range(len(self.layers) - 1, cut - 1, -1):
            layer = self.layers[number]
            inside = min(side, layer.size)
            raised = (inside - 1) * layer.down + layer.down_side
            convolved = min(-(-(raised + len(layer.up_taps) - 1) // layer.up), layer.convolved)
            if number == cut:
                convolved = layer.convolved
            spans[number] = _Span(side, inside, raised, convolved)
            side = convolved + layer.kernel - 1
        return spans


@dataclass(frozen=True)
class _Span:
    """The windows of a layer along one axis, in cells.

    Attributes:
        given: What the layer gives, zeros beyond the map included.
        inside: How many of these the map has at most.
        raised: At the raised rate.
        convolved: Of the convolution's map.
    """

    given: int
    inside: int
    raised: int
    convolved: int


@dataclass(frozen=True)
class _Window:
    """One window of a layer along one axis.

    Attributes:
        span: Its sides.
        given_from: The first cell that the layer gives; outside the map there are zeros.
        raised_from: The first cell at the raised rate.
        convolved_from: The first cell of the convolution's map.
    """

    span: _Span
    given_from: int
    raised_from: int
    convolved_from: int

    @classmethod
    def of(cls, layer: LayerFacts, span: _Span, at: int) -> Self:
        """The one that gives the cells from `at` on."""
        raised = min(max(at, 0), layer.size - span.inside) * layer.down
        first = -((layer.before - raised) // layer.up)  # ceil((raised - before) / up)
        return cls(span, at, raised, min(max(first, 0), layer.convolved - span.convolved))


def _matrices(layer: LayerFacts, windows: list[_Window]) -> dict[str, list[NDArray[np.float32]]]:
    """What raises and what lowers each window, if that is not the graph's own."""
    found = {"raise": [_raising(layer, window) for window in windows]}
    if layer.down_taps:
        found["lower"] = [_lowering(layer, window) for window in windows]
    return found


def _raising(layer: LayerFacts, window: _Window) -> NDArray[np.float32]:
    """From the convolved cells to the raised ones, [r, m]."""
    # The cell i lies at up * i + before, and reaches as many cells before it as the filter is long.
    shift = window.raised_from - layer.up * window.convolved_from - layer.before
    span, taps = window.span, layer.up_taps
    return _raised(span.raised, span.convolved, shift + len(taps) - 1, layer.up, taps)


def _lowering(layer: LayerFacts, window: _Window) -> NDArray[np.float32]:
    """From the raised cells to those that are given, [s, r]; zeros for what is not of the map."""
    cells = window.given_from + np.arange(window.span.given)
    inside = tuple(((cells >= 0) & (cells < layer.size)).tolist())
    shift = window.given_from * layer.down - window.raised_from
    return _lowered(window.span.raised, shift, layer.down, layer.down_taps, inside)


@functools.lru_cache(maxsize=1024)
def _raised(
    raised: int, convolved: int, shift: int, up: int, taps: tuple[float, ...]
) -> NDArray[np.float32]:
    """A tap for each raised cell and each convolved one, where there is one."""
    at = shift + np.arange(raised)[:, None] - up * np.arange(convolved)
    return _taps(at, (at >= 0) & (at < len(taps)), taps)


@functools.lru_cache(maxsize=1024)
def _lowered(
    raised: int, shift: int, down: int, taps: tuple[float, ...], inside: tuple[bool, ...]
) -> NDArray[np.float32]:
    """A tap for each cell and each raised one, where there is one. The filter is turned around."""
    at = np.arange(raised) - shift - down * np.arange(len(inside))[:, None]
    return _taps(at, (at >= 0) & (at < len(taps)) & np.array(inside)[:, None], taps[::-1])


def _taps(
    at: NDArray[np.int64], read: NDArray[np.bool_], taps: tuple[float, ...]
) -> NDArray[np.float32]:
    """The taps at these places, zero where none is read."""
    return np.where(read, np.array(taps)[np.clip(at, 0, len(taps) - 1)], 0).astype(np.float32)


def _window_resampling(layer: LayerFacts, x: _Span, y: _Span) -> float:
    """Multiply-adds of a window of one channel."""
    raising = x.raised * y.convolved * (x.convolved + y.raised)
    return raising + _lowering_work(layer, (y.given, x.given), (y.raised, x.raised), x.raised)


def _whole_resampling(layer: LayerFacts) -> float:
    """Multiply-adds of a whole map of one channel, a band of rows at a time."""
    raised = layer.raised
    share = min(1.0, (_BAND + len(layer.up_taps)) / raised)
    raising = raised * layer.convolved * (layer.convolved + raised) * share
    share = min(1.0, (_BAND * layer.down + layer.down_side) / raised)
    return raising + _lowering_work(layer, (layer.size,) * 2, (raised,) * 2, raised * share)


def _lowering_work(
    layer: LayerFacts, given: tuple[int, int], raised: tuple[int, int], read: float
) -> float:
    if not layer.down_taps:
        return given[0] * given[1] * layer.down_side**2
    return given[0] * read * (raised[1] + given[1])
