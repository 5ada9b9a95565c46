"""The command `dragonnx edit`, which `dragonnx` alone is too: the terminal editor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.console import end_on_signals, has_terminal
from dragonnx.cli.options import Device, Index, Label, Model, PrecisionOption, Seed, chosen_label
from dragonnx.cli.stray_words import quoted
from dragonnx.errors import InputError
from dragonnx.model.manifest import DEFAULT_MODEL


def edit(
    file: Annotated[
        Path | None,
        typer.Argument(help="A document, a saved picture, a latent, or a photo."),
    ] = None,
    model: Model = DEFAULT_MODEL,
    seed: Seed = None,
    label: Label = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    index: Index = None,
) -> None:
    """Open the terminal editor, as `dragonnx` alone does."""
    if not has_terminal():
        raise InputError("the editor needs a terminal: its input and outputs cannot be redirected")
    if file is not None and not os.path.isfile(file):  # noqa: PTH113 it answers for any text
        what = "is a folder" if os.path.isdir(file) else "is not there"  # noqa: PTH112 likewise
        raise InputError(
            f"{quoted(str(file))} {what}: name a document, a picture, a latent or a photo"
        )
    if index is not None and file is None:
        raise InputError("--index is for a file with latents, which is missing")

    # An editor's work is kept anyway: its copy is written after every edit.
    end_on_signals()
    from dragonnx.document import Document, LatentStart
    from dragonnx.model.library import model_name
    from dragonnx.tui import edit as open_editor

    start = LatentStart(seed=seed or 0, label=chosen_label(label))
    document = Document(model=model_name(model), start=start)
    raise typer.Exit(open_editor(document, file, index or 0, device, precision))
