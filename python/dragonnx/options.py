"""Options that several commands take, named and described once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dragonnx.generator import Generator


class DeviceChoice(StrEnum):
    """Devices, as a person names them."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class SpaceChoice(StrEnum):
    """Latent spaces, as a person names them."""

    w_plus = "w+"
    w = "w"


Model = Annotated[str, typer.Option(help="A known model's name, or a bundle folder.")]
Seed = Annotated[int, typer.Option(help="Chooses the picture to start from.")]
Psi = Annotated[float | None, typer.Option(help="Closeness to the average [the model's].")]
Label = Annotated[int | None, typer.Option(help="The class, for a model that has classes.")]
Latent = Annotated[Path | None, typer.Option(help="Start from this .npz file, not from a seed.")]
DeviceOption = Annotated[DeviceChoice, typer.Option(help="Where to compute.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads [as ONNX Runtime chooses].")]
Output = Annotated[Path, typer.Option("-o", "--output", help="The PNG to write.")]


def open_generator(model: str, device: DeviceChoice, threads: int | None) -> Generator:
    """The generator that the options name."""
    from dragonnx.generator import Generator

    return Generator.open(model, device.value, threads)
