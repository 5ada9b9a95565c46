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
from dragonnx.cli.stray_words import Command, is_like_a_file, quoted
from dragonnx.errors import InputError


class Program(TyperGroup):
    """The command, which is `edit` where a file or the editor's options come in place of a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is left of the arguments after the program's own."""
        if args and args[0].startswith("-") and not self.commands.keys() & set(args):
            named = args[0].partition("=")[0]
            if named in _options(self.commands["edit"]) - _options(self):
                args = ["edit", *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant, and its arguments.

        Raises:
            InputError: A file or folder is meant, and no file is there.
        """
        if args and args[0] not in self.commands:
            first = args[0]
            if os.path.isfile(first):  # noqa: PTH113 it answers for any text
                args = ["edit", *args]
            elif os.path.isdir(first):  # noqa: PTH112 likewise
                raise InputError(
                    f"{quoted(first)} is a folder: name a file to open, or a model's folder with --model"
                )
            elif is_like_a_file(first) and not first.startswith("-"):
                raise InputError(f"there is no file {quoted(first)}, nor a command of that name")
        return super().resolve_command(ctx, args)


def _options(command: Any) -> set[str]:
    return {option for each in command.params for option in each.opts}


app = typer.Typer(
    cls=Program,
    help="DragGAN without PyTorch: drag points on a StyleGAN2 image and the image follows.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
for command in (
    edit.edit, generate.generate, drag.drag, walk.walk, invert.invert, batch.batch, info.info, doctor.doctor,
):  # fmt: skip
    app.command(cls=Command)(command)
app.command("help", cls=Command)(help.help_on)


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
