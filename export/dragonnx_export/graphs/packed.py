"""One tensor that holds what several layers have."""

from __future__ import annotations

from dragonnx_export.graphs.builder import GraphBuilder


class Packed:
    """A tensor of equal parts along its first axis, split when one of them is first asked for.

    Args:
        graph: Where it is.
        tensor: Its name.
        count: How many parts it has.
    """

    def __init__(self, graph: GraphBuilder, tensor: str, count: int) -> None:
        self._graph = graph
        self._parts: list[str] = []
        self.tensor = tensor
        self.count = count

    def part(self, position: int) -> str:
        """One part, with a first axis of one part's length."""
        self._parts = self._parts or self._graph.split(self.tensor, self.count)
        return self._parts[position]
