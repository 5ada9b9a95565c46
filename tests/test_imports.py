"""What is loaded when: proved in fresh processes, since imports are remembered."""

from __future__ import annotations

import subprocess
import sys

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


def test_every_public_name_is_there() -> None:
    import dragonnx

    for name in dragonnx.__all__:
        assert getattr(dragonnx, name).__name__ == name
    assert set(dragonnx.__all__) <= set(dir(dragonnx))
    with pytest.raises(AttributeError, match="no attribute 'DragGAN'"):
        dragonnx.DragGAN  # noqa: B018
