"""The command `dragonnx doctor`: what is there, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated

import typer

from dragonnx.cli.console import show
from dragonnx.cli.options import Device, PrecisionOption, open_generator
from dragonnx.types import Precision


def doctor(
    model: Annotated[
        str | None, typer.Option(help="Also show where its graphs run, and how exactly.")
    ] = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    *,
    report: Annotated[
        bool,
        typer.Option("--report", help="All that an issue needs to know, without names of yours."),
    ] = False,
) -> None:
    """Show versions and devices, and what is missing.

    On a GPU a model's graphs are compared with the CPU, in every precision that the GPU has or in
    the one that is named.
    """
    if report:
        from dragonnx.cli.report import Anonymous
        from dragonnx.cli.report import report as facts

        hide = Anonymous.of_this_machine().hide
        found: Iterator[str] = map(hide, chain(facts(), _of_model(model, device, precision)))
    else:
        from dragonnx.cli.diagnosis import diagnose

        found = chain(diagnose(), _of_model(model, device, precision))
    for line in found:
        show(line)


def _of_model(model: str | None, device: str, precision: Precision) -> Iterator[str]:
    """One line for each of a model's graphs, and how exact they are on a GPU."""
    from dragonnx.cli.comparison import comparison_table
    from dragonnx.cli.diagnosis import diagnose_model

    if not model:
        return
    generator = open_generator(model, device, None, precision)
    yield from diagnose_model(generator)
    chosen = generator.device
    if chosen.kind == "cpu":
        return
    named = chosen.precisions if precision == "auto" else (chosen.precision,)
    others = {each: open_generator(model, chosen.name, None, each) for each in named}
    yield from comparison_table(open_generator(model, "cpu", None, "float32"), others)
