"""The graphs of the method: what is shipped is what the exporter writes, and each is what it says."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import onnx
import pytest
import torch

from dragonnx.drag.graphs import drag_graph
from dragonnx.runtime import CPU, Device
from dragonnx_export.drag_graphs import all_graphs

DEVICE = Device(CPU)


@pytest.mark.parametrize("name", all_graphs())
def test_the_shipped_file_is_the_authored_graph(name: str) -> None:
    shipped = (files("dragonnx.drag.graphs") / f"{name}.onnx").read_bytes()
    made = all_graphs()[name]
    onnx.checker.check_model(made, full_check=True)
    assert shipped == made.SerializeToString(deterministic=True), "run `make drag-graphs`"


def test_windows_are_taken_and_their_gradient_is_put_back() -> None:
    """The second graph is the adjoint of the first: <take(F), G> = <F, put(G)>."""
    random = np.random.default_rng(0)
    features = random.standard_normal((1, 5, 11, 13), np.float32)
    firsts = [(0, 2), (4, 9), (4, 8)]
    rows = np.stack([np.eye(11, dtype=np.float32)[y : y + 3] for y, _ in firsts])[:, None]
    columns = np.stack([np.eye(13, dtype=np.float32)[x : x + 4] for _, x in firsts])[:, None]
    given = {"features": features, "rows": rows, "columns": columns}
    windows = drag_graph("take_windows", DEVICE, 1).run(given)[0]["windows"]
    for (y, x), window in zip(firsts, windows, strict=True):
        np.testing.assert_array_equal(window, features[0, :, y : y + 3, x : x + 4])
    grad = random.standard_normal(windows.shape, np.float32)
    back = {"grad_windows": grad, "flat_rows": rows.reshape(9, 11), "columns": columns}
    put = drag_graph("put_windows", DEVICE, 1).run(back)[0]["grad_features"]
    expected = np.zeros_like(features)
    for (y, x), window in zip(firsts, grad, strict=True):
        expected[0, :, y : y + 3, x : x + 4] += window
    # One-hot products: only cells of two windows are sums, of two terms.
    np.testing.assert_allclose(put, expected, atol=1e-6)


def test_the_mask_penalty_is_what_torch_gives() -> None:
    """In float64, by the definition: resized, compared, and differentiated by autograd."""
    random = np.random.default_rng(1)
    features, reference, before = random.standard_normal((3, 1, 6, 8, 5), np.float32)
    fixed = (random.random((1, 1, 32, 20)) < 0.5).astype(np.float32)
    eye = torch.eye(8, dtype=torch.float64)[None, :, :, None]
    rows = torch.nn.functional.interpolate(eye, (32, 1), mode="bilinear")[0, :, :, 0]
    eye = torch.eye(5, dtype=torch.float64)[None, :, :, None]
    columns = torch.nn.functional.interpolate(eye, (20, 1), mode="bilinear")[0, :, :, 0].T
    inputs = {
        "features": features, "reference": reference, "fixed": fixed, "grad_before": before,
        "size": np.array([1, 6, 32, 20]), "weight": np.array([0.01], np.float32),
        "adjoint_rows": rows.numpy().astype(np.float32),
        "adjoint_columns": columns.contiguous().numpy().astype(np.float32),
    }  # fmt: skip
    found = drag_graph("mask_penalty", DEVICE, 1).run(inputs)[0]
    tensor = torch.tensor(features, dtype=torch.float64, requires_grad=True)
    resized = [
        torch.nn.functional.interpolate(each, (32, 20), mode="bilinear")
        for each in (tensor, torch.tensor(reference, dtype=torch.float64))
    ]
    loss = (0.01 * torch.tensor(fixed) * (resized[0] - resized[1]).abs()).sum()
    (gradient,) = torch.autograd.grad(loss, tensor)
    # float32 sums of at most 600 terms of size 1e-2.
    assert found["loss"][0] == pytest.approx(loss.item(), rel=1e-5)
    np.testing.assert_allclose(found["grad_features"] - before, gradient, atol=1e-6)
