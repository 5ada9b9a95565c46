"""The parts of a manifest: graphs and their roles, the feature map, windows, files, measurements.

Sizes are (height, width); places and steps in the image are (x, y), as points are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, Self

MANIFEST_NAME = "manifest.json"
FILTER_TAPS = 4
LARGEST_SIDE = 8192
"""Pixels of an image: eight times what StyleGAN makes. Of z and of w, as many numbers."""
LARGEST_GRAPH = 2 * 2**20
"""Bytes of a graph's file. The largest of StyleGAN2 at 1024 px has 53 KB: what is large lies in the file of
weights. In memory the smallest nodes take sixty times what they take in the file."""
LARGEST_PSI = 100.0
"""Of either sign: w then lies so far from w_avg that no model shows anything."""
LARGEST_LABEL = 10**6 - 1
"""The most classes that models were trained on are some ten thousand."""

LARGEST_RAISED = 4096
"""Cells along a side at the raised rate of a layer with windows: twice what StyleGAN3 has at 1024 px."""

GraphRole = Literal[
    "mapping", "image", "features", "pullback", "image_layers", "image_pullback", "preview",
    "preview_layers", "preview_pullback", "transform",
]  # fmt: skip
"""What dragonnx runs a graph for:

    mapping           z, and a label where there are classes, to w
    image             w_plus to the image, as numbers and, in newer bundles, as pixels of 8 bits
    features          w_plus to the feature map and what its pullback needs
    pullback          the gradient of the feature map to that of w_plus
    image_layers      w_plus to the image and what its pullback needs
    image_pullback    the gradient of the image to that of w_plus
    preview ...       the same three as for the image, for a smaller one
    transform         w_plus to that of the same image turned and moved

With a cut, features and pullback compute windows from there on: a block's resolution, or a layer."""

REQUIRED_ROLES: tuple[GraphRole, ...] = ("mapping", "image", "features", "pullback")
"""Without one of these a model cannot be dragged. All others are optional."""

IMAGE_ROLES: tuple[tuple[GraphRole, GraphRole, GraphRole], ...] = (
    ("image", "image_layers", "image_pullback"),
    ("preview", "preview_layers", "preview_pullback"),
)
"""Of the image, then of the smaller one: it alone, it with what its pullback needs, the pullback."""

OPTIONAL_ROLES: tuple[tuple[GraphRole, ...], ...] = (IMAGE_ROLES[0][1:], IMAGE_ROLES[1])
"""To invert with, and for a smaller image: of each group a model has all or none."""

WINDOWED_ROLES: tuple[GraphRole, ...] = ("features", "pullback")
"""Those that there are once more for each cut."""


@dataclass(frozen=True, kw_only=True)
class GraphRecord:
    """One graph of a bundle.

    Attributes:
        role: What it is run for, a `GraphRole`; others are for a newer dragonnx, and ignored.
        file: Its file's name.
        cut: Resolution of the block, or number of the layer, from which on it computes windows; None for
            whole maps.
    """

    role: str
    file: str
    cut: int | None = None

    @property
    def name(self) -> str:
        """What it is called in messages and parity records."""
        return graph_name(self.role, self.cut)


def graph_name(role: str, cut: int | None = None) -> str:
    """`features`, or `features_16` where windows begin in the block of resolution 16."""
    return role if cut is None else f"{role}_{cut}"


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """The feature map that is dragged, and where it lies on the image.

    The centre of the cell in column i and row j lies in the image at `offset + rate * (i, j)`, in
    pixels, pixel centres at integers.

    Attributes:
        size: In cells.
        channels: Features of a cell.
        offset: (x, y) of the first cell's centre; negative where the map reaches beyond the image.
        rate: Pixels from one cell to the next, along x and y.
    """

    size: tuple[int, int]
    channels: int
    offset: tuple[float, float]
    rate: tuple[float, float]

    @classmethod
    def over(cls, image_size: tuple[int, int], size: tuple[int, int], channels: int) -> Self:
        """A map whose cells cover the image exactly, as those of StyleGAN2 do."""
        height, width = (length / cells for length, cells in zip(image_size, size, strict=True))
        return cls(
            size=size,
            channels=channels,
            offset=((width - 1) / 2, (height - 1) / 2),
            rate=(width, height),
        )


@dataclass(frozen=True, kw_only=True)
class WindowFacts:
    """What planning windows of StyleGAN2 and judging their cost takes.

    Attributes:
        cuts: Resolutions of the blocks from which on windows can be computed.
        channels: Feature channels of the blocks 4, 8, ... up to the feature map's.
        resample_filter: The four taps of the network's low-pass filter.

    A block's resolution is its name: 4 for the first and twice that of the one before for each other,
    as their sizes are. It is the height of its map where the first block is 4 high.
    """

    cuts: tuple[int, ...]
    channels: tuple[int, ...]
    resample_filter: tuple[float, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        """Resolutions of the blocks up to the feature map's."""
        return tuple(4 << position for position in range(len(self.channels)))


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """A layer of StyleGAN3, as far as its windows depend on it. Maps are square; sides are in cells.

    Attributes:
        inputs: Channels that it reads.
        channels: Channels that it gives.
        kernel: Side of its convolution, which pads by one less: what it gives is larger than what it reads.
        convolved: Side of the convolution's map.
        size: Side of the map that the layer gives.
        up: By how much the rate is raised for the activation.
        down: By how much it is lowered afterwards.
        before: At the raised rate, cells before the convolution's map; it is cut off where that is negative.
        up_taps: Of the filter that goes with raising the rate, with what else it is multiplied with.
        down_taps: Of the one that goes with lowering it, likewise; empty where that has two dimensions,
            and is in the graphs.
        down_side: How many taps it has along each axis.
    """

    inputs: int
    channels: int
    kernel: int
    convolved: int
    size: int
    up: int
    down: int
    before: int
    up_taps: tuple[float, ...]
    down_taps: tuple[float, ...]
    down_side: int

    @property
    def raised(self) -> int:
        """Side of the map at the raised rate."""
        return (self.size - 1) * self.down + self.down_side


@dataclass(frozen=True, kw_only=True)
class LayerWindowFacts:
    """`WindowFacts` of StyleGAN3, whose layers have filters of their own.

    Attributes:
        cuts: Layers, counted from 0, from whose activation on windows can be computed.
        layers: Those up to the feature map's.
    """

    cuts: tuple[int, ...]
    layers: tuple[LayerFacts, ...]


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """What a file of a bundle must be: its sha256 in hexadecimal and its size in bytes."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> FileRecord:
        """The record of a file with this content."""
        return cls(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


@dataclass(frozen=True, kw_only=True)
class ParityRecord:
    """How far one output of one graph, computed in float32 on the CPU, lies from torch.

    Attributes:
        graph: The graph's name.
        output: The output's name.
        reference: What it was compared with, "torch float64" or "torch float32".
        max_absolute: Largest absolute difference.
        max_relative: That difference over the reference's largest absolute value.
        tolerance: Bound on `max_relative` that the exporter enforced.
        reason: Why that bound.
        seeds: Seeds of the latents that were compared.
    """

    graph: str
    output: str
    reference: str
    max_absolute: float
    max_relative: float
    tolerance: float
    reason: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a bundle's weights came from: file format, the file's sha256, licence, a note."""

    format: str
    sha256: str
    licence: str
    note: str = ""
