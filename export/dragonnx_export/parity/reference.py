"""What a family's network in torch must give for the graphs to be compared with it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from dragonnx.model.facts import GraphRecord
from dragonnx_export.parity.cases import Arrays, ParityCase


class Reference(Protocol):
    """What torch gives for one case."""

    def outputs(
        self, graph: GraphRecord, measured: Arrays, dtype: torch.dtype
    ) -> dict[str, NDArray[np.float64]]:
        """The outputs of one graph that are to be compared.

        Args:
            graph: Which one.
            measured: What the graph gave. A pullback's come with the layer outputs that it took
                and that tell the slopes that it saw, and that of an image with the gradient that went in.
            dtype: The precision to compute in.
        """


class ReferenceNetwork(Protocol):
    """A generator in torch.

    Attributes:
        image_channels: Colours of its image.
        largest_double_image: Pixels of the largest image that it makes in float64 in time and memory.
        largest_repeated_image: Pixels of the largest image that is compared for every seed; a larger one
            is for the first seed alone.
    """

    @property
    def image_channels(self) -> int: ...  # noqa: D102
    @property
    def largest_double_image(self) -> int: ...  # noqa: D102
    @property
    def largest_repeated_image(self) -> int: ...  # noqa: D102

    def telling(self, outputs: Arrays) -> Arrays:
        """Those of a forward graph's outputs that tell a reference the slopes that the pullback took."""

    def w(self, mapping_inputs: Arrays) -> NDArray[np.float32]:
        """The mapping network in float32: z, and a label where there are classes, to w [N, w_dim]."""

    def reference(self, case: ParityCase) -> Reference:
        """What it gives for a case."""
