"""The command `dragonnx-export perceptual`: a network in whose features images are compared."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.console import say
from dragonnx_export.commands.bundle import NOT_STATED


def perceptual(
    weights: Annotated[Path, typer.Argument(help="VGG16's state dict in torchvision's names.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to make.")],
    lpips: Annotated[
        Path | None, typer.Option(help="LPIPS's linear heads for VGG (v0.1) [none].")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = NOT_STATED,
    note: Annotated[str, typer.Option(help="Anything else about the weights.")] = "",
    *,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder already there.")] = False,
) -> None:
    """Turn VGG16 into a folder for `dragonnx invert --perceptual`.

    It is proved equal to torch.
    """
    from dragonnx_export.checkpoints.summary import line
    from dragonnx_export.perceptual.network import read_network

    say(f"reading {weights} ...")
    network = read_network(weights, lpips)

    from dragonnx_export.perceptual.writer import write_perceptual

    say("writing the graphs and checking them against torch ...")
    manifest = write_perceptual(network, output, licence=licence, note=note, overwrite=overwrite)
    say(line("network", manifest.name))
    for record in manifest.parity:
        found, bound = f"{record.max_relative:.1e}", f"{record.tolerance:.0e}"
        label = record.output.removeprefix("target_")
        say(line(label, f"differs from {record.reference} by {found}, bound {bound}"))
    megabytes = sum(file.size for file in manifest.files.values()) / 1e6
    say(line("folder", f"{output}, {megabytes:.1f} MB"))
    unstated = " (give it with --licence)" if licence == NOT_STATED else ""
    say(line("licence", f"{licence}{unstated}"))
    say(
        line(
            "try it",
            f"dragonnx invert photo.jpg --perceptual {shlex.quote(str(output))} -o photo.npz",
        )
    )
