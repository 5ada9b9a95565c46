"""Options that several commands take, named and described once."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragonnx.types import DeviceName, Space

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.types import Float32


Model = Annotated[str, typer.Option(help="A known model's name, or a bundle folder.")]
Seed = Annotated[int, typer.Option(help="Chooses the picture to start from.")]
Psi = Annotated[float | None, typer.Option(help="Closeness to the average [the model's].")]
Label = Annotated[int | None, typer.Option(help="The class, for a model that has classes.")]
Latent = Annotated[Path | None, typer.Option(help="Start from this .npz file, not from a seed.")]
Device = Annotated[
    str, typer.Option(help="Where to compute: auto, cpu, cuda, or cuda:1 for the second GPU.")
]
SpaceOption = Annotated[Space, typer.Option(help="Latent space.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads [as ONNX Runtime chooses].")]
Output = Annotated[Path, typer.Option("-o", "--output", help="The PNG to write.")]


def open_generator(model: str, device: DeviceName, threads: int | None) -> Generator:
    """The generator that the options name."""
    from dragonnx.model.generator import Generator

    return Generator.open(model, device, threads)


def start_latent(
    generator: Generator, seed: int, psi: float | None, label: int | None, latent: Path | None
) -> tuple[Float32, dict[str, Any]]:
    """The latent to start from, and how a recipe names it."""
    if latent:
        w_plus = generator.load_latent(latent)
        return w_plus, {"w_plus": base64.b64encode(w_plus.tobytes()).decode()}
    psi = generator.manifest.truncation_psi if psi is None else psi
    w_plus = generator.w_plus(seed, label=label, truncation_psi=psi)
    return w_plus, {"seed": seed, "truncation_psi": psi, "label": label}
