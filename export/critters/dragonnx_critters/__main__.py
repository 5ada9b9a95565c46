"""`python -m dragonnx_critters`."""

from dragonnx.cli.console import run
from dragonnx_critters.commands import app

run(app, "dragonnx_critters")
