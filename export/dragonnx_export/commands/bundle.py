"""The command `dragonnx-export CHECKPOINT -o FOLDER`: a verified bundle comes out."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.console import say, show
from dragonnx.errors import InputError
from dragonnx.model.drag_settings import checked_setting
from dragonnx.paths import is_portable_name, portable_name
from dragonnx_export.commands.checkpoint_options import (
    Channels,
    ConvClamp,
    MappingLr,
    Network,
    read_any,
    refuse_unshown,
)

if TYPE_CHECKING:
    from dragonnx.types import Array

NOT_STATED = "not stated"
_LARGEST_ARRAY = 2**30
"""Bytes; a map by which points are followed has a hundredth of that at most."""


def bundle(
    checkpoint: Annotated[
        Path, typer.Argument(help="A StyleGAN2 or StyleGAN3 checkpoint, of any known format.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The bundle folder to make.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name [the folder's].")] = None,
    feature_resolution: Annotated[
        int | None,
        typer.Option(
            help="Number of the block whose output is dragged: 4, 8, 16, ... [nearest to 128x128; "
            "of pictures below 256 px to a quarter of their side]."
        ),
    ] = None,
    feature_layer: Annotated[
        int | None,
        typer.Option(help="Of StyleGAN3: layer whose output is dragged, from 0 [the middle one]."),
    ] = None,
    trainable_layers: Annotated[
        int, typer.Option(help="For how many of the first w's to give a gradient.")
    ] = 6,
    truncation_psi: Annotated[
        float | None, typer.Option(help="The truncation that suits the model [0.7].")
    ] = None,
    drag_setting: Annotated[
        list[str] | None,
        typer.Option(
            help="A drag setting that suits the model, such as step_size=0.001, or best.r1=10 for one preset."
        ),
    ] = None,
    tracking: Annotated[
        Path | None,
        typer.Option(help="The tracking.npy that `tune` wrote into a bundle of this checkpoint."),
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = NOT_STATED,
    note: Annotated[str, typer.Option(help="Anything else about the weights.")] = "",
    network: Network = None,
    mapping_lr: MappingLr = None,
    conv_clamp: ConvClamp = None,
    channels: Channels = None,
    *,
    inspect: Annotated[
        bool, typer.Option("--inspect", help="Say what the checkpoint is, and export nothing.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a bundle already there.")] = False,
) -> None:
    """Turn a checkpoint into a bundle, and prove it equal to torch."""
    # NumPy and torch take long to import: not for --help.
    from dragonnx_export.checkpoints.summary import facts, line

    if output is None and not inspect:
        raise InputError("name the bundle folder to make with -o, or ask for --inspect alone")
    # What needs no checkpoint is refused before one is read.
    settings = _drag_settings(drag_setting or [])
    kernel = None if tracking is None else _array(tracking)
    source = read_any(checkpoint, network, mapping_lr, conv_clamp, channels)
    if output is None or inspect:
        for fact in facts(source):
            show(fact)
        return
    for fact in facts(source):
        say(fact)

    refuse_unshown(source)  # before torch is loaded and anything is made

    from dragonnx_export.bundle_writer import NO_PSI, USUAL_PSI, ExportOptions, write_bundle
    from dragonnx_export.parity.check import table

    psi_note = NO_PSI if truncation_psi is None else ""
    if psi_note:
        say(line("note", psi_note))
    options = ExportOptions(
        name=name or output.resolve().name,
        licence=licence,
        note=" ".join(filter(None, (note, psi_note))),
        feature_resolution=feature_resolution,
        feature_layer=feature_layer,
        trainable_layers=trainable_layers,
        truncation_psi=USUAL_PSI if truncation_psi is None else truncation_psi,
        drag_settings=settings,
        tracking=kernel,
        overwrite=overwrite,
    )
    manifest = write_bundle(source, output, options, progress=say)
    for row in table(manifest.parity):
        say(row)
    megabytes = sum(record.size for record in manifest.files.values()) / 1e6
    say(line("bundle", f"{output}, {megabytes:.1f} MB"))
    unstated = " (give it with --licence)" if licence == NOT_STATED else ""
    say(line("licence", f"{licence}{unstated}"))
    folder = shlex.quote(str(output))
    label = " --label 0" if manifest.label_dim else ""
    say(line("try it", f"dragonnx generate --model {folder}{label} -o out.png"))
    name = "" if is_portable_name(manifest.name) else portable_name(manifest.name) or "my-model"
    say(line("keep it", f"dragonnx models add {folder}{f' --name {name}' if name else ''}"))


def _drag_settings(assignments: list[str]) -> dict[str, float]:
    """`name=value` pairs as numbers in their ranges."""
    from dragonnx.drag.config import PRESETS

    settings: dict[str, float] = {}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        try:
            value = int(text) if text.strip().isdecimal() else float(text)
        except ValueError as error:
            raise InputError(
                f"a drag setting is given as NAME=NUMBER, not {assignment!r}"
            ) from error
        preset, dot, _ = name.rpartition(".")
        if dot and preset not in PRESETS:
            raise InputError(
                f"a drag setting is for one of the presets {', '.join(PRESETS)}, not for {preset!r}"
            )
        settings[name] = checked_setting(name, value)
    return settings


def _array(path: Path) -> Array:
    """What is in a file of NumPy's format; whether it fits the model is seen when that is known."""
    from dragonnx.reading.npy_array import read_npy
    from dragonnx.reading.regular_file import opened_file

    with opened_file(path, _LARGEST_ARRAY) as file:
        return read_npy(file, os.fstat(file.fileno()).st_size, str(path))
