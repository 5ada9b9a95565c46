"""The pictures of an evaluation: distance against steps, and the drags that ended best and worst."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from dragonnx import DragSession, Generator
from dragonnx.errors import InputError
from dragonnx.media import in_grid, side_by_side, with_points
from dragonnx_export.evaluation.cases import Case
from dragonnx_export.evaluation.drags import LOOKS, config_of
from dragonnx_export.evaluation.entrants import Entrant
from dragonnx_export.evaluation.evaluate import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 3
_BAR = 18
"""Height of the line above each pair of pictures, in pixels."""


def require_matplotlib() -> None:
    """Refuse where the library that draws the plot is missing.

    Raises:
        InputError: It is.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(
            "the plot needs matplotlib: install it with `pip install dragonnx-export[evaluate]`, or "
            "ask for --no-plot"
        ) from error


def plot(evaluation: Evaluation, path: Path) -> None:
    """Mean distance of landmarks from their targets against steps, of the first kind of cases."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    kind = next(iter(evaluation.cases))
    axes: Axes
    figure, axes = pyplot.subplots(figsize=(6, 3.6))
    steps = (0, *LOOKS, max(300, LOOKS[-1] + 1))
    for entrant in evaluation.entrants:
        scores = evaluation.of(entrant.name, kind)
        off = [np.mean([score.off_at(step) for score in scores]) for step in steps]
        axes.plot(steps, off, "o-", label=entrant.name)
    axes.set(
        xscale="symlog",
        xlabel="drag steps",
        ylabel="mean distance from the target [px]",
        ylim=(0, None),
    )
    axes.set_xticks(steps, [str(step) for step in steps])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def sheet(
    evaluation: Evaluation, generator: Generator, entrant: Entrant, count: int = 6
) -> Image.Image:
    """The drags of one point that ended nearest to their targets, and below them the farthest.

    Each before, with handle and target, and after, with the target.
    """
    kind = next(iter(evaluation.cases))
    scores = sorted(evaluation.of(entrant.name, kind), key=lambda score: score.end.off)
    count = min(count, len(scores))
    chosen = [*scores[:count], *scores[-count:]]
    tiles = [
        _tile(
            generator, entrant, evaluation.cases[kind][score.number],
            f"seed {score.seed}: {score.end.off:.1f} px off, {score.steps} steps, {score.outcome}",
        )
        for score in chosen
    ]  # fmt: skip
    return in_grid(tiles, tiles[0].size, _COLUMNS, -(-len(tiles) // _COLUMNS))


def _tile(generator: Generator, entrant: Entrant, case: Case, text: str) -> Image.Image:
    w_plus = generator.w_plus(case.seed)
    session = DragSession(
        generator, w_plus, case.handles, case.targets, case.mask, config_of(entrant, case)
    )
    for _ in session:
        pass
    pair = side_by_side(
        [
            with_points(generator.image(w_plus), case.handles, case.targets),
            with_points(generator.image(session.w_plus), case.targets, case.targets),
        ]
    )
    pair = pair.resize((pair.width // 2, pair.height // 2), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (pair.width, pair.height + _BAR), "white")
    tile.paste(pair, (0, _BAR))
    ImageDraw.Draw(tile).text((0, 3), text, "black")
    return tile
