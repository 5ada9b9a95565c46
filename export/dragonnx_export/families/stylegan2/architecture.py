"""What a StyleGAN2 generator is made of, as plain data."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dragonnx_export.families.family import ArchitectureError

Variant = Literal["skip", "orig", "resnet"]
"""How blocks are joined: colours added up, colour of the last block alone, or residual blocks."""

UNSEEN = frozenset({"mapping_lr_multiplier", "conv_clamp", "resample_filter"})
"""Facts that neither names nor shapes of arrays show: a wrong value fits as well as the right one."""

RESIDUAL_GAIN = math.sqrt(0.5)
"""Of both halves that a residual block adds up, which keeps the sum's variance at theirs."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The facts that, with the weights, define a generator (StyleGAN2, arXiv 1912.04958).

    Attributes:
        z_dim: Length of the input latent code z.
        w_dim: Length of the intermediate latent code w.
        label_dim: Number of classes; 0 for an unconditional generator.
        resolution: Number of the last block, a power of two from 8 up; see below.
        image_channels: Colour channels of the image.
        channels: Feature channels of each block, by its number: 4, 8, ..., resolution.
        mapping_layers: Fully connected layers of the mapping network.
        mapping_lr_multiplier: The mapping network's equalised learning rate, which scales its
            stored weights and biases.
        conv_clamp: Bound on |activation| after each convolution, or None.
        resample_filter: One-dimensional low-pass filter of the resampling, not normalised.
        use_noise: Whether layers add their constant noise.
        variant: How the blocks are joined (figure 7 of arXiv 1912.04958).
        base_height: Height of the first block.
        base_width: Width of the first block. 4 x 4 makes a square image, 4 x 2 one half as wide as
            high (StyleGAN-Human), 5 x 3 one of 640 x 384 in eight blocks (eps696).

    Blocks are numbered 4, 8, 16, ... as NVIDIA's code names them ("b16"), whatever their size: each
    is twice the one before, and its number is its height where the first block is 4 high. Where a
    block's resolution is asked for, its number is meant.
    """

    z_dim: int
    w_dim: int
    resolution: int
    channels: Mapping[int, int]
    label_dim: int = 0
    image_channels: int = 3
    mapping_layers: int = 8
    mapping_lr_multiplier: float = 0.01
    conv_clamp: float | None = None
    resample_filter: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    use_noise: bool = True
    variant: Variant = "skip"
    base_height: int = 4
    base_width: int = 4

    def __post_init__(self) -> None:
        counts = (
            self.z_dim, self.w_dim, self.image_channels, self.mapping_layers, self.base_height,
            self.base_width,
        )  # fmt: skip
        if min(*counts, *self.channels.values()) < 1 or self.label_dim < 0:
            raise ArchitectureError("dimensions, channels and layers must be at least 1")
        if not 0 < self.mapping_lr_multiplier < math.inf:
            raise ArchitectureError(
                f"mapping_lr_multiplier must be above 0, not {self.mapping_lr_multiplier}"
            )
        if self.conv_clamp is not None and not 0 < self.conv_clamp < math.inf:
            raise ArchitectureError(f"conv_clamp must be above 0 or None, not {self.conv_clamp}")
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise ArchitectureError(
                f"the resolution must be a power of two of at least 8, not {self.resolution}"
            )
        if tuple(self.channels) != self.block_resolutions:
            raise ArchitectureError(
                f"channels must be given for the blocks {list(self.block_resolutions)}, "
                f"not {list(self.channels)}"
            )
        if self.variant not in get_args(Variant):
            raise ArchitectureError(
                f"the variant must be one of {', '.join(get_args(Variant))}, not {self.variant!r}"
            )
        if len(self.resample_filter) != 4:
            raise ArchitectureError(
                f"the resample filter must have four taps, not {len(self.resample_filter)}"
            )
        if not 0 < abs(sum(self.resample_filter)) < math.inf:
            raise ArchitectureError("the resample filter must have finite taps whose sum is not 0")

    @property
    def block_resolutions(self) -> tuple[int, ...]:
        """The blocks' numbers: 4, 8, ..., resolution."""
        return tuple(1 << k for k in range(2, self.resolution.bit_length()))

    @property
    def num_ws(self) -> int:
        """How many w's the synthesis network takes: one a convolution and one for the last RGB."""
        return 2 * len(self.block_resolutions)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.block_size(self.resolution)

    def block_size(self, resolution: int) -> tuple[int, int]:
        """Height and width of the feature map of a block."""
        times = resolution // 4
        return times * self.base_height, times * self.base_width

    def block_of_height(self, height: int) -> int:
        """The block whose feature map is so high."""
        return 4 * height // self.base_height

    def block_of_area(self, side: float, blocks: Sequence[int]) -> int | None:
        """Of some blocks the finest whose map has about as many cells as a square of that side.

        One block has four times as many as the one before: less than twice as many are near.
        None where all have more.
        """
        near = [block for block in blocks if math.prod(self.block_size(block)) < 2 * side**2]
        return max(near, default=None)

    def has_colour(self, resolution: int) -> bool:
        """Whether the block of that resolution has a layer to colour."""
        return self.variant == "skip" or resolution == self.resolution

    @property
    def colour_arrays(self) -> frozenset[str]:
        """Names of the arrays that have a row for each channel of the image."""
        blocks = filter(self.has_colour, self.block_resolutions)
        return frozenset(
            f"synthesis.b{b}.torgb.{part}" for b in blocks for part in ("weight", "bias")
        )

    def with_image_channels(self, count: int) -> Architecture:
        """The same network for an image of so many channels."""
        return dataclasses.replace(self, image_channels=count)

    def layers_up_to(self, resolution: int) -> int:
        """How many convolutions there are up to the end of a block."""
        return 2 * self.block_resolutions.index(resolution) + 1

    def layer_gain(self, index: int) -> float:
        """The gain after the activation and clamp of a convolution, counted from 0."""
        # The first block has one convolution and every other two, the second of which is added.
        added = self.variant == "resnet" and index > 0 and index % 2 == 0
        return RESIDUAL_GAIN if added else 1.0

    def to_json(self) -> str:
        """This architecture as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """Read what `to_json` wrote; the keys of the wider field (c_dim, ...) are understood too.

        What is left out has its usual value. `stated_in` tells of what no array would then show.

        Raises:
            ArchitectureError: A key is missing or has a value that no generator can have.
        """
        try:
            facts = json.loads(text)
            mapping = facts.get("mapping", {})
            first_block = facts.get("init_res", (4, 4))
            return cls(
                z_dim=_whole(facts["z_dim"]),
                w_dim=_whole(facts["w_dim"]),
                resolution=_whole(_first(facts, "resolution", "img_resolution")),
                channels={int(r): _whole(c) for r, c in _sorted_blocks(facts["channels"])},
                label_dim=_whole(_first(facts, "label_dim", "c_dim", default=0)),
                image_channels=_whole(_first(facts, "image_channels", "img_channels", default=3)),
                mapping_layers=_whole(
                    _first(facts, "mapping_layers", default=mapping.get("num_layers", 8))
                ),
                mapping_lr_multiplier=float(
                    _first(
                        facts, "mapping_lr_multiplier", default=mapping.get("lr_multiplier", 0.01)
                    )
                ),
                conv_clamp=None if facts.get("conv_clamp") is None else float(facts["conv_clamp"]),
                resample_filter=tuple(
                    float(tap) for tap in facts.get("resample_filter", (1, 3, 3, 1))
                ),
                use_noise=_flag(facts.get("use_noise", True)),
                variant=_first(facts, "variant", "architecture", default="skip"),
                base_height=_whole(_first(facts, "base_height", default=first_block[0])),
                base_width=_whole(_first(facts, "base_width", default=first_block[1])),
            )
        except ArchitectureError:
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise ArchitectureError(f"the architecture cannot be read: {error!r}") from error
        except (OverflowError, RecursionError) as error:
            raise ArchitectureError(
                "the architecture has numbers or nesting without end"
            ) from error

    @staticmethod
    def stated_in(text: str) -> frozenset[str]:
        """Which of the facts of `UNSEEN` the JSON of an architecture states."""
        facts = json.loads(text)
        stated = set(UNSEEN & facts.keys())
        if "lr_multiplier" in facts.get("mapping", {}):
            stated.add("mapping_lr_multiplier")
        return frozenset(stated)


def _whole(value: Any) -> int:
    """A whole number; nothing is cut off to make it one.

    Raises:
        ValueError: It is none, or infinite (OverflowError).
    """
    if isinstance(value, bool) or value != int(value):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _sorted_blocks(channels: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The channel table in block order; JSON keeps its keys as text, in any order."""
    return sorted(channels.items(), key=lambda item: int(item[0]))


_REQUIRED = object()


def _first(facts: Mapping[str, Any], *names: str, default: Any = _REQUIRED) -> Any:
    """The value under the first of several names that is present."""
    for name in names:
        if name in facts:
            return facts[name]
    if default is _REQUIRED:
        raise KeyError(names[0])
    return default
