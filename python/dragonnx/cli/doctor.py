"""The command `dragonnx doctor`: what is there, and what is missing."""

from __future__ import annotations

from typing import Annotated

import typer

from dragonnx.cli.console import show
from dragonnx.cli.options import Device, open_generator


def doctor(
    model: Annotated[str | None, typer.Option(help="Also show where its graphs run.")] = None,
    device: Device = "auto",
) -> None:
    """Show versions and devices, and what is missing."""
    from dragonnx.cli.diagnosis import diagnose, diagnose_model

    for line in diagnose():
        show(line)
    if model:
        for line in diagnose_model(open_generator(model, device, None)):
            show(line)
