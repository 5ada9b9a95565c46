"""The command `dragonnx-export tune BUNDLE`: a bundle learns how its features are followed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.console import say
from dragonnx.cli.options import Threads
from dragonnx.errors import InputError

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx_export.evaluation.judge import Judge

Landmarks = Annotated[
    Path | None,
    typer.Option(
        help="A landmark estimator of what the model shows, as `evaluate` takes it: what it finds is learned, "
        "and it says how good drags are. [required]"
    ),
]
_NO_LANDMARKS = (
    "tune needs --landmarks ESTIMATOR.onnx, a network that finds landmarks in pictures of what the model shows "
    "(`image` [N,3,h,w] from -1 to 1 to `points` [N,landmarks,2] in its pixels), trained on such pictures or "
    "exported from a project that has one: without it nobody can say how good a drag is"
)


def tune(
    bundle: Annotated[str, typer.Argument(help="A known model's name, or a bundle folder.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The bundle folder to write [BUNDLE].")
    ] = None,
    landmarks: Landmarks = None,
    drags: Annotated[int, typer.Option(min=1, help="To learn from.")] = 240,
    steps: Annotated[int, typer.Option(min=1, help="Of learning.")] = 500,
    tries: Annotated[
        int,
        typer.Option(
            min=1,
            help="Drags that each setting and block is tried on; twice as many say what is gained.",
        ),
    ] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of the pictures and of learning.")] = 0,
    threads: Threads = None,
    *,
    overwrite: Annotated[bool, typer.Option(help="Replace a bundle already there.")] = False,
) -> None:
    """Learn how points of a model are followed, and what suits it.

    Both are written into a bundle, whose preset `best` drags with them. Random drags are made, and a linear
    map of features is learned by which points are found again in their pictures: landmarks by an estimator,
    others by following them in small steps. Then step size and radii are tried, and blocks compared. Where
    further drags end no better than before, nothing is written. It takes minutes on the CPU.
    """
    if landmarks is None:
        raise InputError(_NO_LANDMARKS)
    from dragonnx.model.bundle import PACKAGE_MODELS
    from dragonnx.model.library import open_bundle
    from dragonnx_export.folder_writer import check_target

    opened = open_bundle(bundle)
    if output is None:
        if opened.folder.parent == PACKAGE_MODELS:
            raise InputError(
                f"the model {bundle} lies in the package: name the bundle folder to write with -o"
            )
        output = opened.folder
    elif output.resolve() != opened.folder.resolve():
        check_target(output, overwrite=overwrite)

    from dragonnx import Generator
    from dragonnx_export.evaluation.judge import Judge
    from dragonnx_export.following.drags import recorded
    from dragonnx_export.following.kernel import learned_kernel
    from dragonnx_export.following.settings import found_settings
    from dragonnx_export.following.trial import require_gain, tried_afresh
    from dragonnx_export.following.tuned_bundle import write_tuned

    judge = Judge(landmarks)
    with Generator.open(opened.folder, "cpu", threads) as generator:
        say(f"making {drags} drags ...")
        examples = recorded(generator, judge, drags, seed, _every(20, "drag"))
        before = tried_afresh(generator, judge, 2 * tries, seed)
    say(f"learning from {len(examples)} examples ...")
    kernel = learned_kernel(examples, steps, seed, threads, _every(50, "step"))
    with tempfile.TemporaryDirectory() as scratch:
        tuned = Path(scratch) / "tuned"
        write_tuned(opened, tuned, kernel, {})
        with Generator.open(tuned, "cpu", threads) as generator:
            settings = found_settings(generator, judge, tries, seed, say)
            _say_blocks(generator, judge, tries, seed)
        write_tuned(opened, tuned, kernel, settings)
        with Generator.open(tuned, "cpu", threads) as generator:
            after = tried_afresh(generator, judge, 2 * tries, seed)
    require_gain(opened.manifest.name, before, after)
    say(f"{2 * tries} further drags: {before} before, {after} tuned")
    write_tuned(opened, output, kernel, settings)
    for name, value in settings.items():
        say(f"{name} {value:g}")
    say(f"wrote {output}")


def _say_blocks(generator: Generator, judge: Judge, count: int, seed: int) -> None:
    """Say how well the model's blocks are followed, where that can be compared."""
    from dragonnx_export.following.blocks import compared_blocks

    m = generator.manifest
    if m.family != "stylegan2" or not m.graph("image_layers"):
        say("blocks are not compared: that takes the maps of all layers of a StyleGAN2 bundle")
        return
    away = dict(compared_blocks(generator, judge, count, seed))
    for block, distance in away.items():
        say(f"before learning, points are followed by block {block} to {distance:.2f} px")
    best = min(away, key=lambda block: away[block])
    say(
        f"another block is dragged with dragonnx-export --feature-resolution; {best} is followed best"
    )


def _every(count: int, word: str) -> Callable[[int], None]:
    """Tells every so many of what is counted."""

    def tell(number: int) -> None:
        if number % count == 0:
            say(f"{word} {number}")

    return tell
