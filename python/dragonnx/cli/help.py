"""The command `dragonnx help`: what is the same for several commands, by topic."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import typer

from dragonnx.cli.console import show
from dragonnx.errors import InputError

_ENDING = ".txt"


def help_on(
    context: typer.Context,
    topic: Annotated[str | None, typer.Argument(help="A topic, or a command.")] = None,
) -> None:
    """Explain a topic such as points or latents, or a command."""
    program = context.parent
    if program is None:
        raise RuntimeError("help is a command of a program")
    commands = getattr(program.command, "commands", {})
    if topic is None:
        for line in (program.get_help(), "", "Topics, as in `dragonnx help points`:", *_listed()):
            _show(line)
    elif topic in topics():
        _show(text_of(topic))
        if topic in commands:
            _show(f"\n`{program.info_name} {topic} --help` lists the options.")
    elif topic in commands:
        command = commands[topic]
        with command.make_context(topic, [], program, resilient_parsing=True) as own:
            _show(command.get_help(own))
    else:
        raise InputError(
            f"there is no topic {topic!r}: {', '.join(topics())}, or one of the commands "
            f"{', '.join(commands)}"
        )


def topics() -> list[str]:
    """The names of all topics."""
    folder = resources.files("dragonnx.cli") / "topics"
    names = (file.name for file in folder.iterdir())
    return sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))


def text_of(topic: str) -> str:
    """A topic's text; its first line says what it is about."""
    file = resources.files("dragonnx.cli") / "topics" / f"{topic}{_ENDING}"
    return file.read_text("utf-8").rstrip()


def _listed() -> list[str]:
    width = max(map(len, topics()))
    return [f"  {each:{width}}  {text_of(each).splitlines()[0]}" for each in topics()]


def _show(text: str) -> None:
    for line in text.splitlines() or [""]:
        show(line)
