"""The graphs of an open bundle: loaded when first asked for, shared by all who run them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping

from dragonnx.errors import StateError
from dragonnx.model.bundle import Bundle
from dragonnx.model.facts import GraphRole
from dragonnx.model.halves import PictureHalves, picture_halves
from dragonnx.model.passes import BoundForward, BoundPass, PassPool
from dragonnx.runtime import CLOSED, CPU, Device, Graph, Sharing
from dragonnx.types import Array

_PICTURES: tuple[GraphRole, ...] = ("image", "preview")
_KEPT = 2
"""Recorded passes that nobody uses: that of the last drag, and one with a mask or other points."""


class GraphSet:
    """All graphs of one bundle on one device. All methods are thread-safe.

    Args:
        bundle: The bundle.
        device: Where they run.
        threads: Threads within an operator on the CPU; None leaves it to ONNX Runtime.
        sharing: What it has in common with other processes on this machine, on the CPU; None where
            there are none.
    """

    def __init__(
        self, bundle: Bundle, device: Device, threads: int | None, sharing: Sharing | None = None
    ) -> None:
        self._bundle = bundle
        self._device = device
        self._threads = threads
        self._sharing = sharing if device.kind == CPU.name else None
        self._graphs: dict[tuple[GraphRole, int | None], Graph] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._halves: PictureHalves | None = None
        self._are_halves_known = False
        kept = _KEPT if device.provider.replay_options else 0
        self._forwards: PassPool[BoundForward] = PassPool(kept)
        self._passes: PassPool[BoundPass] = PassPool(kept)

    def get(self, role: GraphRole, cut: int | None = None) -> Graph:
        """The graph of a role.

        Raises:
            BundleError: The bundle has none, or ONNX Runtime cannot load it.
            StateError: They were closed.
        """
        with self._lock:
            self.require_open()
            if (role, cut) not in self._graphs:
                path = self._bundle.graph(role, cut)
                found = None if self._sharing is None else self._sharing.laid_out(path)
                self._graphs[role, cut] = Graph(
                    found or path, self._device, self._threads, windows=cut is not None,
                    replayed=role != "mapping", is_laid_out=found is not None,
                    # A picture takes several times the memory of anything else, for a moment.
                    gives_back=self._sharing is not None and role in _PICTURES,
                )  # fmt: skip
            return self._graphs[role, cut]

    def close(self) -> None:
        """Give the memory of all graphs back, once runs that are under way have ended."""
        with self._lock:
            self._is_closed = True
            graphs = [*self._graphs.values()]
            self._graphs.clear()
            halves, self._halves = self._halves, None
        for graph in graphs:
            graph.close()
        if halves is not None:
            halves.close()
        self._forwards.close()
        self._passes.close()

    def require_open(self) -> None:
        """Refuse where they were closed.

        Raises:
            StateError: They were.
        """
        if self._is_closed:
            raise StateError(CLOSED)

    def run(self, role: GraphRole, inputs: Mapping[str, Array], wanted: tuple[str, ...]) -> Array:
        """Run a graph on buffers that nobody else has: the first of the wanted outputs that it has."""
        if role == "image" and (halves := self._picture_halves()) is not None:
            arrays = halves.run(inputs)
            return next(arrays[name] for name in wanted if name in arrays)
        graph = self.get(role)
        key = role, _shapes(inputs)
        bound = self._forwards.take(key, inputs, lambda: BoundForward(graph, inputs))
        found = next(bound.buffers[name] for name in wanted if name in graph.output_names).read()
        self._forwards.give_back(key, bound)
        return found

    def _picture_halves(self) -> PictureHalves | None:
        """Where processes share a machine, the graph of the picture in two halves, if it can be cut."""
        if self._sharing is None:
            return None
        with self._lock:
            self.require_open()
            if not self._are_halves_known:
                self._halves = picture_halves(
                    self._bundle, self._device, self._threads, self._sharing
                )
                self._are_halves_known = True
            return self._halves

    def bound_features(
        self, user: object, cut: int | None, inputs: Mapping[str, Array]
    ) -> BoundPass:
        """Features and their pullback on buffers that nobody else has; see `BoundPass`.

        Args:
            user: Has the pass for itself until it is collected as garbage.
            cut: Of both graphs.
            inputs: The first inputs.
        """
        forward, pullback = self.get("features", cut), self.get("pullback", cut)
        key = cut, _shapes(inputs)
        bound = self._passes.take(
            key, inputs, lambda: BoundPass(forward, pullback, "features", inputs)
        )
        weakref.finalize(user, self._passes.give_back, key, bound)
        return bound


def _shapes(inputs: Mapping[str, Array]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((name, array.shape) for name, array in sorted(inputs.items()))
