"""The command line, one file a command."""


def main() -> None:
    """Run the command `dragonnx`."""
    from dragonnx.cli import program

    program.main()
