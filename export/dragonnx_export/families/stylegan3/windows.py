"""Windows in a graph: a layer's output is computed only where it is needed.

Given its styles a StyleGAN3 network is local, since demodulation and gains depend on weights, styles and
stored constants alone. From the activation of the cut's layer on, each layer computes one window around
each handle, and windows are a batch axis. What belongs to a window comes as inputs, so that any number and
size of windows fits one graph; `dragonnx.drag.layer_windows` describes and makes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise

from dragonnx.drag.layer_windows import LayerWindows
from dragonnx.model.facts import LARGEST_RAISED, LayerFacts, LayerWindowFacts
from dragonnx_export.families.stylegan3.layers import SynthesisLayer, SynthesisLayers
from dragonnx_export.graphs.builder import GraphBuilder

_WORTH = 1.1
"""A cut without which no step costs more than so many times as much is left out."""
_MOST_POINTS = 16
_REACH = 12
"""Pixels at 512 px: of the search for a handle in both presets."""


class LayerWindow:
    """One layer's windows. What a graph reads of them becomes its input when first asked for.

    Args:
        graph: Where nodes and inputs go.
        layer: The layer.
        reads_map: Whether what it convolves is the whole map, as in the layer of the cut.
    """

    def __init__(self, graph: GraphBuilder, layer: SynthesisLayer, *, reads_map: bool) -> None:
        self._graph = graph
        self._layer = layer
        self.reads_map = reads_map
        self._declared: set[str] = set()

    def raised(self, convolved: str) -> str:
        """The windows [n, C, r, r] at the raised rate."""
        rows, columns = self._matrices("raise")
        return self._graph.op("MatMul", rows, self._graph.op("MatMul", convolved, columns))

    def raised_adjoint(self, grad: str) -> str:
        """The gradient of what was convolved, [n, C, m, m] or [1, C, m, m]."""
        grad = self._adjoint("raise", grad)
        return self._graph.sum(grad, (0,), keepdims=True) if self.reads_map else grad

    def lowered(self, raised: str) -> str:
        """The layer's windows [n, C, s, s]."""
        layer = self._layer
        if layer.facts.radial:
            options = {"strides": [layer.facts.down] * 2, "group": layer.facts.outputs}
            return self._graph.op("Conv", raised, self._radial(), **options)
        rows, columns = self._matrices("lower")
        return self._graph.op("MatMul", self._graph.op("MatMul", rows, raised), columns)

    def lowered_adjoint(self, grad: str) -> str:
        """The gradient [n, C, r, r] at the raised rate."""
        layer = self._layer
        if layer.facts.radial:
            options = {"strides": [layer.facts.down] * 2, "group": layer.facts.outputs}
            return self._graph.op("ConvTranspose", grad, self._radial(), **options)
        return self._adjoint("lower", grad)

    def convolved_shape(self) -> list[int | str]:
        """For the declaration of an input or output."""
        index, outputs = self._layer.index, self._layer.facts.outputs
        if self.reads_map:
            side = self._layer.facts.convolved_size
            return [1, outputs, side, side]
        return ["windows", outputs, f"convolved_rows_{index}", f"convolved_columns_{index}"]

    def output_shape(self) -> list[int | str]:
        """For the declaration of an input or output."""
        index, outputs = self._layer.index, self._layer.facts.outputs
        return ["windows", outputs, f"rows_{index}", f"columns_{index}"]

    def _radial(self) -> str:
        return self._graph.constant(self._layer.radial_kernel)

    def _adjoint(self, way: str, grad: str) -> str:
        rows, columns = (
            self._graph.op("Transpose", matrix, perm=[0, 1, 3, 2]) for matrix in self._matrices(way)
        )
        return self._graph.op("MatMul", rows, self._graph.op("MatMul", grad, columns))

    def _matrices(self, way: str) -> tuple[str, str]:
        """Of rows and of columns."""
        index = self._layer.index
        given, read = ("raised", "convolved") if way == "raise" else ("", "raised")
        found = []
        for kind in ("rows", "columns"):
            sides = [f"{side}_{kind}_{index}".strip("_") for side in (given, read)]
            if self.reads_map and way == "raise":
                sides[1] = f"map_{kind}_{index}"
            name = f"{way}_{kind}_{index}"
            if name not in self._declared:
                self._declared.add(name)
                self._graph.input(name, ["windows", 1, *(sides if kind == "rows" else sides[::-1])])
            found.append(name)
        rows, columns = found
        return rows, columns


Windows = Mapping[int, LayerWindow]
"""The windows of layers by their number."""


def windows_of(graph: GraphBuilder, layers: tuple[SynthesisLayer, ...], cut: int | None) -> Windows:
    """The windows of the layers from the cut on; none where there is no cut."""
    if cut is None:
        return {}
    return {
        layer.index: LayerWindow(graph, layer, reads_map=layer.index == cut)
        for layer in layers[cut:]
    }


def window_facts(layers: SynthesisLayers, feature_layer: int) -> LayerWindowFacts | None:
    """What planning windows takes; None where none are worth having, or maps are larger than windows may be of.

    Nor are there any where a convolution of side 3 follows a radial filter, as in no released config: what
    it pads with would have to be made.
    """
    used = layers.layers[: feature_layer + 1]
    if any(a.facts.radial and b.facts.kernel > 1 for a, b in pairwise(used)):
        return None
    facts = tuple(_facts(layer) for layer in used)
    if max(layer.raised for layer in facts) > LARGEST_RAISED:
        return None
    cuts = _cuts(facts, used[-1].facts.out_rate)
    return LayerWindowFacts(cuts=cuts, layers=facts) if cuts else None


def _facts(layer: SynthesisLayer) -> LayerFacts:
    a = layer.facts
    return LayerFacts(
        inputs=a.inputs,
        channels=a.outputs,
        kernel=a.kernel,
        convolved=a.convolved_size,
        size=a.out_size,
        up=a.up,
        down=a.down,
        before=a.padding[0],
        up_taps=tuple(layer.raising_taps.tolist()),
        down_taps=() if a.radial else tuple(layer.lowering_taps.tolist()),
        down_side=a.down_taps,
    )


def _cuts(facts: tuple[LayerFacts, ...], rate: int) -> tuple[int, ...]:
    """The layers after which windows are worth having: with some number of points, they spare a tenth."""
    network = LayerWindows(facts)
    side = min(math.ceil(2 * _REACH * rate / 512) + 2, facts[-1].size)

    def costs(cuts: Iterable[int]) -> list[float]:
        """The least that a step may cost, for each number of points."""
        options = (None, *cuts)
        return [
            min(network.multiply_adds(cut, (side, side), points) for cut in options)
            for points in range(1, _MOST_POINTS + 1)
        ]

    chosen = list(range(1, len(facts)))
    best = costs(chosen)
    # The late ones first: they serve many points, for which whole maps do nearly as well.
    for cut in reversed(chosen):
        rest = [other for other in chosen if other != cut]
        if all(less <= _WORTH * most for less, most in zip(costs(rest), best, strict=True)):
            chosen = rest
    return tuple(chosen)
