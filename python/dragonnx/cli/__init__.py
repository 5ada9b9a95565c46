"""The command line, one file a command."""


def main() -> None:
    """Run the command `dragonnx`."""
    import sys

    try:
        from dragonnx.cli import program

        program.main()
    except KeyboardInterrupt:  # before the program was there
        sys.exit(130)
