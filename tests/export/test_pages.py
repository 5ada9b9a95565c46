"""The commands of the pages that belong to the exporter and the critters are taken; the exporter's run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer.main
from PIL import Image
from support.checkpoint_files import generator_state, nvidia_pickle, random_weights
from support.pages import DOCS, PAGES, README, run_lines, shell_lines
from support.perceptual_weights import head_state, saved, vgg_state
from typer.core import TyperGroup

from dragonnx_critters.commands import app as critters_app
from dragonnx_export.cli import app
from dragonnx_export.families.stylegan2.architecture import Architecture

NARROW = Architecture(
    z_dim=16, w_dim=16, resolution=512, mapping_layers=2, channels={4 << k: 8 for k in range(8)}
)
"""As large as the points of the pages ask for, and quickly exported."""

RUN = r"dragonnx-export (?!invert)|dragonnx (drag --model|models|invert .*--perceptual)"
"""What of these pages needs the exporter; tests/test_pages.py runs the rest."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [README, DOCS / "export.md", DOCS / "perceptual.md"], ids=lambda page: page.name
)
def test_the_commands_run_from_top_to_bottom(tmp_path: Path, page: Path) -> None:
    state = generator_state(NARROW, random_weights(NARROW))
    (tmp_path / "network.pkl").write_bytes(nvidia_pickle(state))
    saved(tmp_path / "vgg16.pth", vgg_state())
    saved(tmp_path / "vgg.pth", head_state())
    Image.fromarray(np.zeros((256, 256, 3), np.uint8)).save(tmp_path / "photo.jpg")
    lines = [line for line in shell_lines(page) if re.match(RUN, line)]
    assert lines
    run_lines(lines, tmp_path)


PROGRAMS = {"dragonnx-export": app, "python -m dragonnx_critters": critters_app}
_CALLS = "|".join(PROGRAMS)


def commands(kind: str) -> list[str]:
    """Each command of these programs on any page: in its shell blocks, or in its sentences."""
    found: list[str] = []
    for page in PAGES:
        if kind == "block":
            lines = shell_lines(page)
        else:
            prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
            lines = [" ".join(line.split()) for line in re.findall(r"`([^`]+)`", prose)]
        found += [line for line in lines if re.match(rf"({_CALLS}) ", line)]
    return sorted(set(found))


def parse(line: str, *further: str) -> None:
    """Have the program take a command's words, and do nothing; what it would refuse raises."""
    name = next(name for name in PROGRAMS if line.startswith(f"{name} "))
    group = typer.main.get_command(PROGRAMS[name])
    assert isinstance(group, TyperGroup)
    for command in group.commands.values():
        command.callback = lambda **_: None
    words = shlex.split(line.removeprefix(name), comments=True)
    assert not group.main([*words, *further], standalone_mode=False)


@pytest.mark.parametrize("line", commands("block"), ids=str)
def test_every_command_of_a_block_is_taken(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("line", commands("sentence"), ids=str)
def test_every_command_in_a_sentence_is_one_that_there_is(line: str) -> None:
    """Which may leave out what must be given."""
    parse(line, "--help")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dragonnx-export tune MODEL --landmark FILE", "No such option"),
        ("python -m dragonnx_critters sheet out.png --seed one", "not a valid int"),
        ("python -m dragonnx_critters judges", "No such command"),
        ("python -m dragonnx_critters judge small.npz", "Missing parameter: data"),
    ],
)
def test_other_commands_are_refused(line: str, message: str) -> None:
    with pytest.raises(typer.TyperException, match=message):
        parse(line)
