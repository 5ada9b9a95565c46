"""A graph of which is known what it must take and give."""

from __future__ import annotations

from collections.abc import Mapping

from dragonnx.errors import BundleError
from dragonnx.model.checking.graph import Declared, Free, check_graph
from dragonnx.model.checking.schema import FLOAT
from dragonnx.reading.values import shown

Given = Mapping[str, Declared]

_RUN_BYTES = 2**30
_RUN_BYTES_PER_PIXEL = 2**13
"""What a run may take beside the weights. Inverting with StyleGAN2 takes 1 KB a pixel at 1024 px, 2 KB at
512 px; small images take more a pixel, and little."""


def most_run_bytes(pixels: int) -> int:
    """What a run may take beside the weights, for an image of so many pixels."""
    return _RUN_BYTES + _RUN_BYTES_PER_PIXEL * pixels


class ExpectedGraph:
    """A graph's file, checked by itself, to be compared with what is expected of it.

    Args:
        name: What messages call it.
        content: The file's content.
        files: The size of each file in which weights may lie, by name.
        given: What it may take.
        pixels: Of the image that it is for.

    Attributes:
        outputs: What it gives.

    Raises:
        BundleError: The graph may not be run; see `check_graph`.
    """

    def __init__(
        self, name: str, content: bytes, files: Mapping[str, int], given: Given, pixels: int
    ) -> None:
        self._name = name
        self._given = given
        self._expected: set[str] = set()
        try:
            graph = check_graph(content, files, given)
        except BundleError as error:
            raise self.error(str(error)) from error
        if graph.run_bytes > most_run_bytes(pixels):
            raise self.error(f"a run would take {graph.run_bytes} bytes of memory")
        self._inputs = graph.inputs
        self.outputs = graph.outputs

    def needs(self, *names: str) -> None:
        """Refuse a graph without these inputs."""
        if missing := sorted(set(names) - self._inputs):
            raise self.error(f"it does not take {', '.join(map(shown, missing))}")

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """The shape of an output with so many axes; ones where there is no such output."""
        found = self.outputs[name].tensor.shape if name in self.outputs else ()
        return found if len(found) == axes else (1,) * axes

    def gives(self, name: str, axes: tuple[int | Free, ...], kind: int = FLOAT) -> Declared:
        """An output, which must be of this shape."""
        expected = Declared(kind, axes)
        if name not in self.outputs:
            raise self.error(f"it gives no {name}")
        found = self.outputs[name]
        if found.tensor != expected.tensor:
            raise self.error(
                f"its {name} is {found.tensor}, where {expected.tensor} is expected of it"
            )
        if found.fixes(expected):
            raise self.error(f"its {name} has a fixed length where any may come")
        self._expected.add(name)
        return found

    def gives_nothing_else(self) -> None:
        """Refuse outputs that were not asked for."""
        if further := sorted(self.outputs.keys() - self._expected):
            raise self.error(f"it gives {shown(further[0])}, which nothing asks for")

    def kept(self, result: str) -> Given:
        """What its pullback may take: all that it took and gave, and the gradient of a result."""
        gradient = f"grad_{result}"
        self.keeps_apart(gradient, "grad_w_plus")
        return {**self._given, **self.outputs, gradient: self.outputs[result]}

    def keeps_apart(self, *names: str) -> None:
        """Refuse outputs, to be kept for another graph, that have one of these names or an input's.

        They must be of float32 besides.
        """
        if twice := sorted(self.outputs.keys() & {*self._given, *names}):
            raise self.error(f"it gives {shown(twice[0])}, which is the name of something else")
        if any(output.type != FLOAT for output in self.outputs.values()):
            raise self.error("it gives something else than float32")

    def error(self, reason: str) -> BundleError:
        """What the graph is refused with."""
        return BundleError(f"{self._name} cannot be used: {reason}")
