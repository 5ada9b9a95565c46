"""Results that took long: written where they can be, kept elsewhere where not, and never just lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.full_disk import NO_SPACE, full_disk
from support.program import HANGS, dragonnx

from dragonnx.cli.delivery import Keeper, deliver
from dragonnx.errors import InputError, OutputError
from dragonnx.files import save_bytes


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRAGONNX_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def saved(content: bytes):
    return lambda path: save_bytes(content, path)


def test_what_cannot_be_written_is_kept_and_the_rest_is_written(
    tmp_path: Path, state: Path
) -> None:
    places = [tmp_path / name for name in ("a.npz", f"{'b' * 240}.png", "c.json")]
    with full_disk(places[0].name, places[1].name), pytest.raises(OutputError) as refused:
        deliver(
            [(place, saved(place.name[:1].encode())) for place in places] + [(None, saved(b"x"))]
        )
    assert places[2].read_bytes() == b"c"
    kept = sorted((state / "kept").iterdir())
    assert [path.read_bytes() for path in kept] == [b"a", b"b"]
    assert [path.suffix for path in kept] == [".npz", ".png"]
    for place, where in zip(places, kept, strict=False):
        assert f"{place} cannot be written ({NO_SPACE}); it is kept as {where}" in str(
            refused.value
        )


def test_what_cannot_be_kept_either_is_said(tmp_path: Path, state: Path) -> None:
    with (
        full_disk(),
        pytest.raises(OutputError, match=r"could not be kept elsewhere either: .*No spa"),
    ):
        deliver([(tmp_path / "a.npz", saved(b"1"))])
    shutil.rmtree(state)
    state.write_bytes(b"no folder")
    with full_disk("a.npz"), pytest.raises(OutputError, match="could not be kept elsewhere either"):
        deliver([(tmp_path / "a.npz", saved(b"1"))])
    assert list(tmp_path.iterdir()) == [state]


def test_kept_results_never_replace_one_another(tmp_path: Path, state: Path) -> None:
    for _ in range(3):
        with full_disk("a.npz"), pytest.raises(OutputError):
            deliver([(tmp_path / "a.npz", saved(b"1"))])
    assert len(list((state / "kept").iterdir())) == 3


def test_what_is_wrong_with_one_keeps_no_other_from_being_written(
    tmp_path: Path, state: Path
) -> None:
    def wrong(_path: Path) -> None:
        raise InputError("there are no frames")

    with pytest.raises(InputError, match=r"^there are no frames$"):
        deliver([(tmp_path / "a.gif", wrong), (tmp_path / "b.png", saved(b"1"))])
    assert (tmp_path / "b.png").exists()
    assert not state.exists()


def test_saving_now_and_then_never_ends_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    fails = iter([True, True, False, True])

    def save() -> None:
        if next(fails):
            raise OutputError("p.npz cannot be written (No space left on device)")

    keep = Keeper(save)
    for _ in range(4):
        keep()
    said = capsys.readouterr().err.splitlines()
    assert said == ["p.npz cannot be written (No space left on device); the work goes on"] * 2


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(path)
    return path


def test_an_inversion_that_diverges_keeps_what_it_found_and_what_was_there(
    photo: Path, tmp_path: Path, state: Path
) -> None:
    (tmp_path / "l.npz").write_bytes(b"an earlier one")
    done = dragonnx(
        "invert", photo, "-o", tmp_path / "l.npz", "--steps", "9", "--step-size", "1e38",
        "--device", "cpu", "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "take a smaller step size" in last
    assert (tmp_path / "l.npz").read_bytes() == b"an earlier one"
    with np.load(last.rpartition("the best latent before that is kept as ")[2]) as kept:
        assert np.isfinite(kept["w_plus"]).all()


@pytest.mark.skipif(sys.platform == "win32", reason="this system ends programs otherwise")
def test_a_program_that_is_told_to_end_saves_what_it_found(photo: Path, tmp_path: Path) -> None:
    """As a batch queue does, some seconds before it kills."""
    progress = tmp_path / "p.npz"
    with subprocess.Popen(
        [sys.executable, "-m", "dragonnx.cli", "invert", photo, "-o", tmp_path / "l.npz",
         "--steps", "100000", "--device", "cpu", "--progress", progress,
         "--report", tmp_path / "r.json"],
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        ends = time.monotonic() + HANGS
        while not progress.exists() and time.monotonic() < ends:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=HANGS)
    assert process.returncode == 0, said
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["steps"] >= 25
    with np.load(tmp_path / "l.npz") as latent:
        assert latent["w_plus"].ndim == 3
    assert {path.name for path in tmp_path.iterdir()} == {"photo.png", "l.npz", "p.npz", "r.json"}


def test_what_ignores_a_signal_goes_on_doing_so() -> None:
    """As under `nohup`."""
    code = (
        "import signal; now = lambda: signal.getsignal(signal.SIGTERM)\n"
        "from dragonnx.cli.console import end_on_signals, interrupt_on_signals\n"
        "for before in (signal.SIG_IGN, signal.SIG_DFL):\n"
        "    signal.signal(signal.SIGTERM, before); interrupt_on_signals()\n"
        "    assert (now() == before) == (before == signal.SIG_IGN)\n"
        "    end_on_signals(); assert now() == before"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_an_interrupt_while_a_result_is_written_leaves_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.png")  # which nobody reads: the program waits there
    with subprocess.Popen(
        [sys.executable, "-m", "dragonnx.cli", "generate", "-o", tmp_path / "out.png",
         "--device", "cpu"],
        stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        ends = time.monotonic() + HANGS
        # An empty one may only just be made: an interrupt then leaves it for a later run to remove.
        while not any(p.stat().st_size for p in tmp_path.glob(".dragonnx-*")):
            assert time.monotonic() < ends
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=HANGS)
    assert (process.returncode, said) == (130, "dragonnx: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
