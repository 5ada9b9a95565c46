"""The command `dragonnx doctor`: what is there, and what is missing."""

from __future__ import annotations

from typing import Annotated

import typer

from dragonnx.cli.console import show
from dragonnx.cli.options import Device, PrecisionOption, open_generator


def doctor(
    model: Annotated[
        str | None, typer.Option(help="Also show where its graphs run, and how exactly.")
    ] = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
) -> None:
    """Show versions and devices, and what is missing.

    On a GPU a model's graphs are compared with the CPU, in every precision that the GPU has or in
    the one that is named.
    """
    from dragonnx.cli.comparison import comparison_table
    from dragonnx.cli.diagnosis import diagnose, diagnose_model

    for line in diagnose():
        show(line)
    if not model:
        return
    generator = open_generator(model, device, None, precision)
    for line in diagnose_model(generator):
        show(line)
    chosen = generator.device
    if chosen.kind == "cpu":
        return
    named = chosen.precisions if precision == "auto" else (chosen.precision,)
    others = {each: open_generator(model, chosen.name, None, each) for each in named}
    for line in comparison_table(open_generator(model, "cpu", None, "float32"), others):
        show(line)
