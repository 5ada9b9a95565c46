"""The picture in two halves, where processes share a machine: they take turns at the second one alone.

The last layers work on the largest maps, so that their memory is most of what a picture takes, while their
share of the time is small. As one run, pictures would wait for each other all the time, or all processes
would have that memory at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dragonnx.log import logger
from dragonnx.model.bundle import Bundle
from dragonnx.model.checking.graph import nodes_and_tensors
from dragonnx.model.checking.late_products import late_node
from dragonnx.model.checking.schema import FLOAT, any_model
from dragonnx.model.checking.signatures import files_of_weights, latent
from dragonnx.model.facts import LARGEST_GRAPH
from dragonnx.reading.regular_file import read_bytes
from dragonnx.runtime import Device, Graph, Sharing
from dragonnx.types import Array

_SECOND = 1 / 3
"""The part of all products that the second half has at most: on small maps, with more weights, they are
done faster, so that it takes up to half of the time, and no more if nobody is to wait for a turn."""
_LARGEST = 2**26
"""Bytes of a graph that ONNX Runtime wrote, weights aside."""
_REORDERED = "_nchwc"
"""Ends the name of a convolution that ONNX Runtime has put in place of the graph's."""


class PictureHalves:
    """The graph of the picture, run in two halves. Several threads may run it.

    Args:
        first: The first half.
        second: The second.
        sharing: Gives the turns.
    """

    def __init__(self, first: Graph, second: Graph, sharing: Sharing) -> None:
        self._first = first
        self._second = second
        self._sharing = sharing

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The graph's outputs, by name."""
        _, between = self._first.run(inputs, keep=self._first.output_names)
        with self._sharing.turn():
            return self._second.run({**inputs, **between})[0]

    def close(self) -> None:
        """Give their memory back."""
        self._first.close()
        self._second.close()


def picture_halves(
    bundle: Bundle, device: Device, threads: int | None, sharing: Sharing
) -> PictureHalves | None:
    """The two halves; None where the graph has no place to be cut at, or cannot be laid out.

    Raises:
        BundleError: The graph cannot be loaded.
    """
    path = bundle.graph("image")
    whole = sharing.laid_out(path, lambda made: _cut(made, bundle))
    if whole is None or not all(half.exists() for half in _halves(whole)):
        logger.info("%s is run as a whole: it has no place to be cut at", path.name)
        return None
    early, late = _halves(whole)
    # All processes are in the first half at the same time: its memory shall be as little as can be.
    first = Graph(early, device, threads, is_laid_out=True, once=True)
    second = Graph(late, device, threads, is_laid_out=True, gives_back=True)
    return PictureHalves(first, second, sharing)


def _halves(whole: Path) -> tuple[Path, Path]:
    """Where the halves of a graph that is laid out lie."""
    return whole.with_name(f"{whole.stem}-1.onnx"), whole.with_name(f"{whole.stem}-2.onnx")


def _cut(whole: Path, bundle: Bundle) -> None:
    """Cut the graph of the picture as it is laid out, where it can be, into two that read its weights."""
    content = read_bytes(bundle.graph("image"), LARGEST_GRAPH)
    manifest = bundle.manifest
    nodes, tensors = nodes_and_tensors(content, files_of_weights(manifest), latent(manifest))
    place = late_node(nodes, tensors, _SECOND)
    content = read_bytes(whole, _LARGEST)
    graph = any_model(content).graph
    names = [node.name.removesuffix(_REORDERED) for node in graph.node]
    if place not in names:
        return
    at = names.index(place)
    made = [name for node in graph.node[:at] for name in node.output if name]
    wanted = {name for node in graph.node[at:] for name in node.input}
    if any(value.name in made for value in graph.output):
        return
    between = [name for name in made if name in wanted]
    for path, is_first in zip(_halves(whole), (True, False), strict=True):
        model = any_model(content)
        half = model.graph
        del half.node[at if is_first else 0 : None if is_first else at]
        read = {name for node in half.node for name in node.input}
        _keep(half.initializer, read)
        _keep(half.input, read)
        if is_first:
            del half.output[:]
        for name in between:
            value = (half.output if is_first else half.input).add(name=name)
            kind = value.type.tensor_type
            kind.elem_type = FLOAT  # as ONNX Runtime's own are
            if name in tensors:
                kind.elem_type = tensors[name].type
                for length in tensors[name].shape:
                    kind.shape.dim.add(dim_value=length)
                kind.shape.SetInParent()
        path.write_bytes(model.SerializeToString())


def _keep(parts: Any, names: Collection[str]) -> None:
    """Of a graph's constants or inputs, those of these names alone."""
    kept = [part for part in parts if part.name in names]
    del parts[:]
    parts.extend(kept)
