"""The command `dragonnx`: one file a command, put together here."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dragonnx.cli import (
    batch,
    doctor,
    drag,
    edit,
    generate,
    help,  # noqa: A004 our command
    info,
    invert,
    models,
    walk,
)
from dragonnx.cli.console import has_terminal, run, show


class Program(TyperGroup):
    """The command, which also opens a file that is named in place of one of its own commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant, and its arguments."""
        if args and args[0] not in self.commands and os.path.isfile(args[0]):  # noqa: PTH113 it answers for any text
            args = ["edit", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Program,
    help="DragGAN without PyTorch: drag points on a StyleGAN2 image and the image follows.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
for command in (
    invert.invert, edit.edit, generate.generate, walk.walk, drag.drag, batch.batch, info.info, doctor.doctor,
):  # fmt: skip
    app.command()(command)
app.command("help")(help.help_on)


@app.callback(invoke_without_command=True)
def dragonnx(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Show the version, or open the editor when no command is given."""
    from dragonnx import __version__

    if version:
        show(f"dragonnx {__version__}")
    elif context.invoked_subcommand is None:
        if has_terminal():
            edit.edit()
        for line in context.get_help().splitlines():
            show(line)


def main() -> None:
    """Run the command."""
    run(app, "dragonnx")
