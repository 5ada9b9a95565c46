"""The command `dragonnx invert`: a photo becomes a latent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from dragonnx.cli.search import chosen_loss, run_with_progress, stop
from dragonnx.errors import InputError
from dragonnx.model.manifest import DEFAULT_MODEL
from dragonnx.types import Fit, Points

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.inversion.config import InversionConfig
    from dragonnx.inversion.perceptual import PerceptualLoss
    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.generator import Generator
    from dragonnx.model.labels import Label as AnyLabel

Perceptual = Annotated[
    Path | None, typer.Option(help="Compare in this network's features too: a folder.")
]
PerceptualWeight = Annotated[
    float | None, typer.Option(help="Of that, beside the comparison of pixels [1].")
]

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
    """Find the latent of a photo, which `drag --latent` drags.

    Interrupting (Ctrl+C) stops after the current step and saves the best so far.
    """
    from dragonnx.media import PICTURE_SUFFIXES, check_quality

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

    from dragonnx import InversionConfig, load_latent, load_photo
    from dragonnx.inversion.session import InversionSession
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
    found = _Found(session, model_name(model), photo.name, chosen, quality)
    so_far = [(progress, session.save), (preview, found.save_preview)]

    def save_so_far() -> None:
        for path, write in so_far:
            if path:
                write(path)

    with stopping(partial(stop, session)):
        seconds, failure = run_with_progress(session, Keeper(save_so_far))
        if failure is not None:  # what an earlier run wrote may be better
            kept = keep_elsewhere(output, found.save_latent)
            raise InputError(f"{failure}; the best latent before that {kept}") from failure
        ran_with = _facts(generator, config, photo, points, chosen)
        deliver(
            [
                (output, found.save_latent),
                *so_far,
                (comparison, found.save_comparison),
                (report, partial(found.save_report, ran_with, seconds, network)),
            ]
        )
    say(f"{session.steps} steps, PSNR {session.psnr:.1f} dB against the photo; wrote "
        f"{', '.join(str(path) for path, _ in outputs if path)}")  # fmt: skip


def _facts(
    generator: Generator,
    config: InversionConfig,
    photo: Path,
    landmarks: Points | None,
    label: AnyLabel | None,
) -> dict[str, Any]:
    """What a report says of how the inversion was run, before what came of it."""
    from dragonnx.model.labels import label_facts

    return {
        "model": generator.manifest.name,
        "photo": photo.name,
        "landmarks": None if landmarks is None else landmarks.tolist(),
        "space": config.space,
        "device": generator.device.name,
        "precision": generator.device.precision,
        **({} if label is None else {"label": label_facts(label)}),
    }


@dataclass(frozen=True)
class _Found:
    """Writes what a session found so far.

    Attributes:
        session: The session.
        model: The model's name, as a recipe has it.
        photo: The photo's, likewise.
        label: The class, or None.
        quality: Of pictures that have one, or None.
    """

    session: InversionSession
    model: str
    photo: str
    label: AnyLabel | None
    quality: int | None

    def save_latent(self, path: Path) -> None:
        """The latent."""
        from dragonnx.model.latent import save_latent

        save_latent(self.session.w_plus, path)

    def save_preview(self, path: Path) -> None:
        """Its picture."""
        self._save(self.session.picture, path)

    def save_comparison(self, path: Path) -> None:
        """The photo beside its picture."""
        from dragonnx.media import side_by_side

        found = self.session.picture.convert("RGB")
        self._save(side_by_side([self.session.photo.picture, found]), path)

    def save_report(
        self,
        ran_with: Mapping[str, Any],
        seconds: list[float],
        network: PerceptualLoss | None,
        path: Path,
    ) -> None:
        """What happened."""
        from dragonnx.inversion.report import report_of
        from dragonnx.media import save_json

        came_of = report_of(self.session, self.session.picture, seconds, network)
        save_json({**ran_with, **came_of}, path)

    def _save(self, picture: Image, path: Path) -> None:
        """A picture with the recipe of what was found."""
        from dragonnx import Document, LatentStart
        from dragonnx.document.recipe import recipe_of
        from dragonnx.media import save_image

        start = LatentStart(w_plus=self.session.w_plus, name=self.photo, label=self.label)
        save_image(picture, path, recipe_of(Document(model=self.model, start=start)), self.quality)
