"""The command `dragonnx-export invert PHOTO CHECKPOINT -o FOLDER`: a bundle tuned to a photo."""

from __future__ import annotations

import io
import shlex
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from dragonnx.cli.arguments import check_outputs
from dragonnx.cli.console import say, stopping
from dragonnx.cli.faces import (
    AlignOption,
    FaceModel,
    FaceNumber,
    Landmarks,
    PartOptions,
)
from dragonnx.cli.invert import (
    Box,
    Counting,
    FitOption,
    Perceptual,
    PerceptualWeight,
    SearchSeed,
)
from dragonnx.cli.options import Index, Label, Quality, check_start, chosen_label
from dragonnx.cli.search import chosen_loss, run_with_progress, stop
from dragonnx.errors import InputError
from dragonnx.types import Space
from dragonnx_export.commands.checkpoint_options import (
    Channels,
    ConvClamp,
    MappingLr,
    Network,
    read,
)

if TYPE_CHECKING:
    from dragonnx.inversion.perceptual import PerceptualLoss
    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.generator import Generator
    from dragonnx_export.bundle_writer import ExportOptions
    from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
    from dragonnx_export.tuning.pti import Tuning, TuningConfig

LATENT_NAME = "latent.npz"
"""The photo's latent, in the tuned bundle's folder."""


