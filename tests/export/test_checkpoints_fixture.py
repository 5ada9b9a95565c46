"""The pickle of a stylegan2-ada-pytorch generator is read right, and nothing in it runs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.checkpoint_files import FIXTURE, FIXTURES

from dragonnx_export.checkpoints import Checkpoint, parameter_shapes, read_checkpoint
from dragonnx_export.families.stylegan2.architecture import Architecture

WATCHED_READ = """
import json, sys
from pathlib import Path
import numpy.random  # which numpy itself would load late, for the average w
from dragonnx_export.checkpoints import read_checkpoint
events = []
watching = True
def hook(event, arguments):
    if watching and event in ("import", "exec", "os.system", "subprocess.Popen"):
        events.append([event, str(arguments[0])])
sys.addaudithook(hook)
read_checkpoint(Path(sys.argv[1]))
watching = False
print(json.dumps({"events": events, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return read_checkpoint(FIXTURE)


def test_architecture(checkpoint: Checkpoint) -> None:
    assert checkpoint.architecture == Architecture(
        z_dim=64,
        w_dim=64,
        resolution=32,
        channels={4: 32, 8: 32, 16: 32, 32: 16},
        mapping_layers=2,
        mapping_lr_multiplier=0.01,
        conv_clamp=256.0,
        resample_filter=(1.0, 3.0, 3.0, 1.0),
        use_noise=True,
    )


def test_file_facts(checkpoint: Checkpoint) -> None:
    assert checkpoint.sha256 == hashlib.sha256(FIXTURE.read_bytes()).hexdigest()
    assert checkpoint.format == "NVIDIA StyleGAN2 pickle"


def test_weights_are_exactly_the_listed_ones(checkpoint: Checkpoint) -> None:
    shapes = {name: values.shape for name, values in checkpoint.weights.items()}
    assert shapes == dict(parameter_shapes(checkpoint.architecture))
    assert all(values.dtype == np.float32 for values in checkpoint.weights.values())
    assert all(values.flags.c_contiguous for values in checkpoint.weights.values())


def test_w_of_the_mapping_network(checkpoint: Checkpoint) -> None:
    """Tolerance: w is of order 1 and comes from two float32 products of 64 terms."""
    expected = np.load(FIXTURES / "stylegan2-ada-32px.npz")
    w = _mapping(checkpoint, expected["z"])
    np.testing.assert_allclose(w, expected["w"], atol=2e-6)
    w_avg = checkpoint.weights["mapping.w_avg"]
    np.testing.assert_allclose(w_avg + 0.7 * (w - w_avg), expected["w_psi07"], atol=2e-6)


def _mapping(checkpoint: Checkpoint, z: NDArray[np.float32]) -> NDArray[np.float64]:
    x = z.astype(np.float64)
    x /= np.sqrt(np.mean(x**2, axis=1, keepdims=True) + 1e-8)  # (N, z_dim)
    lr = checkpoint.architecture.mapping_lr_multiplier
    for index in range(checkpoint.architecture.mapping_layers):
        weight = checkpoint.weights[f"mapping.fc{index}.weight"].astype(np.float64)
        x = x @ weight.T * (lr / np.sqrt(weight.shape[1]))  # (N, w_dim)
        x += lr * checkpoint.weights[f"mapping.fc{index}.bias"]
        x = np.where(x < 0, 0.2 * x, x) * np.sqrt(2)
    return np.asarray(x)


@pytest.mark.parametrize("fixture", [FIXTURE, FIXTURES / "rosinality-16px.pt"])
def test_reading_runs_and_imports_nothing(fixture: Path) -> None:
    """Watched by an audit hook in a fresh process: no code is executed, no module is looked for."""
    assert b"DRAGONNX_TRAP" in FIXTURE.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED_READ, str(fixture)],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    seen = json.loads(done.stdout)
    assert seen["events"] == []
    assert not {"torch", "torch_utils", "dnnlib"} & set(seen["modules"])
    assert "DRAGONNX_TRAP" not in os.environ
