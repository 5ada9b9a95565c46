"""What is loaded when: proved in fresh processes, since imports are remembered."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED

HEAVY = ("onnxruntime", "textual", "torch", "PIL", "typer", "platformdirs")


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a statement loads."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import dragonnx", "from dragonnx import DragConfig"])
def test_the_root_is_light(statement: str) -> None:
    assert not loaded_after(statement) & set(HEAVY)


def test_a_drag_loads_no_user_interface_and_no_torch() -> None:
    loaded = loaded_after(
        "from dragonnx import DragSession, Generator\n"
        "g = Generator.open('critters', device='cpu')\n"
        f"next(DragSession(g, g.w_plus({SEED}), [{NOSE}], [{NOSE_TARGET}]))"
    )
    assert "onnxruntime" in loaded
    assert not loaded & {"textual", "torch", "typer", "dragonnx_export"}


def test_the_editor_without_a_screen_loads_none() -> None:
    loaded = loaded_after("from dragonnx.editor import Editor")
    assert not loaded & {"textual", "torch", "typer", "onnxruntime"}


def test_the_command_line_starts_light() -> None:
    assert not loaded_after("import dragonnx.cli.program") & {
        "onnxruntime",
        "textual",
        "PIL",
        "numpy",
    }


@pytest.mark.parametrize("room", ["dragonnx", "dragonnx.document", "dragonnx.batch"])
def test_every_public_name_is_there(room: str) -> None:
    module = importlib.import_module(room)
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"'{room}' has no attribute 'DragGAN'"):
        module.DragGAN  # noqa: B018


def test_type_checkers_know_every_public_name_and_no_other(tmp_path: Path) -> None:
    """Names that load when first used must not make any name pass."""
    from mypy import api

    lines = []
    for room in ("dragonnx", "dragonnx.document"):
        names = importlib.import_module(room).__all__
        lines += [f"from {room} import {', '.join(names)}", f"from {room} import {names[0]}s"]
    file = tmp_path / "program.py"
    file.write_text("\n".join(lines))
    # NumPy's types are not looked at: that would take longer than the rest.
    arguments = ["--no-site-packages", "--ignore-missing-imports", "--follow-imports", "silent"]
    found, failed, _ = api.run(
        [*arguments, "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), str(file)]
    )
    assert not failed
    assert [line.partition(": ")[2].partition(";")[0] for line in found.splitlines()] == [
        'error: Module "dragonnx" has no attribute "BundleErrors"',
        'error: Module "dragonnx.document" has no attribute "Documents"',
    ]
