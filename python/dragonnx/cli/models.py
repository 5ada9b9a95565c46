"""The commands `dragonnx models ...`: which models have a name, and giving one to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.console import say, show
from dragonnx.cli.stray_words import Command
from dragonnx.model.library import add_bundle, known_models, remove_bundle, user_models_folder

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the models that are known by name, add one, or remove one."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list", cls=Command)
def list_models() -> None:
    """List the models that are known by name; `models` alone does so too."""
    for line in known_models():
        show(line)
    say(f"your own bundles go to {user_models_folder()}")


@app.command(cls=Command)
def add(
    folder: Annotated[Path, typer.Argument(help="A bundle folder, as dragonnx-export makes it.")],
    name: Annotated[str | None, typer.Option(help="What to call it [the bundle's name].")] = None,
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model of that name.")
    ] = False,
) -> None:
    """Verify a bundle and copy it to where its name finds it."""
    added = add_bundle(folder, name, overwrite=overwrite)
    say(
        f"added {added.name}, in {added}; try it: dragonnx generate --model {added.name} -o out.png"
    )


@app.command(cls=Command)
def remove(name: Annotated[str, typer.Argument(help="One of your own models.")]) -> None:
    """Delete one of your own models."""
    say(f"removed {remove_bundle(name)}")
