"""Paths that users type, and where their files go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragonnx.errors import InputError
from dragonnx.paths import is_portable_name, portable_name, typed_path, usable, user_folder


def test_a_typed_path_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert typed_path("~/a.png") == tmp_path / "a.png"
    assert typed_path("a~b") == Path("a~b")
    assert typed_path("~nobody-of-this-name/a").name == "a"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "\ud800", "circle"])
def test_a_path_that_no_system_looks_for_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "circle").symlink_to("circle")
    path = tmp_path / name
    with pytest.raises(InputError, match="cannot be used"), usable(path):
        path.resolve(strict=True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mein modell", "mein-modell"),
        ("Mödell 2", "Modell-2"),
        (" -a.b_c. ", "a.b_c"),
        ("x" * 100, "x" * 60),
        ("aux", ""),
        ("猫", ""),
        ("", ""),
    ],
)
def test_a_text_becomes_a_name_that_every_system_takes(text: str, name: str) -> None:
    assert portable_name(text) == name
    assert not name or is_portable_name(name)


def test_a_refusal_in_the_block_is_told_as_it_is() -> None:
    with pytest.raises(InputError, match=r"^another sentence$"), usable(Path("a")):
        raise InputError("another sentence")


def test_a_users_folder_is_the_systems_or_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DRAGONNX_TEST", "~/here")
    assert user_folder("state", "DRAGONNX_TEST").name == "here"
    monkeypatch.setenv("DRAGONNX_TEST", "")
    assert user_folder("state", "DRAGONNX_TEST").is_absolute()
    assert user_folder("data", "DRAGONNX_TEST", "models").name == "models"


@pytest.mark.parametrize("kind", ["config", "data", "state"])
def test_without_a_home_folder_nothing_goes_into_a_folder_called_tilde(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(f"platformdirs.user_{kind}_path", lambda _name: Path("~/.local"))
    with pytest.raises(InputError, match="set HOME to it, or DRAGONNX_TEST to a folder"):
        user_folder(kind, "DRAGONNX_TEST")
