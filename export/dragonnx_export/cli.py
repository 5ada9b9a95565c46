"""The command `dragonnx-export`: which of its commands the user asked for."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from dragonnx.cli.console import run
from dragonnx.cli.stray_words import Command
from dragonnx_export.commands import bundle, evaluate, invert, perceptual, tune

DEFAULT_COMMAND = "bundle"


class _BundleByDefault(TyperGroup):
    """Takes what begins with no word of its own for a checkpoint to make a bundle of."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {*self.commands, *(word for option in self.get_params(ctx) for word in option.opts)}
        # A shell that completes the first word asks with none: it may become a command.
        if args[0] not in own if args else not ctx.resilient_parsing:
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_BundleByDefault,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command(DEFAULT_COMMAND, cls=Command)(bundle.bundle)
app.command("evaluate", cls=Command)(evaluate.evaluate)
app.command("invert", cls=Command)(invert.invert)
app.command(cls=Command)(perceptual.perceptual)
app.command(cls=Command)(tune.tune)


@app.callback()
def dragonnx_export() -> None:
    """Make what dragonnx runs, and prove it equal to torch.

    `dragonnx-export CHECKPOINT -o FOLDER` makes a model bundle; the word `bundle` may be left out.
    """


def main() -> None:
    """Run the command."""
    run(app, "dragonnx-export")


if __name__ == "__main__":
    main()
