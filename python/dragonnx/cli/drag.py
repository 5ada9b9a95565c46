"""The command `dragonnx drag`: points are dragged, and what came of it is saved."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.arguments import check_outputs
from dragonnx.cli.console import say, stopping
from dragonnx.cli.delivery import Keeper, deliver
from dragonnx.cli.options import (
    Device,
    Directions,
    Index,
    Label,
    Latent,
    Model,
    Output,
    PrecisionOption,
    Psi,
    Quality,
    Rotate,
    Seed,
    SpaceOption,
    Threads,
    Translate,
    check_start,
    chosen_directions,
    chosen_motion,
    latent_start,
    moved_starts,
    open_generator,
)
from dragonnx.drag.config import DEFAULT_PRESET, DragConfig, PresetName
from dragonnx.errors import InputError
from dragonnx.model.manifest import DEFAULT_MODEL
from dragonnx.reading.typed_points import pair

if TYPE_CHECKING:
    from dragonnx.document.run import DragRun
    from dragonnx.drag.progress import DragStep

_SAVE_EVERY = 25
"""Steps between two savings of the progress."""


def drag(
    output: Output,
    point: Annotated[
        list[str], typer.Option(help="HANDLE:TARGET as x,y:x,y in pixels; may be repeated.")
    ],
    model: Model = DEFAULT_MODEL,
    seed: Seed = None,
    truncation_psi: Psi = None,
    label: Label = None,
    latent: Latent = None,
    index: Index = None,
    direction: Directions = None,
    rotate: Rotate = None,
    translate: Translate = None,
    mask: Annotated[Path | None, typer.Option(help="Picture: white moves, black is fixed.")] = None,
    preset: Annotated[
        PresetName, typer.Option(help="Defaults; paper is the method as published.")
    ] = DEFAULT_PRESET,
    space: SpaceOption = "w+",
    max_steps: Annotated[int | None, typer.Option(help="Give up after these.")] = None,
    step_size: Annotated[
        float | None, typer.Option(help="Of Adam; with best, in spreads of w.")
    ] = None,
    lambda_mask: Annotated[float | None, typer.Option(help="Weight of --mask.")] = None,
    r1: Annotated[float | None, typer.Option(help="Patch radius, at 512 px.")] = None,
    r2: Annotated[float | None, typer.Option(help="Tracking window, at 512 px.")] = None,
    trainable_layers: Annotated[int | None, typer.Option(help="Of the first w's.")] = None,
    latent_out: Annotated[Path | None, typer.Option(help="Save the latent, .npz.")] = None,
    video: Annotated[
        Path | None, typer.Option(help="Save the drag as .gif, .webp or .mp4.")
    ] = None,
    comparison: Annotated[
        Path | None, typer.Option(help="Save before and after with the points drawn: a picture.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Save what happened as .json.")] = None,
    progress: Annotated[
        Path | None, typer.Option(help="Save the progress as .npz; go on from it if it is there.")
    ] = None,
    quality: Quality = None,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionOption = "auto",
) -> None:
    """Drag handle points to target points and save the picture.

    Settings that are not given are what suits the model, else what the preset says: `dragonnx info`
    shows them. Interrupting (Ctrl+C) stops after the current step and saves the picture as far as it got.
    """
    from dragonnx.document import Document, PointPair
    from dragonnx.document.outputs import OutputId
    from dragonnx.document.outputs import output as kind
    from dragonnx.document.run import DragRun
    from dragonnx.drag.mask import load_mask
    from dragonnx.media import check_animation, check_quality
    from dragonnx.model.library import model_name

    directions, motion = chosen_directions(direction), chosen_motion(rotate, translate)
    wanted: list[tuple[OutputId, Path | None]] = [
        ("picture", output),
        ("latent", latent_out),
        ("animation", video),
        ("comparison", comparison),
        ("report", report),
    ]
    check_outputs(
        [*((path, kind(name).suffixes) for name, path in wanted), (progress, (".npz",))],
        (latent, mask, *(each.file for each in directions)),
    )
    check_start(latent, index, seed=seed, psi=truncation_psi)
    check_quality(quality, (output, comparison))
    if video:
        check_animation(video)
    pairs = [pair(text) for text in point]
    config = DragConfig(
        preset=preset,
        space=space,
        step_size=step_size,
        lambda_mask=lambda_mask,
        r1=r1,
        r2=r2,
        max_steps=max_steps,
        trainable_layers=trainable_layers,
    )
    if lambda_mask is not None and mask is None:
        raise InputError(
            "--lambda-mask is the weight of a mask: give one with --mask, or leave it out"
        )
    generator = open_generator(model, device, threads, precision)
    start = latent_start(generator, seed, truncation_psi, label, latent, index)
    [start] = moved_starts([start], generator, directions, motion)
    document = Document(
        model=model_name(model),
        start=start,
        pairs=tuple(PointPair(handle, target) for handle, target in pairs),
        config=config,
    ).with_mask(load_mask(mask, generator.manifest.image_size) if mask else None)
    run = DragRun(document, generator, keep_frames=video is not None)
    if progress and progress.exists():
        run.resume(progress)
        say(f"going on after step {run.steps} of {progress}")
    with stopping(run.cancel):
        _run(run, progress)
        dragged = run.document
        deliver(
            [
                *(
                    (path, partial(kind(name).write, dragged, generator, quality=quality))
                    for name, path in wanted
                ),
                (progress, run.save),
            ]
        )
    assert run.outcome is not None, "the drag was run to its end"  # noqa: S101
    say(f"{run.advice} {run.steps} steps, "
        f"largest distance {run.distances.max():.1f} px; wrote "
        f"{', '.join(str(path) for _, path in wanted if path)}")  # fmt: skip


def _run(run: DragRun, kept: Path | None) -> None:
    """Run a drag with a progress bar.

    Args:
        run: The drag.
        kept: Where its progress is saved, if anywhere.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    first = run.distances.max()
    keep = Keeper(lambda: run.save(kept) if kept else None)
    columns = (TextColumn("dragging"), BarColumn(), TextColumn("{task.description}"))
    so_far = TextColumn("after {task.elapsed:.0f} s")
    with Progress(*columns, so_far, console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=1.0)

        def show(run: DragRun, step: DragStep) -> None:
            left = step.distances.max()
            progress.update(
                task,
                completed=max(1 - left / first, step.number / run.max_steps),
                description=f"step {step.number}, {left:.1f} px to go",
            )
            if step.number % _SAVE_EVERY == 0:
                keep()

        while run.outcome is None:
            run.go_on(progress=show)
