"""No name, licence, path or file of a stranger's commands the terminal; each is shown as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.bundled import SEED, point_option
from support.hostile import NAME, SHOWN_ESCAPES, SHOWN_NAME, assert_harmless, hostile_bundle
from support.program import HANGS, ends, in_turn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such names on Windows")


def run(code: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, timeout=HANGS, check=False,
        env=os.environ | {"DRAGONNX_MODELS": str(folder / "models"), "PYTHONUTF8": "1"} | env,
    )  # fmt: skip
    told = [written.decode("utf-8") for written in (done.stdout, done.stderr)]
    for text in told:
        assert "Traceback" not in text, text
        assert_harmless(text)
        # A program that writes into a pipe has no escapes of its own.
        assert "\x1b" not in text
        assert "\x07" not in text
    return subprocess.CompletedProcess(done.args, done.returncode, *told)


def test_every_command_shows_names_as_they_are(tmp_path: Path) -> None:
    bundle = hostile_bundle(tmp_path / "models")
    picture, latent = f"{NAME}.png", f"{NAME}.npz"
    commands: list[tuple[str | Path, ...]] = [
        ("info", bundle),
        ("models", "list"),
        ("doctor",),
        ("generate", "--seed", SEED, "--model", bundle, "-o", picture, "--latent-out", latent),
        ("drag", "--latent", latent, "--point", point_option(), "--max-steps", 1, "--model", bundle,
         "-o", picture),
        ("invert", picture, "--steps", 1, "-o", latent),
    ]  # fmt: skip
    done = run(in_turn(commands), tmp_path)
    assert ends(done.stdout) == [0] * len(commands), done.stderr
    assert done.stdout.count(SHOWN_NAME) >= 3, "in info, models and doctor"
    assert done.stderr.count(SHOWN_NAME) >= 3, "of what was written"
    weights = next(line for line in done.stdout.splitlines() if line.startswith("weights:"))
    assert weights.count(SHOWN_ESCAPES) == 3, "format, licence and note"
    assert rf"{SHOWN_ESCAPES}[red]x[/red][@click=app.quit]y[/]\nsecond line" in weights


def test_every_refusal_shows_names_as_they_are(tmp_path: Path) -> None:
    bundle = hostile_bundle(tmp_path)
    (tmp_path / f"{NAME}.npz").write_text("nothing")
    (tmp_path / f"{NAME}.png").write_text("nothing")
    broken = tmp_path / "models" / NAME
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text(f'{{"{NAME}": 1}}'.replace("\x1b", r"\u001b"), "utf-8")
    commands: list[tuple[str | Path, ...]] = [
        ("info", f"./{NAME}.npz"),
        ("info", broken),
        ("info", f"no-{NAME}"),
        ("models", "add", bundle),
        ("models", "add", bundle, "--name", NAME),
        ("models", "remove", f"no-{NAME}"),
        ("generate", "--latent", f"{NAME}.npz", "-o", "a.png"),
        ("generate", "-o", NAME),
        ("generate", "-o", f"no-{NAME}/a.png"),
        ("generate", "--device", NAME, "-o", "a.png"),
        ("generate", f"--{NAME}"),
        ("drag", "--point", NAME, "-o", "a.png"),
        ("drag", "--point", point_option(), "--preset", NAME, "-o", "a.png"),
        ("drag", "--point", point_option(), "--mask", f"{NAME}.png", "-o", "a.png"),
        ("invert", f"{NAME}.png", "-o", "a.npz"),
        ("invert", f"{NAME}.png", "-o", "a.npz", "--box", NAME),
        (NAME,),
    ]
    done = run(in_turn(commands), tmp_path)
    assert ends(done.stdout) == [2] * len(commands), done.stderr
    refusals = done.stderr.splitlines()
    assert len(refusals) == len(commands), "one line each"
    for command, refusal in zip(commands, refusals, strict=True):
        assert r"\x1b]0;owned" in refusal, command


def test_an_undecodable_name_is_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"photo\xff\xfe.png")
    try:
        Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
        (tmp_path / "photo.png").rename(tmp_path / name)
    except OSError:
        pytest.skip("the file system has no such names")
    done = run(in_turn([("drag", "--point", "1,1:2,2", "-o", f"{name}.jpg")]), tmp_path)
    assert r"photo\udcff\udcfe.png.jpg" in done.stderr


def test_what_is_logged_is_shown_as_it_is(tmp_path: Path) -> None:
    """A colour profile that cannot be used is a warning that names the photo."""
    path = tmp_path / f"{NAME}.png"
    Image.new("RGB", (300, 300)).save(path, icc_profile=b"nonsense")
    done = run(in_turn([("invert", path.name, "--steps", 1, "-o", "a.npz")]), tmp_path)
    assert ends(done.stdout) == [0]
    warning = next(line for line in done.stderr.splitlines() if "colour profile" in line)
    assert SHOWN_ESCAPES in warning
