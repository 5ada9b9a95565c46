"""The command `dragonnx-export`: facts without an export, a summary after one, clear refusals."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.checkpoint_files import FIXTURES, SMALL, generator_state, nvidia_pickle, random_weights
from support.hostile import ESCAPES, NAME, SHOWN_ESCAPES, assert_harmless
from support.program import dragonnx, dragonnx_export
from support.random_checkpoints import GREY, random_checkpoint

from dragonnx.errors import InputError
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.checkpoints.summary import facts
from dragonnx_export.cli import app

FIXTURE = FIXTURES / "rosinality-16px.pt"
ONE_SCREEN = 40


def test_inspect_prints_every_fact_and_exports_nothing(tmp_path: Path) -> None:
    done = dragonnx_export("--inspect", FIXTURE)
    assert done.returncode == 0
    assert done.stdout.splitlines() == list(facts(read_checkpoint(FIXTURE)))
    for fact in (
        "rosinality StyleGAN2 checkpoint",
        "16 x 16 px",
        "z of 48, 6 w's of 48",
        "4: 48, 8: 48, 16: 48",
        "noise on, no clamp, filter 1 3 3 1",
        "estimated from 10000 samples",
    ):
        assert fact in done.stdout
    dragonnx_export("--inspect", FIXTURE, "-o", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_of_several_networks_the_summary_says_which_was_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = str(FIXTURES / "field" / "g_running.pt")
    app(["--inspect", source], standalone_mode=False)
    taken = capsys.readouterr().out
    assert (
        "network      'g_running' of 'g' and 'g_running': it alone is marked as an average" in taken
    )
    app(["--inspect", source, "--network", "g"], standalone_mode=False)
    assert "network      'g' of 'g' and 'g_running': it was asked for" in capsys.readouterr().out
    for options in (("--mapping-lr", "0"), ("--conv-clamp", "nan"), ("--mapping-lr", "inf")):
        with pytest.raises(InputError, match=f"{options[0]} must be a number above 0"):
            app(["--inspect", source, *options], standalone_mode=False)


def test_inspect_needs_no_torch() -> None:
    watched = (
        "import json, sys\n"
        "from dragonnx_export.cli import app\n"
        f"app(['--inspect', {str(FIXTURE)!r}], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watched],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    loaded = json.loads(done.stderr.splitlines()[-1])
    assert not {"torch", "onnx", "onnxruntime"} & set(loaded)


def test_what_was_guessed_is_told_in_summary_manifest_and_info(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    done = dragonnx_export(FIXTURE, "-o", folder, "--note", "A fixture.")
    assert done.returncode == 0, done.stderr
    guesses = [
        line.removeprefix("note").strip()
        for line in done.stderr.splitlines()
        if line.startswith("note ")
    ]
    for guess, words in zip(guesses, ("so 0.01 was", "10000 samples", "psi 0.7 was"), strict=True):
        assert words in guess
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    rate, average, psi = guesses
    sentences = [psi, *(f"{guess[0].upper()}{guess[1:]}." for guess in (rate, average))]
    assert manifest["source"]["note"] == " ".join(["A fixture.", *sentences])
    assert manifest["source"]["note"] in dragonnx("info", folder).stdout


def test_the_summary_after_an_export_fits_one_screen(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    source = tmp_path / "tiny.pkl"
    source.write_bytes(nvidia_pickle(generator_state(SMALL, random_weights(SMALL))))
    done = dragonnx_export(source, "-o", folder, "--licence", "CC0-1.0")
    assert done.returncode == 0, done.stderr
    assert (folder / "manifest.json").is_file()
    assert len(done.stderr.splitlines()) <= ONE_SCREEN
    for part in (
        "NVIDIA StyleGAN2 pickle",
        "8 x 8 px",
        "grad_w_plus",
        " MB",
        "CC0-1.0",
        f"dragonnx generate --model {folder}",
        f"dragonnx models add {folder}",
    ):
        assert part in done.stderr
    assert "give it with --licence" not in done.stderr


@pytest.mark.parametrize(("name", "known_as"), [("mein modell", "mein-modell"), ("猫", "my-model")])
def test_the_command_that_keeps_a_bundle_works_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, known_as: str
) -> None:
    monkeypatch.setenv("DRAGONNX_MODELS", str(tmp_path / "models"))
    source = tmp_path / "tiny.pkl"
    source.write_bytes(nvidia_pickle(generator_state(SMALL, random_weights(SMALL))))
    done = dragonnx_export(source, "-o", tmp_path / name)
    command = done.stderr.partition("keep it")[2].splitlines()[0]
    assert command.split()[0] == "dragonnx"
    added = dragonnx(*shlex.split(command)[1:])
    assert added.returncode == 0, added.stderr
    assert f"{known_as}: 8 x 8 px" in dragonnx("models").stdout


def test_without_a_folder_nothing_is_read() -> None:
    done = dragonnx_export(FIXTURE)
    assert done.returncode == 2
    assert "-o" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_word_bundle_may_be_left_out() -> None:
    assert (
        dragonnx_export("bundle", "--inspect", FIXTURE).stdout
        == dragonnx_export("--inspect", FIXTURE).stdout
    )
    listed = dragonnx_export("--help").stdout.partition("Commands:")[2]
    assert "bundle" in listed
    assert "..." not in listed, "every sentence is whole"
    done = dragonnx_export("my", "network.pkl", "-o", "model")
    assert done.returncode == 2
    assert "'network.pkl' is for: options begin with --, and a name with spaces" in done.stderr
    for arguments in ((), ("no-command",), ("--no-option",)):
        done = dragonnx_export(*arguments)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such names on Windows")
def test_names_of_files_and_in_files_are_shown_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FIXTURE, tmp_path / f"{NAME}.pt")
    (tmp_path / f"{NAME}.npz").write_bytes(b"nothing")
    weights = {name: torch.zeros(1) for name in ("mapping.fc0.weight", f"{ESCAPES}.weight")}
    torch.save(weights, tmp_path / "unknown.pt")
    torch.save(weights | {ESCAPES: {ESCAPES: torch.zeros(1)}}, tmp_path / "nested.pt")
    folder = tmp_path / NAME
    write_bundle(random_checkpoint(GREY), folder, ExportOptions(name="x", note=ESCAPES))
    commands = (
        ("--inspect", f"{NAME}.pt"),
        ("--inspect", f"{NAME}.npz"),
        ("--inspect", "unknown.pt"),
        ("--inspect", "nested.pt"),
        (f"{NAME}.pt", "-o", NAME),
        (f"{NAME}.pt", "-o", "b", "--drag-setting", NAME),
        ("perceptual", f"{NAME}.npz", "-o", "b"),
        ("invert", f"{NAME}.npz", f"{NAME}.pt", "-o", "b"),
    )
    monkeypatch.chdir(tmp_path)
    done = [dragonnx_export(*each) for each in commands]
    assert [each.returncode for each in done] == [0, *[2] * 7], done
    for each in done:
        for text in (each.stdout, each.stderr):
            assert_harmless(text)
            assert "\x1b" not in text
    assert sum(each.stderr.count(SHOWN_ESCAPES) for each in done) >= 8


@pytest.mark.parametrize("module", ["dragonnx_export", "dragonnx_export.cli"])
def test_the_package_runs_as_the_command(module: str) -> None:
    command = [sys.executable, "-m", module, "--inspect", str(FIXTURE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "StyleGAN2" in done.stdout


@pytest.mark.parametrize("option", [["--drag-setting", "r1"], ["--tracking", "nowhere.npy"]])
def test_what_needs_no_checkpoint_is_refused_before_one_is_read(option: list[str]) -> None:
    done = dragonnx_export("no-such-checkpoint.pt", "-o", "nowhere", *option)
    assert done.returncode == 2
    assert "no-such-checkpoint" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
