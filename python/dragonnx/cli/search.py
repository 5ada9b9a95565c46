"""Looking for a photo's latent from a command: how images are compared, the run with its progress bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.errors import DragonnxError, InputError

if TYPE_CHECKING:
    from dragonnx.inversion.image_loss import ImageLoss
    from dragonnx.inversion.perceptual import PerceptualLoss
    from dragonnx.inversion.photo import Photo
    from dragonnx.inversion.session import InversionSession
    from dragonnx.model.generator import Generator

_KEEP_EVERY = 25
"""Steps."""


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
    time_left = (TimeRemainingColumn(), TextColumn("left"))
    with Progress(*columns, *time_left, console=Console(stderr=True)) as progress:
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
            if step.number % _KEEP_EVERY == 0:
                keep()
