"""The command `dragonnx generate`: a picture from a seed or a latent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.arguments import check_outputs
from dragonnx.cli.console import say
from dragonnx.cli.options import (
    Device,
    Index,
    Label,
    Latent,
    Model,
    Output,
    PrecisionOption,
    Psi,
    Quality,
    Seed,
    Threads,
    check_start,
    latent_start,
    open_generator,
)
from dragonnx.model.manifest import DEFAULT_MODEL


def generate(
    output: Output,
    model: Model = DEFAULT_MODEL,
    seed: Seed = None,
    truncation_psi: Psi = None,
    label: Label = None,
    latent: Latent = None,
    index: Index = None,
    latent_out: Annotated[Path | None, typer.Option(help="Save the latent, .npz.")] = None,
    quality: Quality = None,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionOption = "auto",
) -> None:
    """Make a picture from a seed or a latent."""
    from dragonnx.document import Document
    from dragonnx.document.outputs import output as kind
    from dragonnx.media import check_quality
    from dragonnx.model.library import model_name

    check_outputs([(output, kind("picture").suffixes), (latent_out, (".npz",))], (latent,))
    check_quality(quality, [output])
    check_start(latent, index, seed=seed, psi=truncation_psi)
    generator = open_generator(model, device, threads, precision)
    start = latent_start(generator, seed, truncation_psi, label, latent, index)
    document = Document(model=model_name(model), start=start)
    kind("picture").write(document, generator, output, quality)
    if latent_out:
        kind("latent").write(document, generator, latent_out)
    say(f"wrote {output}")
