"""What README and docs show is there and runs: commands, options, Python, files, public names."""

from __future__ import annotations

import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from support.bundled import SIZE
from support.face_models import yunet
from support.pages import DOCS, PAGES, PROJECT, README, fenced, run_lines, shell_lines
from typer.testing import CliRunner

import dragonnx
from dragonnx import open_picture
from dragonnx.cli.program import app

HOMES = (
    "https://github.com/dragonnx/dragonnx/blob/main/",
    "https://raw.githubusercontent.com/dragonnx/dragonnx/main/",
)
RUN_HERE = [
    README,
    *(DOCS / f"{name}.md" for name in ("command-line", "inversion", "batch", "critters")),
]
"""Pages whose commands a test runs from top to bottom, but for those of the exporter."""


def commands() -> Iterator[tuple[str, ...]]:
    """Each command in a shell block of any page, as words, and each that stands in a sentence."""
    for page in PAGES:
        inline = re.findall(r"`((?:dragonnx|make|pip|python) [^`]+)`", page.read_text("utf-8"))
        for line in [*shell_lines(page), *inline]:
            words = shlex.split(re.split(r" [|>] ", line)[0], comments=True)
            if words:
                yield tuple(word for word in words if "=" not in word or word.startswith("'"))


@pytest.mark.parametrize("words", sorted(set(commands())), ids=" ".join)
def test_every_command_is_one_that_there_is(words: tuple[str, ...]) -> None:
    program, *rest = words
    if program == "dragonnx":
        if rest[:1] == ["FILE"]:  # which the program opens in the editor where it is there
            rest.insert(0, "edit")
        shown = CliRunner().invoke(app, [*(word for word in rest if word != "..."), "--help"])
        assert shown.exit_code == 0, shown.output
    elif program == "make":
        targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.M))
        assert set(rest) <= targets
    elif program == "pip":
        about = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
        asked = ",".join(re.findall(r"^\.\[(.*)\]$", "\n".join(rest), re.M))
        assert set(filter(None, asked.split(","))) <= set(about["optional-dependencies"])
    elif program == "python":
        # tests/export has the critters take what follows.
        script = f"export/critters/{rest[1]}/__main__.py" if rest[0] == "-m" else rest[0]
        assert (PROJECT / script).is_file()
    else:
        assert program in {"seq", "pytest", "dragonnx-export"}  # tests/export tries the last


def test_every_option_in_a_sentence_is_one_that_there_is() -> None:
    import typer.main

    def options(command: object) -> Iterator[str]:
        for parameter in getattr(command, "params", ()):
            yield from parameter.opts
            yield from parameter.secondary_opts
        for each in getattr(command, "commands", {}).values():
            yield from options(each)

    known = {*options(typer.main.get_command(app)), "--help"}
    exporter = tuple(
        DOCS / f"{name}.md" for name in ("export", "perceptual", "critters", "quality")
    )
    others = {PROJECT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "export/README.md")}
    for page in set(PAGES) - {*exporter, *others}:
        for name in re.findall(r"`(--[a-z0-9-]+)[^`]*`", page.read_text("utf-8")):
            assert name in known, f"{page.name}: {name}"


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN_HERE, ids=lambda page: page.name)
def test_the_commands_run_from_top_to_bottom(tmp_path: Path, page: Path) -> None:
    make_what_pages_name(tmp_path)
    lines = [line for line in shell_lines(page) if re.match(r"(dragonnx|seq) [a-z-]", line)]
    # Tests of the editor, of models and of object stores run the others.
    lines = [line for line in lines if not re.search("dragonnx edit|--model|s3://", line)]
    assert len(lines) > 2
    run_lines(lines, tmp_path)


def make_what_pages_name(folder: Path) -> None:
    """A photo, a mask that lets all but a stripe move, landmarks, and a network that finds faces."""
    photo = Image.new("RGB", (640, 480), "navy")
    photo.paste((255, 0, 0), (320, 160, 336, 176))
    photo.save(folder / "photo.jpg", quality=100, subsampling=0)
    mask = Image.new("L", (SIZE, SIZE), 255)
    mask.paste(0, (0, 0, SIZE, 20))
    mask.save(folder / "mask.png")
    (folder / "points.txt").write_text("300 200\n340 200\n320 220\n305 240\n335 240\n")
    (folder / "yunet.onnx").write_bytes(yunet())


def test_the_readme_s_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = fenced(README, "python")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, README, "exec"), {})  # noqa: S102
    assert (tmp_path / "out.png").stat().st_size > 1000
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_the_guide_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_what_pages_name(tmp_path)
    Image.new("RGB", (300, 200), "tan").save("photo.jpg")
    found = fenced(DOCS / "python.md", "python")
    assert len(found) == 5
    for example in found:
        exec(compile(example, "python.md", "exec"), {})  # noqa: S102
    written = {path.name for path in tmp_path.iterdir()}
    assert written > {"drag.npz", "nose.npz", "nose.png", "photo.dragonnx"}
    assert open_picture(tmp_path / "dragged.jpg").result is not None
    assert "(1, 14, 192)" in capsys.readouterr().out


def test_every_file_that_a_page_shows_is_there() -> None:
    for page in PAGES:
        for name in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            ours = [name.removeprefix(home) for home in HOMES if name.startswith(home)]
            if ours:
                assert (PROJECT / ours[0]).is_file(), name
            elif ":" not in name:
                assert page != README, f"{name}: PyPI shows the README and knows no folder"
                assert (page.parent / name).is_file(), f"{page.name}: {name}"


def test_the_reference_has_every_public_name() -> None:
    named = re.findall(r"^::: dragonnx\.([\w.]+)$", (DOCS / "reference.md").read_text(), re.M)
    assert sorted(named) == sorted([*dragonnx.__all__, "batch.run"])
    for name in dragonnx.__all__:
        member = getattr(dragonnx, name)
        assert inspect.getdoc(member), name
        for method, value in vars(member).items() if inspect.isclass(member) else ():
            if not method.startswith("_") and (callable(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{method}"
