"""`dragonnx doctor --report`: all that an issue needs, and nobody's name."""

from __future__ import annotations

import getpass
import importlib.metadata
import platform
from pathlib import Path

import pytest
from typer.testing import CliRunner

import dragonnx
from dragonnx.cli.program import app
from dragonnx.cli.report import Anonymous


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of somebody whose names stand wherever they can."""
    home = tmp_path / "homes" / "zaphod"
    models = home / "zaphod's models"
    (models / "zaphod").mkdir(parents=True)
    (models / "zaphod" / "manifest.json").write_text("{", "utf-8")
    for name in ("HOME", "USERPROFILE", "DRAGONNX_STATE"):
        monkeypatch.setenv(name, str(home))
    for name in ("USER", "LOGNAME", "USERNAME", "SSH_CONNECTION", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "zaphod")
    monkeypatch.setenv("DRAGONNX_MODELS", str(models))
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setenv("TERM_PROGRAM", f"{home}/bin/terminal at Heart-of-Gold.example.org")
    monkeypatch.setattr(platform, "node", lambda: "heart-of-gold.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "zaphod")
    done = CliRunner().invoke(app, ["doctor", "--report"])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_tells_what_an_issue_needs(report: str) -> None:
    lines = dict(line.split(": ", 1) for line in report.splitlines())
    assert lines["dragonnx"] == dragonnx.__version__
    assert platform.python_version() in lines["Python"]
    assert platform.machine() in lines["system"]
    for name in ("numpy", "pillow", "textual", "typer"):
        assert f"{name} {importlib.metadata.version(name)}" in lines["libraries"]
    assert "pytest" not in lines["libraries"]
    assert lines["runtime"].startswith("onnxruntime ")
    assert lines["cpu"] == "yes"
    assert lines["model critters"].endswith("256 x 256 px")
    assert "truecolor" in lines["terminal"] or "half" in lines["terminal"]
    assert "TERM=xterm-kitty" in lines["environment"]
    assert "SSH_CONNECTION is set" in lines["environment"]


def test_it_names_nobody_and_no_place_of_theirs(report: str, tmp_path: Path) -> None:
    assert "model USER: unusable" in report
    assert "OMP_NUM_THREADS=USER" in report
    assert "~/bin/terminal at HOST" in report
    for private in ("zaphod", "heart", "example.org", str(tmp_path), str(Path.cwd())):
        assert private not in report.lower()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann/x and /home/anna/x", "~/x and /home/anna/x"),
        ("~ann, ANN: annex", "~USER, USER: annex"),
        ("ann_old ann-old", "USER_old USER-old"),
        (r"C:\Users\Ann\x", r"~\x"),
        ("on box.lan, box, boxes", "on HOST, HOST, boxes"),
    ],
)
def test_names_are_hidden_where_they_stand_alone(text: str, shown: str) -> None:
    hidden = Anonymous(["/home/ann/", r"C:\Users\ann", "/"], ["ann", ""], ["box.lan", "box"])
    assert hidden.hide(text) == shown


def test_a_user_without_a_name_is_called_as_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/somewhere/marvin")
    monkeypatch.setenv("USERPROFILE", "/somewhere/marvin")

    def nameless() -> str:
        raise OSError("no such user")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert Anonymous.of_this_machine().hide("marvin: /somewhere/marvin/x") == "USER: ~/x"
