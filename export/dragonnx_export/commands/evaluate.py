"""The command `dragonnx-export evaluate BUNDLE`: how good its drags are, in a table and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.console import say, show
from dragonnx.cli.options import Device, Threads

if TYPE_CHECKING:
    from dragonnx_export.evaluation.judge import Judge

Landmarks = Annotated[
    Path,
    typer.Option(
        help="A landmark estimator of what the model shows: .onnx, `image` [N,3,h,w] from -1 to 1 to "
        "`points` [N,landmarks,2] in its pixels."
    ),
]
Output = Annotated[
    Path,
    typer.Option("-o", "--output", help="The folder to write to; it goes on from what is there."),
]
Drags = Annotated[
    int, typer.Option(min=1, help="Of one point; a quarter as many of five, of all, with a mask.")
]
DrawSeed = Annotated[
    int, typer.Option("--seed", min=0, help="Of the draw of pictures and landmarks.")
]
Entrants = Annotated[
    list[str] | None,
    typer.Option(
        "--entrant",
        help="A preset, or one with settings: 'paper space=w r1=10'; may be repeated [released, paper, best].",
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="What is dragged, such as '1 point'; may be repeated [all]."),
]
Perceptual = Annotated[
    Path | None,
    typer.Option(help="A perceptual network's folder, which compares the pictures of pairs too."),
]
Ablations = Annotated[
    bool,
    typer.Option(
        "--ablations", help="Add paper with one setting changed: radii, norm, layers, space."
    ),
]
Plot = Annotated[bool, typer.Option(help="Draw the plot, which needs matplotlib.")]


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A known model's name, or a bundle folder.")],
    landmarks: Landmarks,
    output: Output,
    drags: Drags = 40,
    seed: DrawSeed = 0,
    entrant: Entrants = None,
    kind: Kinds = None,
    perceptual: Perceptual = None,
    device: Device = "cpu",
    threads: Threads = None,
    *,
    ablations: Ablations = False,
    plot: Plot = True,
) -> None:
    """Measure how good drags of a model are.

    Landmarks of pictures are dragged to where other pictures have them; the estimator judges by the
    picture where they are then. Of a pair, points of one picture are dragged to where a picture near
    it has them, and the two compared. Writes table.md, results.json, plot.png and sheet.jpg.
    """
    from dragonnx_export.evaluation.judge import Judge

    measure(
        bundle,
        Judge(landmarks),
        output,
        drags,
        seed,
        entrant,
        kind,
        perceptual,
        device,
        threads,
        with_ablations=ablations,
        plot=plot,
    )


def measure(
    bundle: str,
    judge: Judge,
    output: Path,
    drags: int,
    seed: int,
    entrant: list[str] | None,
    kind: list[str] | None,
    perceptual: Path | None,
    device: Device,
    threads: int | None,
    *,
    with_ablations: bool,
    plot: bool,
) -> None:
    """Measure with a judge, and write what came of it."""
    from dragonnx import Generator, PerceptualLoss
    from dragonnx_export.evaluation.cases import KINDS, checked_kinds
    from dragonnx_export.evaluation.entrants import DEFAULT, Entrant, ablations
    from dragonnx_export.evaluation.evaluate import evaluate as evaluated
    from dragonnx_export.evaluation.figures import require_matplotlib
    from dragonnx_export.evaluation.report import write_report

    entrants = [Entrant.parse(text) for text in entrant or DEFAULT]
    kinds = checked_kinds(kind or KINDS)
    if plot:
        require_matplotlib()
    generator = Generator.open(bundle, device, threads)
    if with_ablations:
        entrants += ablations(generator.manifest)
    network = PerceptualLoss.open(perceptual, device=generator.device) if perceptual else None
    found = evaluated(
        generator, judge, entrants, drags=drags, seed=seed, kinds=kinds, folder=output,
        perceptual=network, tell=say,
    )  # fmt: skip
    for line in write_report(found, generator, output, plotted=plot).splitlines():
        show(line)
    say(f"wrote {output}")
