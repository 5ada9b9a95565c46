"""A file in place of a command is opened in the editor."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from dragonnx.cli.program import app
from dragonnx.errors import InputError

OUT = ("-o", "out.png")


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


def left(*words: str) -> list[str]:
    """What is left for a command."""
    command = typer.main.get_command(app)
    with typer.Context(command) as context:
        command.parse_args(context, list(words))
        return [*context._protected_args, *context.args]


@pytest.mark.parametrize(
    "words", [("--seed", "40"), ("--model=my-model", "a.png"), ("--device", "cpu", "--seed", "1")]
)
def test_the_editors_options_need_no_command(words):
    assert left(*words) == ["edit", *words]


def test_other_options_before_a_command_are_refused():
    for words in (("--seed", "40", "generate"), ("--point", "1,2:3,4")):
        with pytest.raises(Exception, match="No such option"):
            left(*words)
    assert left("generate", "--seed", "40")[0] == "generate"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("nothing", "No such command"),
        ("x" * 5000, "No such command"),
        ("--nothing.png", "No such"),
        ("nothing.png", "there is no file 'nothing.png'"),
        ("~/pictures/nothing", "there is no file"),
        (f"{'x' * 5000}.png", "there is no file"),
        (".", "'.' is a folder"),
    ],
)
def test_what_is_neither_is_refused(word, told):
    with pytest.raises(Exception, match=told) as refused:
        resolved(word)
    assert len(str(refused.value)) < 5200


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("drag", *OUT, "--point", "113", "151", "153", "151"), "a point is one word"),
        (("drag", *OUT, "--point", "1,2:3,4", "(5,6):(7,8)"), "each has a --point of its own"),
        (("drag", *OUT, "--point", "1,2:3,4", "photo.png"), "--latent starts from a picture"),
        (("generate", *OUT, "here"), "a name with spaces needs quotes"),
        (
            ("edit", "my", "photo.jpg"),
            "'photo.jpg' is for: options begin with --, and a name with spaces",
        ),
        (("models", "add", "my", "model"), "a name with spaces needs quotes"),
        (("info", "x" * 5000, "y" * 5000), "yyy'... is for"),
    ],
)
def test_a_word_too_many_is_told_what_it_may_have_been_meant_for(words, told):
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)
    assert len(str(done.exception)) < 400


def test_the_lists_of_commands_cut_no_sentence():
    for words in ((), ("models",)):
        listed = CliRunner().invoke(app, [*words, "--help"]).stdout.partition("Commands:")[2]
        assert listed
        assert "..." not in listed


def test_the_editor_is_not_opened_for_a_file_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dragonnx.cli.edit.has_terminal", lambda: True)
    for words, told in (
        (["nothing.jpg"], "'nothing.jpg' is not there"),
        (["."], "'.' is a folder"),
    ):
        done = CliRunner().invoke(app, ["edit", *words])
        assert isinstance(done.exception, InputError)
        assert told in str(done.exception)
