"""A file in place of a command is opened in the editor."""

from __future__ import annotations

import pytest
import typer

from dragonnx.cli.program import app


def resolved(*words: str) -> tuple[str, list[str]]:
    command = typer.main.get_command(app)
    name, _, rest = command.resolve_command(typer.Context(command), list(words))
    return name, rest


def test_a_file_is_opened_in_the_editor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").touch()
    assert resolved("a.png", "--device", "cpu") == ("edit", ["a.png", "--device", "cpu"])
    (tmp_path / "drag").touch()
    assert resolved("drag", "-o", "a.png") == ("drag", ["-o", "a.png"]), "a command goes first"


@pytest.mark.parametrize("word", ["nothing.png", "x" * 5000, "."])
def test_what_is_neither_is_refused(word):
    with pytest.raises(Exception, match="No such command"):
        resolved(word)
