"""Pictures turned and moved from the command line: what is refused. See tests/export for what is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.program import dragonnx

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
ONE = ("--model", SMALL, "--device", "cpu", "--threads", "1")
COMMANDS = {
    "generate": ("--seed", "3", "-o", "a.png"),
    "generate --seeds": ("--seeds", "3,4", "-o", "pictures"),
    "drag": ("--seed", "3", "--point", "8,8:10,8", "-o", "a.png"),
    "walk": ("--through", "3", "--through", "4", "-o", "a.gif"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", [("--rotate", "30"), ("--translate", "-2,1")])
def test_a_model_that_cannot_move_its_pictures_says_so(
    command: str, option: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = dragonnx(command.split(maxsplit=1)[0], *ONE, *COMMANDS[command], *option)
    assert refused.returncode == 2
    assert "cannot turn and move what it shows: take one of StyleGAN3" in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--rotate", "361"), "rotation must be a number from -360 to 360, not 361"),
        (("--rotate", "nan"), "rotation must be a number"),
        (("--translate", "4"), "given as x,y in pixels, such as 12,-4, not '4'"),
        (("--translate", "1,2,3"), "given as x,y in pixels"),
        (("--translate", "inf,0"), "translation must be a point (x, y) of numbers"),
    ],
)
def test_what_is_no_motion_is_refused(option: tuple[str, str], message: str) -> None:
    refused = dragonnx("generate", *ONE, "--seed", "3", "-o", "a.png", *option)
    assert (refused.returncode, message in refused.stderr) == (2, True), refused.stderr
