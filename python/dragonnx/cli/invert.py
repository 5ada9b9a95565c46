"""The command `dragonnx invert`: a photo becomes a latent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.arguments import check_outputs
from dragonnx.cli.console import say, stopping
from dragonnx.cli.delivery import Keeper, deliver, keep_elsewhere
from dragonnx.cli.faces import (
    AlignOption,
    FaceModel,
    FaceNumber,
    Landmarks,
    PartOptions,
)
from dragonnx.cli.options import (
    Device,
    Index,
    Label,
    Latent,
    Model,
    PrecisionOption,
    Quality,
    SpaceOption,
    Threads,
    check_start,
    fitting_label,
    open_generator,
)
from dragonnx.errors import DragonnxError, InputError
from dragonnx.model.manifest import DEFAULT_MODEL
from dragonnx.types import Fit

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.inversion.image_loss import ImageLoss
    from dragonnx.inversion.perceptual import PerceptualLoss
    from dragonnx.inversion.photo import Photo
    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.generator import Generator

Perceptual = Annotated[
    Path | None, typer.Option(help="Compare in this network's features too: a folder.")
]
PerceptualWeight = Annotated[
    float | None, typer.Option(help="Of that, beside the comparison of pixels [1].")
]

_SAVE_EVERY = 25
"""Steps between two looks at the preview and two savings of the progress."""


Box = Annotated[
    str | None, typer.Option(help="Part of the photo: left,top,right,bottom in pixels [all].")
]
FitOption = Annotated[Fit, typer.Option(help="If the shape is another.")]
SearchSeed = Annotated[int, typer.Option(help="Of the latents and the noise that are tried.")]
Counting = Annotated[Path | None, typer.Option(help="Picture: white counts, black not.")]


def invert(
    photo: Annotated[Path, typer.Argument(help="The picture to look for.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The latent to write, .npz.")],
    model: Model = DEFAULT_MODEL,
    space: SpaceOption = "w+",
    steps: Annotated[int, typer.Option(help="How many.")] = 500,
    step_size: Annotated[float, typer.Option(help="Adam's learning rate.")] = 0.1,
    pull: Annotated[float | None, typer.Option(help="Closeness to the average.")] = None,
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
    latent: Latent = None,
    index: Index = None,
    seed: SearchSeed = 0,
    progress: Annotated[
        Path | None, typer.Option(help="Save the progress as .npz; go on from it if it is there.")
    ] = None,
    preview: Annotated[
        Path | None, typer.Option(help="Save what was found: a .png, .jpg or .webp.")
    ] = None,
    comparison: Annotated[
        Path | None, typer.Option(help="Save the photo beside what was found, likewise.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Save what happened as .json.")] = None,
    quality: Quality = None,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionOption = "auto",
) -> None:
    """Look for the latent of a photo, to drag it with `dragonnx drag --latent`.

    Interrupting (Ctrl+C) stops after the current step and saves the best so far.
    """
    from dragonnx.media import (
        PICTURE_SUFFIXES,
        check_quality,
        save_image,
        save_json,
        side_by_side,
    )

    outputs: list[tuple[Path | None, tuple[str, ...]]] = [
        (output, (".npz",)),
        (preview, PICTURE_SUFFIXES),
        (comparison, PICTURE_SUFFIXES),
        (report, (".json",)),
        (progress, (".npz",)),
    ]
    check_outputs(outputs, inputs=(photo, mask, landmarks, face_model, latent))
    check_start(latent, index)
    check_quality(quality, (preview, comparison))
    shown = PartOptions(
        box=box, fit=fit, align=align, landmarks=landmarks, face_model=face_model, face=face
    )

    from dragonnx import Document, InversionConfig, LatentStart, load_latent, load_photo
    from dragonnx.document.recipe import recipe_of
    from dragonnx.inversion.report import report_of
    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.labels import label_facts
    from dragonnx.model.latent import save_latent
    from dragonnx.model.library import model_name

    config = InversionConfig(
        space=space,
        steps=steps,
        step_size=step_size,
        seed=seed,
        pull=InversionConfig.pull if pull is None else pull,
    )
    generator = open_generator(model, device, threads, precision)
    whole = load_photo(photo, mask, image_size=generator.manifest.image_size)
    chosen = fitting_label(generator, label)
    part, points = shown.of(whole, generator.manifest.image_size, threads)
    start = load_latent(latent, index=index or 0, generator=generator) if latent else None
    loss, network = chosen_loss(part, generator, perceptual, perceptual_weight, threads)
    session = InversionSession(generator, part, config, loss=loss, w_plus=start, label=chosen)
    if progress and progress.exists():
        session.resume(progress)
        say(f"going on after step {session.steps} of {progress}")
    facts = {
        "model": generator.manifest.name,
        "photo": photo.name,
        "landmarks": None if points is None else points.tolist(),
        "space": space,
        "device": generator.device.name,
        "precision": generator.device.precision,
        **({} if chosen is None else {"label": label_facts(chosen)}),
    }
    named = model_name(model)

    def save_shown(picture: Image, path: Path) -> None:
        found = LatentStart(w_plus=session.w_plus, name=photo.name, label=chosen)
        save_image(picture, path, recipe_of(Document(model=named, start=found)), quality)

    def save_comparison(path: Path) -> None:
        found = session.picture.convert("RGB")
        save_shown(side_by_side([session.photo.picture, found]), path)

    def save_report(path: Path) -> None:
        save_json({**facts, **report_of(session, session.picture, seconds, network)}, path)

    so_far: list[tuple[Path | None, Callable[[Path], object]]] = [
        (progress, session.save),
        (preview, lambda path: save_shown(session.picture, path)),
    ]

    def save_so_far() -> None:
        for path, write in so_far:
            if path:
                write(path)

    def save_found(path: Path) -> None:
        save_latent(session.w_plus, path)

    with stopping(partial(stop, session)):
        seconds, failure = run_with_progress(session, Keeper(save_so_far))
        if failure is not None:  # what an earlier run wrote may be better
            kept = keep_elsewhere(output, save_found)
            raise InputError(f"{failure}; the best latent before that {kept}") from failure
        deliver(
            [
                (output, save_found),
                *so_far,
                (comparison, save_comparison),
                (report, save_report),
            ]
        )
    say(f"{session.steps} steps, PSNR {session.psnr:.1f} dB against the photo; wrote "
        f"{', '.join(str(path) for path, _ in outputs if path)}")  # fmt: skip


def chosen_loss(
    photo: Photo,
    generator: Generator,
    folder: Path | None,
    weight: float | None,
    threads: int | None = None,
) -> tuple[ImageLoss, PerceptualLoss | None]:
    """How to compare images with an aligned photo, and the perceptual network in it, if any.

    Raises:
        BundleError: The folder is no perceptual network.
        InputError: There is a weight without a network, or it is negative.
    """
    from dragonnx.inversion.image_loss import PyramidLoss
    from dragonnx.inversion.photo import weights_of

    weights = weights_of(photo)
    pyramid = PyramidLoss(weights)
    if folder is None:
        if weight is not None:
            raise InputError("a perceptual weight needs a network: name its folder --perceptual")
        return pyramid, None
    from dragonnx.inversion.perceptual import CombinedLoss, PerceptualLoss

    network = PerceptualLoss.open(folder, weights=weights, device=generator.device, threads=threads)
    return CombinedLoss(pyramid, network, 1.0 if weight is None else weight), network


def stop(session: InversionSession) -> None:
    """End an inversion with the best so far, where there is one.

    Raises:
        KeyboardInterrupt: There is none.
    """
    if session.steps == 0:
        raise KeyboardInterrupt
    session.cancel()


def run_with_progress(
    session: InversionSession, keep: Callable[[], None] = lambda: None
) -> tuple[list[float], DragonnxError | None]:
    """Run a session to its end, keeping what it found now and then.

    Returns:
        The seconds of each step, and what ended it before all of them were done, if anything.

    Raises:
        DragonnxError: The first step failed.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    seconds: list[float] = []
    columns = (TextColumn("looking"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=session.config.steps, completed=session.steps)
        while True:
            try:
                step = next(session)
            except StopIteration:
                return seconds, None
            except DragonnxError as error:
                if session.steps == 0:
                    raise
                return seconds, error
            seconds.append(step.seconds)
            description = f"step {step.number}, {step.psnr:.1f} dB"
            progress.update(task, completed=step.number, description=description)
            if step.number % _SAVE_EVERY == 0:
                keep()