def invert(
    photo: Annotated[Path, typer.Argument(help="The picture to look for.")],
    checkpoint: Annotated[Path, typer.Argument(help="The generator to tune.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The bundle folder to make.")],
    model: Annotated[
        str | None,
        typer.Option(help="A bundle of that checkpoint: saves making one; its settings are kept."),
    ] = None,
    latent: Annotated[
        Path | None, typer.Option(help="The pivot, as `dragonnx invert --latent` takes it.")
    ] = None,
    index: Index = None,
    space: Annotated[Space | None, typer.Option(help="Of the pivot [w].")] = None,
    steps: Annotated[int | None, typer.Option(help="To look for the pivot [500].")] = None,
    tuning_steps: Annotated[int, typer.Option(help="To tune, at most.")] = 350,
    tuning_step_size: Annotated[float, typer.Option(help="Learning rate of the tuning.")] = 1e-3,
    stop_psnr: Annotated[float, typer.Option(help="Stop at this likeness, in dB.")] = 40.0,
    locality: Annotated[
        float, typer.Option(help="Weight that holds other pictures as they were, such as 0.1.")
    ] = 0.0,
    box: Box = None,
    fit: FitOption = "crop",
    align: AlignOption = "none",
    landmarks: Landmarks = None,
    face_model: FaceModel = None,
    face: FaceNumber = None,
    mask: Counting = None,
    perceptual: Perceptual = None,
    perceptual_weight: PerceptualWeight = None,
    label: Label = None,
    seed: SearchSeed = 0,
    name: Annotated[str | None, typer.Option(help="The model's name [the folder's].")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the weights.")] = None,
    comparison: Annotated[
        Path | None,
        typer.Option(help="Save photo, pivot and tuned picture in a row: .png, .jpg or .webp."),
    ] = None,
    quality: Quality = None,
    report: Annotated[Path | None, typer.Option(help="Save what happened as .json.")] = None,
    which: Network = None,
    mapping_lr: MappingLr = None,
    conv_clamp: ConvClamp = None,
    channels: Channels = None,
    *,
    overwrite: Annotated[bool, typer.Option(help="Replace a bundle already there.")] = False,
) -> None:
    """Tune a generator to a photo (PTI), to drag the photo itself.

    The latent that shows it is FOLDER/latent.npz. Interrupting (Ctrl+C) ends the running part and
    goes on with the best so far.
    """
    from dragonnx.media import (
        PICTURE_SUFFIXES,
        check_quality,
        save_image,
        save_json,
        side_by_side,
    )

    check_outputs(
        [(comparison, PICTURE_SUFFIXES), (report, (".json",))],
        (photo, checkpoint, latent, mask, landmarks, face_model),
    )
    _check_pivot(latent, index, space, steps)
    check_quality(quality, [comparison])
    shown = PartOptions(
        box=box, fit=fit, align=align, landmarks=landmarks, face_model=face_model, face=face
    )

    from dragonnx.document.latent_file import load_latent
    from dragonnx.inversion.config import InversionConfig
    from dragonnx.inversion.perceptual_bundle import open_perceptual
    from dragonnx.inversion.photo import load_photo
    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.generator import Generator
    from dragonnx_export.bundle_writer import NO_PSI, write_bundle
    from dragonnx_export.folder_writer import check_target
    from dragonnx_export.tuning.pti import TuningConfig

    tuning_config = TuningConfig(
        steps=tuning_steps,
        step_size=tuning_step_size,
        stop_psnr=stop_psnr,
        locality=locality,
        seed=seed,
    )
    config = InversionConfig(
        space=space or "w", steps=InversionConfig.steps if steps is None else steps, seed=seed
    )
    check_target(output, overwrite=overwrite)
    if perceptual:
        open_perceptual(perceptual)  # a bad folder is refused before minutes of work
    source = read(checkpoint, which, mapping_lr, conv_clamp, channels)
    whole = load_photo(photo, mask, image_size=source.architecture.image_size)
    with tempfile.TemporaryDirectory() as scratch:
        generator = _generator(source, model, Path(scratch))
        part, _ = shown.of(whole, generator.manifest.image_size)
        loss, network = chosen_loss(part, generator, perceptual, perceptual_weight)
        session = InversionSession(generator, part, config, loss=loss, label=chosen_label(label))
        pivot = (
            load_latent(latent, index=index or 0, generator=generator)
            if latent
            else _found(session)
        )
        before = generator.image(pivot)
        called = name or output.resolve().name
        options = _options(source, generator, called, licence, overwrite=overwrite)
        if model is None:  # then its truncation was not chosen either
            options = replace(options, note=NO_PSI)
    tuning, seconds = _tuned(source, pivot, session, tuning_config)
    file = io.BytesIO()
    np.savez(file, w_plus=pivot)
    write_bundle(tuning.checkpoint(), output, options, say, {LATENT_NAME: file.getvalue()})
    after = Generator.open(output).image(pivot)
    recipe = {"model": options.name, "photo": photo.name}
    if comparison:
        pictures = (session.photo.picture, before.convert("RGB"), after.convert("RGB"))
        save_image(side_by_side(pictures), comparison, recipe, quality)
    facts = _report(session, before, after, seconds, tuning_config, network)
    if report:
        save_json({**recipe, **facts}, report)
    say(f"PSNR {facts['before']['psnr']:.1f} dB with the pivot, {facts['after']['psnr']:.1f} dB "
        f"after {len(seconds)} steps of tuning; wrote {output}")  # fmt: skip
    folder = shlex.quote(str(output))
    say(f"try it: dragonnx edit {folder}/{LATENT_NAME} --model {folder}")


def _check_pivot(
    latent: Path | None, index: int | None, space: Space | None, steps: int | None
) -> None:
    """Refuse options of a search for the pivot where it is given.

    Raises:
        InputError: One was given.
    """
    check_start(latent, index)
    for option, given in (("--space", space), ("--steps", steps)):
        if latent is not None and given is not None:
            raise InputError(
                f"{option} is for looking for a pivot, which --latent gives: leave one of them out"
            )


def _generator(checkpoint: Checkpoint, model: str | None, scratch: Path) -> Generator:
    """The generator that the pivot is looked for in: a bundle of the checkpoint, or a new one.

    Raises:
        InputError: The bundle was made of another checkpoint.
    """
    from dragonnx.model.generator import Generator
    from dragonnx_export.bundle_writer import ExportOptions, write_bundle

    if model is None:
        folder = scratch / "bundle"
        write_bundle(checkpoint, folder, ExportOptions(name="pivot"), say)
        return Generator.open(folder)
    generator = Generator.open(model)
    if generator.manifest.source.sha256 != checkpoint.sha256:
        raise InputError(
            f"the bundle {model} was made of another checkpoint: name the bundle of this one, or "
            "leave --model out"
        )
    return generator


def _options(
    checkpoint: Checkpoint, generator: Generator, name: str, licence: str | None, *, overwrite: bool
) -> ExportOptions:
    """The settings of the bundle that the pivot was looked for in, for the tuned one."""
    from dragonnx_export.bundle_writer import ExportOptions

    m = generator.manifest
    return ExportOptions(
        name=name,
        licence=licence or m.source.licence,
        feature_resolution=checkpoint.architecture.block_of_height(m.feature_map.size[0]),
        trainable_layers=m.trainable_layers,
        truncation_psi=m.truncation_psi,
        drag_settings=m.drag_settings,
        tracking=generator.tracking_kernel,
        overwrite=overwrite,
    )


def _found(session: InversionSession) -> Any:
    """The latent of a photo, [1, num_ws, w_dim]."""
    with stopping(partial(stop, session)):
        _, failure = run_with_progress(session)
    if failure is not None:
        raise failure
    return session.w_plus


def _tuned(
    checkpoint: Checkpoint, pivot: Any, session: InversionSession, config: TuningConfig
) -> tuple[Tuning, list[float]]:
    """The tuning, run to its end or an interrupt, and the seconds of its steps."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from dragonnx_export.tuning.pti import Tuning

    tuning = Tuning(checkpoint, pivot, session.target, session.loss, config)
    seconds: list[float] = []
    columns = (TextColumn("tuning "), BarColumn(), TextColumn("{task.description}"))
    time_left = (TimeRemainingColumn(), TextColumn("left"))
    with Progress(*columns, *time_left, console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=config.steps)
        try:
            for step in tuning:
                seconds.append(step.seconds)
                description = f"step {step.number}, {step.psnr:.1f} dB"
                progress.update(task, completed=step.number, description=description)
        except KeyboardInterrupt:
            if not seconds:
                raise
    return tuning, seconds


def _report(
    session: InversionSession,
    before: Any,
    after: Any,
    seconds: list[float],
    config: TuningConfig,
    network: PerceptualLoss | None,
) -> dict[str, Any]:
    from dataclasses import asdict

    from dragonnx.inversion.report import likeness

    return {
        "pivot_settings": asdict(session.config),
        "tuning_settings": asdict(config),
        "loss": session.loss.name,
        "before": likeness(session.photo, before, network),
        "after": likeness(session.photo, after, network),
        "tuning_steps": len(seconds),
        "seconds_per_tuning_step": round(float(np.median(seconds)), 4),
    }
