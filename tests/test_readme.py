"""The README's Python runs as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, README, "exec"), {})  # noqa: S102
    assert (tmp_path / "out.png").stat().st_size > 1000
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_every_file_that_the_readme_shows_is_there() -> None:
    for name in re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8")):
        assert (README.parent / name).is_file(), name
