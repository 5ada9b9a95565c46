"""`python -m dragonnx.cli` is the command `dragonnx`."""

from dragonnx.cli import main

main()
