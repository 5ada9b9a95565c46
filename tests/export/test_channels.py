"""Images of more channels than a picture shows: refused in a sentence, or shown in part."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from support.checkpoint_files import FIXTURES, nvidia_pickle
from support.random_checkpoints import CLAMPED, GREY, ORIG, random_checkpoint
from support.random_stylegan3 import random_stylegan3, stylegan3, stylegan3_state

from dragonnx.errors import InputError
from dragonnx.model.generator import Generator as BundledGenerator
from dragonnx_export import bundle_writer
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import write_native
from dragonnx_export.cli import app
from dragonnx_export.families.channels import with_channels
from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.families.stylegan3.network import Generator as StyleGAN3

SIX = FIXTURES / "field" / "six_channels.pt"
MANY = dataclasses.replace(CLAMPED, image_channels=6)


@pytest.mark.parametrize("channels", [(0, 1, 2), (5, 0, 3), (4,), (1, 1, 1)])
@pytest.mark.parametrize("variant", [MANY, dataclasses.replace(ORIG, image_channels=6)])
def test_the_channels_chosen_are_those_of_the_whole_image(
    variant: object, channels: tuple[int, ...]
) -> None:
    """Channels never mix, the clamp included; only the order of sums may differ."""
    checkpoint = random_checkpoint(variant)  # type: ignore[arg-type]
    chosen = with_channels(checkpoint, channels)
    assert chosen.architecture.image_channels == len(channels)
    assert any(f"those numbered {', '.join(map(str, channels))}" in n for n in chosen.notes)
    w_plus = torch.randn(1, checkpoint.architecture.num_ws, checkpoint.architecture.w_dim)
    whole = Generator.from_checkpoint(checkpoint).synthesis(w_plus)
    part = Generator.from_checkpoint(chosen).synthesis(w_plus)
    np.testing.assert_allclose(part, whole[:, list(channels)], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("channels", [(0, 1, 2), (5, 0, 3), (4,)])
def test_so_it_is_with_stylegan3(channels: tuple[int, ...]) -> None:
    checkpoint = random_stylegan3(stylegan3(colours=6))
    chosen = with_channels(checkpoint, channels)
    assert chosen.architecture.image_channels == len(channels)
    w_plus = torch.randn(1, checkpoint.architecture.num_ws, checkpoint.architecture.w_dim)
    whole = StyleGAN3.from_checkpoint(checkpoint).image(w_plus)
    part = StyleGAN3.from_checkpoint(chosen).image(w_plus)
    np.testing.assert_allclose(part, whole[:, list(channels)], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ((), "1 or 3 channels, not 0"),
        ((0, 1), "1 or 3 channels, not 2"),
        ((0, 1, 6), "no channel 6: it has 6"),
        ((0, -1, 2), "no channel -1"),
        ((0, 1, 2, 3), "not 4"),
    ],
)
def test_channels_that_are_not_there_are_refused(channels: tuple[int, ...], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        with_channels(random_checkpoint(MANY), channels)


@pytest.mark.parametrize("count", [2, 4, 6])
def test_an_export_asks_which_channels(tmp_path: Path, count: int) -> None:
    checkpoint = random_checkpoint(dataclasses.replace(GREY, image_channels=count))
    with pytest.raises(InputError, match=f"has {count} channels.*choose some with --channels"):
        write_bundle(checkpoint, tmp_path / "bundle", ExportOptions(name="many"))
    assert not (tmp_path / "bundle").exists()


def test_a_command_shows_three_of_six(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [str(SIX), "-o", str(tmp_path / "bundle"), "--mapping-lr", "1"]
    monkeypatch.setattr(bundle_writer, "write_bundle", None)  # it is not even asked
    with pytest.raises(InputError, match="--channels 0,1,2"):
        app(arguments, standalone_mode=False)
    monkeypatch.undo()
    app([*arguments, "--channels", "0,1,2"], standalone_mode=False)
    generator = BundledGenerator.open(tmp_path / "bundle")
    assert "numbered 0, 1, 2" in generator.manifest.source.note
    picture = generator.image(generator.w_plus(seed=1))
    assert (picture.mode, picture.size) == ("RGB", (32, 32))


@pytest.mark.parametrize("text", ["", "a", "0,,1", "0;1;2", "-1,0,1", "1e9", "9" * 5000])
def test_channels_are_numbers(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="channel"):
        app([str(SIX), "--inspect", f"--channels={text}"], standalone_mode=False)


def test_a_command_shows_three_of_six_of_stylegan3(tmp_path: Path) -> None:
    source = tmp_path / "six.pkl"
    source.write_bytes(nvidia_pickle(stylegan3_state(random_stylegan3(stylegan3(colours=6)))))
    with pytest.raises(InputError, match=r"has 6 channels.*--channels 0,1,2"):
        app([str(source), "-o", str(tmp_path / "bundle")], standalone_mode=False)
    app([str(source), "-o", str(tmp_path / "bundle"), "--channels", "3,4,5"], standalone_mode=False)
    generator = BundledGenerator.open(tmp_path / "bundle")
    assert "numbered 3, 4, 5" in generator.manifest.source.note
    assert generator.image(generator.w_plus(seed=1)).mode == "RGB"


def test_of_four_channels_a_command_shows_the_colours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = random_checkpoint(dataclasses.replace(GREY, image_channels=4))
    source = tmp_path / "rgba.npz"
    write_native(source, checkpoint.architecture, checkpoint.weights)
    app([str(source), "--inspect"], standalone_mode=False)
    facts = capsys.readouterr().out
    assert "8 x 8 px, 3 colours" in facts
    assert "of the 4 channels of its image those numbered 0, 1, 2 are shown" in facts
