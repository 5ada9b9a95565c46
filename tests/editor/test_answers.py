"""What users type where they are asked: values, or one sentence that says what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.drag.config import DragConfig
from dragonnx.editor.answers import (
    PHOTO_SETTINGS,
    SETTINGS,
    checked_target,
    existing_file,
    label_of,
    new_file,
    photo_settings_of,
    psi_of,
    seed_of,
    settings_of,
)
from dragonnx.errors import InputError

NOTHING = {name: "" for name, _, _ in SETTINGS} | {"preset": "best", "space": "w+"}
PHOTO = {"space": "w+", "steps": "500", "fit": "crop", "face": ""}


def settings(most_layers: int = 6, **typed: str) -> DragConfig:
    return settings_of(NOTHING | typed, most_layers)


def test_what_is_left_empty_is_left_to_the_model():
    assert settings() == DragConfig()
    assert settings(step_size="  ", max_steps=" ") == DragConfig()


def test_every_setting_is_taken():
    typed = {
        "preset": " released ", "space": "w", "step_size": " 0.05", "lambda_mask": "0",
        "r1": "4.5", "r2": "13", "stop_distance": "2", "max_steps": "70", "trainable_layers": "5",
    }  # fmt: skip
    assert set(typed) == {name for name, _, _ in SETTINGS}
    assert settings(**typed) == DragConfig(
        preset="released", space="w", step_size=0.05, lambda_mask=0, r1=4.5, r2=13,
        stop_distance=2, max_steps=70, trainable_layers=5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("step_size", "much", "Step size: a number is expected"),
        (
            "step_size",
            "0,01",
            "Step size: a number is expected, with a point in place of the comma",
        ),
        ("step_size", "-1", "step_size must be a positive number"),
        ("r1", "nan", "r1 must be a positive number"),
        ("r2", "inf", "r2 must be a positive number"),
        ("lambda_mask", "-0.1", "lambda_mask must be a number from 0 to"),
        ("max_steps", "1.5", "Step limit: a whole number is expected"),
        ("max_steps", "0", "max_steps must be a whole number from 1 to"),
        ("max_steps", "9" * 5000, "Step limit: a whole number is expected"),
        ("trainable_layers", "7", "Trainable layers: at most 6 for this model"),
        ("preset", "", "preset must be paper, released or best, not"),
        ("space", "z", "space must be w+ or w, not"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_its_name(name, text, sentence):
    with pytest.raises(InputError) as refused:
        settings(**{name: text})
    assert str(refused.value).startswith(sentence)


def test_how_a_photo_is_inverted():
    assert set(PHOTO) == {name for name, _ in PHOTO_SETTINGS}
    request = photo_settings_of(PHOTO | {"space": " W ", "fit": "PAD", "steps": " 7 "}, Path("a"))
    assert (request.path, request.fit) == (Path("a"), "pad")
    assert (request.config.space, request.config.steps) == ("w", 7)
    assert photo_settings_of(PHOTO).fit == "crop"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("steps", "many", "Steps: a whole number is expected"),
        ("steps", "", "Steps: a whole number is expected"),
        ("steps", "9" * 5000, "Steps: a whole number is expected"),
        ("steps", "0", "steps must be a whole number from 1 to"),
        ("space", "z", "space must be w+ or w, not"),
        ("fit", "stretch", "Another shape: crop or pad is expected"),
    ],
)
def test_a_choice_for_a_photo_that_cannot_be_used_is_refused(name, text, sentence):
    with pytest.raises(InputError) as refused:
        photo_settings_of(PHOTO | {name: text})
    assert str(refused.value).startswith(sentence)


@given(st.integers(0, 2**32 - 1))
def test_every_seed_can_be_typed(seed):
    assert seed_of(f" {seed} ") == seed


@given(st.text() | st.integers().map(str) | st.floats().map(repr))
@pytest.mark.parametrize("read", [seed_of, psi_of, lambda text: label_of(text, 10)])
def test_any_text_is_a_value_in_range_or_refused(read, text):
    value, sentence = None, "expected: "
    try:
        value = read(text)
    except InputError as refused:
        sentence = str(refused)
    assert sentence.startswith("expected: ")
    assert value is None or -2 <= value <= 2**32 - 1


@pytest.mark.parametrize("read", [seed_of, lambda text: label_of(text, 10)])
def test_more_digits_than_python_reads_are_refused(read):
    with pytest.raises(InputError, match="whole number from 0"):
        read("9" * 5000)


@given(st.floats(-2, 2))
def test_every_truncation_that_makes_sense_can_be_typed(psi):
    assert psi_of(repr(psi)) == psi


def test_files_that_are_there():
    Path("cat.png").write_bytes(b"")
    assert existing_file("  cat.png ") == Path("cat.png")
    with pytest.raises(InputError, match="is a folder: name a file in it"):
        existing_file(".")
    for text in ("cat.jpg", "cat.png/a", "a\0b"):
        with pytest.raises(InputError, match="There is no file"):
            existing_file(text)
    with pytest.raises(InputError, match="Type a photo's path"):
        existing_file(" ", "a photo's path")


def test_the_home_folder_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "cat.png").write_bytes(b"")
    assert existing_file("~/cat.png") == tmp_path / "cat.png"
    assert new_file("~/new", (".png",)) == tmp_path / "new.png"


@pytest.mark.parametrize("read", [existing_file, lambda text: new_file(text, (".png",))])
def test_a_name_that_is_too_long_for_any_folder_is_refused(read):
    with pytest.raises(InputError, match=r"cannot be used|There is no"):
        read("a" * 300 + "/" + "a" * 300 + ".png")


def test_new_files_get_the_first_suffix():
    Path("folder").mkdir()
    assert new_file("cat", (".gif", ".webp")) == Path("cat.gif")
    assert new_file("cat.WEBP", (".gif", ".webp")) == Path("cat.WEBP")
    assert new_file("folder/cat", (".png",)) == Path("folder/cat.png")
    for text, sentence in (
        ("folder", "folder is a folder: name a file in it"),
        ("cat.jpg", "It must end in .gif or .webp"),
        ("nowhere/cat.gif", "There is no folder nowhere"),
        ("", "Type a file's name"),
    ):
        with pytest.raises(InputError) as refused:
            new_file(text, (".gif", ".webp"))
        assert str(refused.value) == sentence


def test_a_target_may_be_there_already():
    Path("cat.png").write_bytes(b"")
    assert checked_target(Path("cat.png"), (".png",)) == Path("cat.png")
