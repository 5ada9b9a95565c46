"""Forward and back through a network: what a forward graph gives is its pullback's input."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from dragonnx.runtime import BoundGraph, Buffer, BufferPack, DeviceTensor, Graph
from dragonnx.types import Array, Float32


@dataclass(frozen=True)
class FeaturePass:
    """A feature map with what its pullback needs.

    Attributes:
        w_plus: The latent [1, num_ws, w_dim] it belongs to.
        features: The feature map [1, C, h, w], or n windows of it.
        layer_outputs: Outputs of the layers, where the graph left them.
        cut: Resolution of the block from which on windows were computed; None for whole maps.
        windows: What the graphs take to know the windows, by input name.
    """

    w_plus: Float32
    features: Float32
    layer_outputs: Mapping[str, DeviceTensor]
    cut: int | None = None
    windows: Mapping[str, Array] = field(default_factory=dict)

    def pullback_inputs(self, grad_features: Float32) -> dict[str, Array | DeviceTensor]:
        """What the pullback takes, by name."""
        return {
            "w_plus": self.w_plus,
            "features": self.features,
            "grad_features": grad_features,
            **self.layer_outputs,
            **self.windows,
        }


@dataclass(frozen=True)
class ImagePass:
    """An image with what its pullback needs.

    Attributes:
        w_plus: The latent [1, num_ws, w_dim] it belongs to.
        image: [1, image_channels, H, W], about -1 to 1.
        layer_outputs: Outputs of the layers, where the graph left them.
        preview: Whether it is the small one.
    """

    w_plus: Float32
    image: Float32
    layer_outputs: Mapping[str, DeviceTensor]
    preview: bool = False

    def pullback_inputs(self, grad_image: Float32) -> dict[str, Array | DeviceTensor]:
        """What the pullback takes, by name."""
        return {"w_plus": self.w_plus, "grad_image": grad_image, **self.layer_outputs}


def of_all_layers(grad_w_plus: Float32, num_ws: int) -> Float32:
    """dL/dw_plus [1, num_ws, w_dim] of an image that depends on the first w's only."""
    rest = num_ws - grad_w_plus.shape[1]
    return np.pad(grad_w_plus, ((0, 0), (0, rest), (0, 0))) if rest else grad_w_plus


class BoundForward:
    """A graph on buffers of its own, which stay.

    For one thread at a time. Inputs keep the shapes that they first had.

    Args:
        graph: The graph.
        inputs: Its first inputs, by name, and whatever else is to lie beside them; it runs at once.

    Attributes:
        buffers: All of these and its outputs, by name.
    """

    def __init__(self, graph: Graph, inputs: Mapping[str, Array]) -> None:
        self._inputs = BufferPack(graph.device, inputs)
        given = self._inputs.buffers
        self.buffers: dict[str, Buffer] = {**given, **graph.outputs(given)}
        self._bound = graph.bound(self.buffers)

    def run(self, inputs: Mapping[str, Array]) -> None:
        """Compute the outputs for other values of the inputs."""
        self._inputs.write(inputs)
        self._bound.run()


class BoundPass:
    """A forward graph and its pullback, which finds what the first one gave where it lies.

    Args:
        forward: Gives `result` and what its pullback needs.
        pullback: Takes all of that, the forward graph's inputs, and the gradient of `result`.
        result: The name of what is differentiated: "features" or "image".
        inputs: The forward graph's first inputs, by name; it runs with them at once.

    Attributes:
        result: Where the forward graph leaves what it is run for.
        gradient: Where the pullback finds dL/dresult, of the same shape.
    """

    def __init__(
        self, forward: Graph, pullback: Graph, result: str, inputs: Mapping[str, Array]
    ) -> None:
        asked = {*forward.input_names, *pullback.input_names} & set(inputs)
        self._forward = BoundForward(forward, {name: inputs[name] for name in sorted(asked)})
        self._buffers = self._forward.buffers
        self.result = self._buffers[result]
        self.gradient = Buffer.empty(forward.device, self.result.shape)
        self._buffers[f"grad_{result}"] = self.gradient
        self._pullback = pullback
        self._bound_pullback: BoundGraph | None = None

    def run(self, inputs: Mapping[str, Array]) -> None:
        """Compute `result` for other values of the inputs."""
        self._forward.run(inputs)

    def pull_back(self) -> Float32:
        """dL/dw_plus [1, n, w_dim] from what lies in `gradient`, for the inputs of the last run."""
        if self._bound_pullback is None:
            self._buffers |= self._pullback.outputs(self._buffers)
            self._bound_pullback = self._pullback.bound(self._buffers)
        else:
            self._bound_pullback.run()
        return self._buffers["grad_w_plus"].read()


Bound = TypeVar("Bound", BoundForward, BoundPass)


class PassPool(Generic[Bound]):
    """Passes that nobody uses at the moment, by what they were made for.

    A recorded pass is worth keeping from one drag to the next. The one unused longest goes first.

    Args:
        size: How many are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free: list[tuple[Hashable, Bound]] = []
        self._returned: deque[tuple[Hashable, Bound]] = deque()
        self._lock = threading.Lock()

    def take(self, key: Hashable, inputs: Mapping[str, Array], make: Callable[[], Bound]) -> Bound:
        """A pass for this key that nobody else has, run with these inputs: a free one, or a new one."""
        with self._lock:
            while self._returned:
                self._free.append(self._returned.popleft())
            known = [key for key, _ in self._free]
            found = self._free.pop(known.index(key))[1] if key in known else None
            del self._free[: -self._size or None]
        if found is None:
            return make()
        found.run(inputs)
        return found

    def close(self) -> None:
        """Let go of all passes, and keep none from now on."""
        self._size = 0
        with self._lock:
            self._free.clear()
            self._returned.clear()

    def give_back(self, key: Hashable, given: Bound) -> None:
        """Let others have a pass. It waits for nothing: a user may be collected at any moment."""
        if self._size:
            self._returned.append((key, given))
