"""The command `dragonnx drag`: points are dragged, and what came of it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.arguments import check_outputs, pair
from dragonnx.cli.console import say
from dragonnx.cli.options import (
    Device,
    Label,
    Latent,
    Model,
    Output,
    Psi,
    Seed,
    SpaceOption,
    Threads,
    open_generator,
    start_latent,
)
from dragonnx.drag.config import DragConfig, PresetName
from dragonnx.model.manifest import DEFAULT_MODEL

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.drag.record import DragRecord
    from dragonnx.drag.session import DragSession
    from dragonnx.model.generator import Generator

_MOST_FRAMES = 120
"""An animation of more steps than this shows evenly spaced ones."""


def drag(
    output: Output,
    point: Annotated[
        list[str], typer.Option(help="HANDLE:TARGET as x,y:x,y in pixels; may be repeated.")
    ],
    model: Model = DEFAULT_MODEL,
    seed: Seed = 0,
    truncation_psi: Psi = None,
    label: Label = None,
    latent: Latent = None,
    mask: Annotated[Path | None, typer.Option(help="Picture: white moves, black is fixed.")] = None,
    preset: Annotated[PresetName, typer.Option(help="Defaults.")] = "paper",
    space: SpaceOption = "w+",
    max_steps: Annotated[int | None, typer.Option(help="Give up after these.")] = None,
    step_size: Annotated[float | None, typer.Option(help="Adam's learning rate.")] = None,
    lambda_mask: Annotated[float | None, typer.Option(help="Weight of the mask.")] = None,
    r1: Annotated[float | None, typer.Option(help="Patch radius, at 512 px.")] = None,
    r2: Annotated[float | None, typer.Option(help="Tracking window, at 512 px.")] = None,
    trainable_layers: Annotated[int | None, typer.Option(help="Of the first w's.")] = None,
    latent_out: Annotated[Path | None, typer.Option(help="Save the latent, .npz.")] = None,
    video: Annotated[
        Path | None, typer.Option(help="Save the drag as .gif, .webp or .mp4.")
    ] = None,
    comparison: Annotated[
        Path | None, typer.Option(help="Save before and after with the points drawn, .png.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Save what happened as .json.")] = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Drag handle points to target points and save the picture.

    Settings that are not given are what suits the model, else what the preset says. Interrupting
    (Ctrl+C) stops after the current step and saves the picture as far as it got.
    """
    from dragonnx.media import ANIMATION_SUFFIXES, check_animation

    outputs = [(output, (".png",)), (latent_out, (".npz",)), (video, ANIMATION_SUFFIXES),
               (comparison, (".png",)), (report, (".json",))]  # fmt: skip
    check_outputs(outputs)
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
    generator = open_generator(model, device, threads)
    w_plus, start = start_latent(generator, seed, truncation_psi, label, latent)

    from dragonnx.drag.mask import load_mask
    from dragonnx.drag.session import DragSession
    from dragonnx.media import save_animation, save_json, save_png, side_by_side
    from dragonnx.model.latent import save_latent

    session = DragSession(
        generator,
        w_plus,
        handle_points=[handle for handle, _ in pairs],
        target_points=[target for _, target in pairs],
        mask=load_mask(mask, generator.manifest.image_size) if mask else None,
        config=config,
    )
    record = _run(session)
    recipe = {
        "model": generator.manifest.name,
        **start,
        "points": record.points(),
        "masked": mask is not None,
        "settings": session.settings.to_dict(),
    }
    save_png(generator.image(session.w_plus), output, recipe)
    if latent_out:
        save_latent(latent_out, session.w_plus)
    if comparison:
        ends = [_frame(generator, session, record, at) for at in (0, len(record.latents) - 1)]
        save_png(side_by_side(ends), comparison, recipe)
    if video:
        save_animation(_frames(generator, session, record), video)
    if report:
        name = generator.manifest.name
        save_json(record.report(model=name, seed=None if latent else seed), report)
    assert session.outcome is not None, "the session was run to its end"  # noqa: S101
    say(f"{session.outcome.advice} {len(record.latents) - 1} steps, "
        f"largest distance {session.distances.max():.1f} px; wrote "
        f"{', '.join(str(path) for path, _ in outputs if path)}")  # fmt: skip


def _run(session: DragSession) -> DragRecord:
    """Run a session with a progress bar; an interrupt ends it, what it reached is kept."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from dragonnx.drag.record import DragRecord

    record = DragRecord(session)
    first, limit = session.distances.max(), session.settings.max_steps
    columns = (TextColumn("dragging"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=1.0)
        while True:
            try:
                step = next(session)
            except StopIteration:
                return record
            except KeyboardInterrupt:
                session.cancel()
                continue
            record.add(step)
            left = step.distances.max()
            progress.update(
                task,
                completed=max(1 - left / first, step.number / limit),
                description=f"step {step.number}, {left:.1f} px to go",
            )


def _frames(generator: Generator, session: DragSession, record: DragRecord) -> Iterator[Image]:
    """The drag's pictures from start to end, at most `_MOST_FRAMES`."""
    last = len(record.latents) - 1
    count = min(last + 1, _MOST_FRAMES)
    for k in range(count):
        yield _frame(generator, session, record, round(k * last / max(count - 1, 1)))


def _frame(generator: Generator, session: DragSession, record: DragRecord, index: int) -> Image:
    from dragonnx.media import with_points

    image = generator.image(record.latents[index])
    return with_points(image, record.handles_at(index), session.target_points)
