"""`python -m dragonnx_export.critters`."""

from dragonnx.cli.console import run
from dragonnx_export.critters.commands import app

run(app, "dragonnx_export.critters")
