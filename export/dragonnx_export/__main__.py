"""`python -m dragonnx_export` is the command `dragonnx-export`."""

from dragonnx_export.cli import main

main()
