"""What an evaluation leaves in its folder: table.md, results.json, plot.png and a sheet.jpg."""

from __future__ import annotations

from pathlib import Path

from dragonnx.files import save_bytes
from dragonnx.media import save_image, save_json
from dragonnx.model.generator import Generator
from dragonnx_export.evaluation.evaluate import Evaluation
from dragonnx_export.evaluation.figures import plot, sheet
from dragonnx_export.evaluation.summary import results, rows, table

TABLE, RESULTS, PLOT, SHEET = "table.md", "results.json", "plot.png", "sheet.jpg"


def write_report(
    evaluation: Evaluation, generator: Generator, folder: Path, *, plotted: bool
) -> str:
    """Write all of it; the table is given back.

    The sheet is of the last entrant.

    Args:
        evaluation: What was measured.
        generator: The model.
        folder: Where to.
        plotted: Whether to draw the plot, which needs matplotlib.
    """
    text = table(list(rows(evaluation)), evaluation.facts, evaluation.refused)
    save_bytes(text.encode(), folder / TABLE)
    save_json(results(evaluation), folder / RESULTS)
    if plotted:
        plot(evaluation, folder / PLOT)
    save_image(sheet(evaluation, generator, evaluation.entrants[-1]), folder / SHEET, None)
    return text
