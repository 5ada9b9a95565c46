"""What the doctor says of a model's graphs on a GPU: how far they are from the CPU, by precision."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from dragonnx import Generator
from dragonnx.cli.comparison import compare, comparison_table
from dragonnx.cli.doctor import doctor
from dragonnx.model.facts import FileRecord
from dragonnx.model.library import find_bundle
from dragonnx.runtime import CPU, Device, Provider, providers

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v1"


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(device="cpu", threads=1)


@pytest.fixture(scope="module")
def perturbed(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """The bundled model with weights 0.1 % larger."""
    folder = Path(shutil.copytree(find_bundle("critters"), tmp_path_factory.mktemp("m") / "copy"))
    weights = (np.fromfile(folder / "weights.bin", np.float32) * np.float32(1.001)).tobytes()
    (folder / "weights.bin").write_bytes(weights)
    facts = json.loads((folder / "manifest.json").read_text())
    facts["files"]["weights.bin"] = vars(FileRecord.of(weights))
    (folder / "manifest.json").write_text(json.dumps(facts))
    return Generator.open(folder, device="cpu", threads=1)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA that is the CPU, in both precisions."""
    same = {"float32": {}, "tf32": {}}
    cuda = Provider("cuda", "CUDA", CPU.ort_name, CPU.memory, precision_options=same)
    monkeypatch.setattr(providers, "PROVIDERS", (cuda, CPU))
    on_cpu = [(CPU.ort_name, {})]
    monkeypatch.setattr(Device, "session_providers", lambda _device, **_: on_cpu)


def test_the_same_generator_differs_in_nothing(generator: Generator) -> None:
    found = compare(generator, generator)
    assert {f"{name}.onnx" for name in found} == {
        name for name in generator.manifest.files if name.endswith(".onnx")
    }
    assert set(found.values()) == {0.0}


def test_every_graph_shows_a_difference(generator: Generator, perturbed: Generator) -> None:
    """Weights 1e-3 larger: some parts in a thousand for each layer on the way, of which there are few."""
    for name, difference in compare(generator, perturbed).items():
        assert 1e-4 < difference < 0.5, name


def test_the_table(generator: Generator, perturbed: Generator) -> None:
    heading, columns, *rows = comparison_table(generator, {"float32": generator, "tf32": perturbed})
    assert heading.startswith("largest difference from the CPU")
    assert columns.split() == ["graph", "float32", "tf32"]
    assert len(rows) == sum(name.endswith(".onnx") for name in generator.manifest.files)
    for row in rows:
        name, same, other = row.split()
        assert (same, float(other) > 1e-4) == ("0.0e+00", True), name
        assert len(row) == len(columns)


@pytest.mark.parametrize(
    ("precision", "columns"), [("auto", ["float32", "tf32"]), ("tf32", ["tf32"])]
)
def test_a_gpu_is_compared_with_the_cpu(
    pretended: None, precision: str, columns: list[str]
) -> None:
    app = typer.Typer()
    app.command()(doctor)
    arguments = ["--model", str(SMALL), "--device", "cuda", "--precision", precision]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["graph", *columns] in lines
    assert ["features_16", *["0.0e+00"] * len(columns)] in lines
