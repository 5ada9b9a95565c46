"""What a StyleGAN3 generator is made of, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dragonnx_export.families.family import ArchitectureError

_LARGEST_SIDE = 8192
_LARGEST_TAPS = 256


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: a modulated convolution and what follows it. Maps are square.

    Attributes:
        name: As in the names of its arrays: "L0_36_512".
        inputs: Channels that it reads.
        outputs: Channels that it gives.
        in_size: Side of the map that it reads, margin included, in cells.
        out_size: Side of the map that it gives, likewise.
        in_rate: Cells across the image in the map that it reads.
        out_rate: Likewise in the map that it gives.
        kernel: Side of its convolution: 3 in config T, 1 in config R.
        up: By how much the rate is raised for the activation.
        down: By how much it is lowered afterwards.
        up_taps: Length of the filter that goes with raising it; 1 where there is none.
        down_taps: Length, or side, of the one that goes with lowering it; 1 where there is none.
        radial: Whether that filter is two-dimensional.
        clamp: Bound on |activation|, or None.
        colour: Whether it is the last one, to colours: neither demodulated nor bent.
    """

    name: str
    inputs: int
    outputs: int
    in_size: int
    out_size: int
    in_rate: int
    out_rate: int
    kernel: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    radial: bool
    clamp: float | None
    colour: bool

    def __post_init__(self) -> None:
        sizes = (
            self.inputs, self.outputs, self.in_size, self.out_size, self.in_rate, self.out_rate,
            self.kernel, self.up, self.down, self.up_taps, self.down_taps,
        )  # fmt: skip
        if min(sizes) < 1 or max(sizes) > _LARGEST_SIDE:
            raise ArchitectureError(f"sizes of the layer {self.name} must be 1 to {_LARGEST_SIDE}")
        if self.kernel not in (1, 3):
            raise ArchitectureError(
                f"the layer {self.name} has a convolution of side {self.kernel}, not of 1 or 3"
            )
        if max(self.up_taps, self.down_taps) > _LARGEST_TAPS:
            raise ArchitectureError(f"the layer {self.name} has filters of too many taps")
        if self.in_rate * self.up != self.out_rate * self.down:
            raise ArchitectureError(
                f"the layer {self.name} goes from {self.in_rate} to {self.out_rate} cells across the "
                f"image, which raising {self.up} times and lowering {self.down} times does not give"
            )
        if self.clamp is not None and not 0 < self.clamp < math.inf:
            raise ArchitectureError(f"conv_clamp must be above 0 or None, not {self.clamp}")

    @property
    def convolved_size(self) -> int:
        """Side of the map that its convolution gives, which pads by all that it reads beyond a cell."""
        return self.in_size + self.kernel - 1

    @property
    def raised_size(self) -> int:
        """Side of the map at the raised rate: what the second filter reads, and no more."""
        return (self.out_size - 1) * self.down + self.down_taps

    @property
    def padding(self) -> tuple[int, int]:
        """Cells at the raised rate before and after the convolution's map; cropped where negative."""
        total = self.raised_size - self.convolved_size * self.up + self.up_taps - 1
        before = (total + self.up) // 2
        return before, total - before


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The facts that, with the weights, define a generator.

    Attributes:
        z_dim: Length of the input latent code z.
        w_dim: Length of the intermediate latent code w.
        label_dim: Number of classes; 0 for an unconditional generator.
        resolution: Side of the image in pixels.
        mapping_layers: Fully connected layers of the mapping network.
        mapping_lr_multiplier: The mapping network's equalised learning rate.
        bandwidth: Of the first features, in waves across the image: faster ones fade out.
        layers: In the order in which they run; the last one gives colours.
        output_scale: What the last layer's output is multiplied with.
    """

    z_dim: int
    w_dim: int
    resolution: int
    layers: tuple[Layer, ...]
    label_dim: int = 0
    mapping_layers: int = 2
    mapping_lr_multiplier: float = 0.01
    bandwidth: float = 2.0
    output_scale: float = 0.25

    def __post_init__(self) -> None:
        if min(self.z_dim, self.w_dim, self.mapping_layers) < 1 or self.label_dim < 0:
            raise ArchitectureError("dimensions and layers must be at least 1")
        if not 0 < self.mapping_lr_multiplier < math.inf:
            raise ArchitectureError(
                f"mapping_lr_multiplier must be above 0, not {self.mapping_lr_multiplier}"
            )
        if not self.layers or [layer.colour for layer in self.layers[:-1]].count(True):
            raise ArchitectureError("there must be layers, and the last one alone gives colours")
        if not self.layers[-1].colour or self.layers[-1].radial:
            raise ArchitectureError("the last layer must give colours")
        for layer, after in zip(self.layers[:-1], self.layers[1:], strict=True):
            given = layer.outputs, layer.out_size, layer.out_rate
            if given != (after.inputs, after.in_size, after.in_rate):
                raise ArchitectureError(f"the layer {after.name} does not fit the one before")
        last = self.layers[-1]
        if (last.out_size, last.out_rate) != (self.resolution, self.resolution):
            raise ArchitectureError(
                f"the last layer gives {last.out_size} cells at a rate of {last.out_rate}, and the "
                f"image has {self.resolution} px"
            )
        if not 0 < self.bandwidth < self.layers[0].in_rate / 2:
            raise ArchitectureError(
                "the bandwidth of the first features is not below half their rate"
            )
        if not 0 < self.output_scale < math.inf:
            raise ArchitectureError(f"the output scale must be above 0, not {self.output_scale}")

    @property
    def num_ws(self) -> int:
        """How many w's the synthesis network takes: one for its input, and one a layer."""
        return 1 + len(self.layers)

    @property
    def image_channels(self) -> int:
        """Colours of the image."""
        return self.layers[-1].outputs

    @property
    def colour_arrays(self) -> frozenset[str]:
        """Names of the arrays that have a row for each channel of the image."""
        return frozenset(f"synthesis.{self.layers[-1].name}.{part}" for part in ("weight", "bias"))

    def with_image_channels(self, count: int) -> Architecture:
        """The same network for an image of so many channels."""
        return replace(self, layers=(*self.layers[:-1], replace(self.layers[-1], outputs=count)))

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.resolution, self.resolution
