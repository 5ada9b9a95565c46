"""The command `dragonnx`: generate, drag, and find out what is there."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragonnx import inversion_command, model_commands
from dragonnx.arguments import check_outputs, pair
from dragonnx.bundle import DEFAULT_MODEL
from dragonnx.console import run, say
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError
from dragonnx.options import (
    DeviceChoice,
    DeviceOption,
    Label,
    Latent,
    Model,
    Output,
    Psi,
    Seed,
    SpaceChoice,
    Threads,
    open_generator,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.drag.record import DragRecord
    from dragonnx.drag.session import DragSession
    from dragonnx.generator import Float32, Generator

_MOST_FRAMES = 120
"""An animation of more steps than this shows evenly spaced ones."""


class PresetChoice(StrEnum):
    """Sets of defaults, as a person names them."""

    paper = "paper"
    released = "released"


app = typer.Typer(
    help="DragGAN without PyTorch: drag points on a StyleGAN2 image and the image follows.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(model_commands.app, name="models")
app.command()(inversion_command.invert)


@app.callback(invoke_without_command=True)
def dragonnx(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Show the version, or open the editor when no command is given."""
    from dragonnx import __version__

    if version:
        _print(f"dragonnx {__version__}")
    elif context.invoked_subcommand is None:
        if _has_terminal():
            edit()
        _print(context.get_help())


@app.command()
def edit(
    file: Annotated[
        Path | None,
        typer.Argument(help="A .dragonnx session, a saved .png, an .npz latent, or a photo."),
    ] = None,
    model: Model = DEFAULT_MODEL,
    seed: Seed = 0,
    device: DeviceOption = DeviceChoice.auto,
) -> None:
    """Open the terminal editor, as `dragonnx` alone does."""
    if not _has_terminal():
        raise InputError("the editor needs a terminal: its input and outputs cannot be redirected")

    from dragonnx.tui import edit as open_editor

    raise typer.Exit(open_editor(file, model, seed, device.value))


@app.command()
def generate(
    output: Output,
    model: Model = DEFAULT_MODEL,
    seed: Seed = 0,
    truncation_psi: Psi = None,
    label: Label = None,
    latent: Latent = None,
    latent_out: Annotated[Path | None, typer.Option(help="Save the latent, .npz.")] = None,
    device: DeviceOption = DeviceChoice.auto,
    threads: Threads = None,
) -> None:
    """Make a picture from a seed or a latent."""
    check_outputs([(output, (".png",)), (latent_out, (".npz",))])
    generator = open_generator(model, device, threads)
    w_plus, start = _start(generator, seed, truncation_psi, label, latent)

    from dragonnx.latent import save_latent
    from dragonnx.media import save_png

    save_png(generator.image(w_plus), output, {"model": generator.manifest.name, **start})
    if latent_out:
        save_latent(latent_out, w_plus)
    say(f"wrote {output}")


@app.command()
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
    preset: Annotated[PresetChoice, typer.Option(help="Defaults.")] = PresetChoice.paper,
    space: Annotated[SpaceChoice, typer.Option(help="Latent space.")] = SpaceChoice.w_plus,
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
    device: DeviceOption = DeviceChoice.auto,
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
        preset=preset.value,
        space=space.value,
        step_size=step_size,
        lambda_mask=lambda_mask,
        r1=r1,
        r2=r2,
        max_steps=max_steps,
        trainable_layers=trainable_layers,
    )
    generator = open_generator(model, device, threads)
    w_plus, start = _start(generator, seed, truncation_psi, label, latent)

    from dragonnx.drag.mask import load_mask
    from dragonnx.drag.session import DragSession
    from dragonnx.latent import save_latent
    from dragonnx.media import save_animation, save_json, save_png, side_by_side

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


@app.command()
def info(model: Annotated[str, typer.Argument(help="Name or folder.")] = DEFAULT_MODEL) -> None:
    """Show a model's facts and how far its graphs are from torch."""
    from dragonnx.library import open_bundle

    bundle = open_bundle(model)
    m = bundle.manifest
    _print(f"{m.name}: {m.image_size[1]} x {m.image_size[0]} px, in {bundle.folder}")
    _print(f"latent: z {m.z_dim}, w {m.w_dim}, {m.num_ws} w's, {m.label_dim or 'no'} classes")
    _print(
        f"feature map: {m.feature_channels} channels of {m.feature_size[1]} x {m.feature_size[0]}"
    )
    settings = ", ".join(f"{name} {value:g}" for name, value in m.drag_settings.items())
    _print(
        f"drag settings: {settings or 'as the preset says'}; truncation_psi {m.truncation_psi:g}"
    )
    _print(f"weights: {m.source.format}, licence {m.source.licence}. {m.source.note}".rstrip())
    for r in m.parity:
        _print(f"{r.graph} {r.output}: {r.max_relative:.1e} from {r.reference} "
               f"(bound {r.tolerance:.0e})")  # fmt: skip


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="Also show where its graphs run.")] = None,
    device: DeviceOption = DeviceChoice.auto,
) -> None:
    """Show versions and devices, and what is missing."""
    from dragonnx.doctor import diagnose, diagnose_model

    for line in diagnose():
        _print(line)
    if model:
        for line in diagnose_model(open_generator(model, device, None)):
            _print(line)


def main() -> None:
    """Run the command."""
    run(app, "dragonnx")


def _has_terminal() -> bool:
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _start(
    generator: Generator, seed: int, psi: float | None, label: int | None, latent: Path | None
) -> tuple[Float32, dict[str, Any]]:
    """The latent to start from, and how a recipe names it."""
    if latent:
        w_plus = generator.load_latent(latent)
        return w_plus, {"w_plus": base64.b64encode(w_plus.tobytes()).decode()}
    psi = generator.manifest.truncation_psi if psi is None else psi
    w_plus = generator.w_plus(seed, label=label, truncation_psi=psi)
    return w_plus, {"seed": seed, "truncation_psi": psi, "label": label}


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


def _print(line: str) -> None:
    print(line)  # noqa: T201


if __name__ == "__main__":
    main()
