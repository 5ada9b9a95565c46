"""The commands of the pages that speak of the exporter run from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.checkpoint_files import generator_state, nvidia_pickle, random_weights
from support.pages import DOCS, README, run_lines, shell_lines
from support.perceptual_weights import head_state, saved, vgg_state
from typer.testing import CliRunner

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


SHOWN = [line for page in (README, *DOCS.glob("*.md")) for line in shell_lines(page)]


@pytest.mark.parametrize(
    "line", [line for line in dict.fromkeys(SHOWN) if line.startswith("dragonnx-export ")], ids=str
)
def test_every_command_is_one_that_there_is(line: str) -> None:
    words = line.split("#", maxsplit=1)[0].split()[1:]
    shown = CliRunner().invoke(app, [*words, "--help"])
    assert shown.exit_code == 0, shown.output
