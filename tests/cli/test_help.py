"""`dragonnx help`: topics are found, are short, and name what there is."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.testing import CliRunner

from dragonnx.cli.help import text_of, topics
from dragonnx.cli.program import app
from dragonnx.errors import InputError


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_all_topics_and_commands_are_listed() -> None:
    listed = shown("help")
    assert {"points", "latents", "models", "devices", "batch"} <= {*topics()}
    for topic in topics():
        assert re.search(rf"^  {topic} +{re.escape(text_of(topic).splitlines()[0])}$", listed, re.M)
    assert shown("--help").rstrip() in listed


def test_a_topic_fits_a_screen() -> None:
    for topic in topics():
        lines = shown("help", topic).splitlines()
        assert lines[0] == text_of(topic).splitlines()[0]
        assert len(lines) <= 24, topic
        assert max(map(len, lines)) <= 100, topic


def test_a_command_is_explained_as_it_explains_itself() -> None:
    assert shown("help", "generate") == shown("generate", "--help")
    assert "`dragonnx batch --help`" in CliRunner().invoke(
        app, ["help", "batch"], prog_name="dragonnx"
    ).stdout  # fmt: skip


@pytest.mark.parametrize("topic", topics())
def test_what_a_topic_names_is_there(topic: str) -> None:
    text = text_of(topic)
    everything = "".join(
        shown(name, "--help")
        for name in ("drag", "generate", "invert", "batch", "edit", "info", "models")
    )
    assert {*re.findall(r"--[a-z][a-z-]+", text)} <= {
        *re.findall(r"--[a-z][a-z-]+", everything + shown("doctor", "--help"))
    }
    for command in re.findall(r"^    dragonnx (.+)$", text, re.M):
        name, *arguments = shlex.split(command)
        options = {part for part in arguments if part.startswith("-")}
        assert options <= {*re.findall(r"(?<!\S)-{1,2}[a-z-]+", shown(name, "--help"))}, command


def test_an_unknown_topic_is_told_what_there_is() -> None:
    with pytest.raises(InputError, match=r"no topic 'tpyo': batch, devices, .* edit, generate"):
        CliRunner().invoke(app, ["help", "tpyo"], catch_exceptions=False)
