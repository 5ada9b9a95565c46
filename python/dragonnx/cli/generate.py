"""The command `dragonnx generate`: a picture from a seed or a latent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.arguments import check_outputs
from dragonnx.cli.console import say
from dragonnx.cli.options import (
    Device,
    Label,
    Latent,
    Model,
    Output,
    Psi,
    Seed,
    Threads,
    open_generator,
    start_latent,
)
from dragonnx.model.manifest import DEFAULT_MODEL


def generate(
    output: Output,
    model: Model = DEFAULT_MODEL,
    seed: Seed = 0,
    truncation_psi: Psi = None,
    label: Label = None,
    latent: Latent = None,
    latent_out: Annotated[Path | None, typer.Option(help="Save the latent, .npz.")] = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Make a picture from a seed or a latent."""
    check_outputs([(output, (".png",)), (latent_out, (".npz",))])
    generator = open_generator(model, device, threads)
    w_plus, start = start_latent(generator, seed, truncation_psi, label, latent)

    from dragonnx.media import save_png
    from dragonnx.model.latent import save_latent

    save_png(generator.image(w_plus), output, {"model": generator.manifest.name, **start})
    if latent_out:
        save_latent(latent_out, w_plus)
    say(f"wrote {output}")
