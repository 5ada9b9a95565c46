"""Which channels of the image are shown: a network without the others gives the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, Self, TypeVar

from dragonnx.errors import InputError
from dragonnx_export.families.checkpoint import Contents


class ColouredArchitecture(Protocol):
    """What an architecture of any family says of its image's channels.

    Attributes:
        image_channels: How many there are.
        colour_arrays: Names of the arrays that have a row for each of them.
    """

    @property
    def image_channels(self) -> int: ...  # noqa: D102
    @property
    def colour_arrays(self) -> frozenset[str]: ...  # noqa: D102

    def with_image_channels(self, count: int) -> Self:
        """The same network with so many."""
        ...


C = TypeVar("C", bound=Contents[Any])

SHOWN = (1, 3)
"""How many channels a picture can have: grey, or colours."""

_COLOURS = (0, 1, 2)
_COLOURS_AND_OPACITY = 4


def with_shown_channels(checkpoint: C, channels: Sequence[int] | None) -> C:
    """The generator with the channels that were chosen, or the colours of an image with opacity.

    Args:
        checkpoint: The generator.
        channels: As `with_channels` takes them; None leaves an image as it is, but for a fourth
            channel, which is left out and noted.

    Raises:
        InputError: As `with_channels`.
    """
    if channels is not None:
        return with_channels(checkpoint, channels)
    if checkpoint.architecture.image_channels == _COLOURS_AND_OPACITY:
        return with_channels(checkpoint, _COLOURS)
    return checkpoint


def with_channels(checkpoint: C, channels: Sequence[int]) -> C:
    """The generator with some of its image's channels, in the order given.

    Colours are made and added up channel by channel, so that it is the same network, and nothing is
    computed for the others.

    Args:
        checkpoint: The generator.
        channels: Numbers of channels, counted from 0.

    Raises:
        InputError: They are of a number that no picture has, or there is no such channel.
    """
    architecture: ColouredArchitecture = checkpoint.architecture
    if len(channels) not in SHOWN:
        raise InputError(f"a picture shows 1 or 3 channels, not {len(channels)}")
    missing = [number for number in channels if not 0 <= number < architecture.image_channels]
    if missing:
        raise InputError(
            f"the image has no channel {missing[0]}: it has {architecture.image_channels}, counted "
            "from 0"
        )
    chosen = list(channels)
    weights = {
        name: values[chosen].copy() if name in architecture.colour_arrays else values
        for name, values in checkpoint.weights.items()
    }
    note = (
        f"of the {architecture.image_channels} channels of its image those numbered "
        f"{', '.join(map(str, channels))} are shown"
    )
    return replace(
        checkpoint,
        architecture=architecture.with_image_channels(len(chosen)),
        weights=weights,
        notes=(*checkpoint.notes, note),
    )


def require_shown(architecture: ColouredArchitecture) -> None:
    """Refuse an image that cannot be shown as it is.

    Raises:
        InputError: It has another number of channels than any picture.
    """
    if architecture.image_channels not in SHOWN:
        example = "0,1,2" if architecture.image_channels > max(_COLOURS) else "0"
        raise InputError(
            f"the image has {architecture.image_channels} channels where a picture shows 1 or 3; "
            f"choose some with --channels, such as --channels {example}"
        )
