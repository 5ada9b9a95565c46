"""Latent codes: seeds and truncation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragonnx.errors import InputError
from dragonnx.model.latent import checked_w_plus, truncate, z_of_seed

NUM_WS, W_DIM = 4, 8


@pytest.fixture
def w_plus() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1, NUM_WS, W_DIM)).astype(np.float32)


def test_seeds_give_the_released_tools_z() -> None:
    # The first numbers of numpy's legacy generator for seed 0, as its documentation shows them.
    np.testing.assert_allclose(z_of_seed(0, 3), [[1.76405235, 0.40015721, 0.97873798]], rtol=1e-7)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1", None])
def test_seeds_out_of_range(seed: int) -> None:
    with pytest.raises(InputError, match=f"from 0 to 4294967295, not {seed!r}"):
        z_of_seed(seed, 4)


@given(st.floats(-2, 2, width=32))
def test_truncation_is_a_line_through_the_average(psi: float) -> None:
    w, w_avg = np.array([[1.0, 2.0]], np.float32), np.array([3.0, -1.0], np.float32)
    expected = w_avg + psi * (w.astype(np.float64) - w_avg)
    # One rounding each of a product and a sum of numbers up to about ten.
    np.testing.assert_allclose(truncate(w, w_avg, psi), expected, atol=2e-6)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, W_DIM)),
        np.zeros((1, NUM_WS, W_DIM + 1)),
        np.zeros((2, NUM_WS, W_DIM)),
        np.zeros(()),
        np.zeros((1, 1, 1, W_DIM)),
        np.array([["a"] * W_DIM]),
        np.zeros((0, W_DIM)),
        np.zeros((1, W_DIM), bool),
    ],
)
def test_a_latent_of_another_model(values: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"shape \[1, 4, 8\] \(w_plus\) or \[1, 8\]"):
        checked_w_plus(values, NUM_WS, W_DIM)


def test_a_latent_of_no_numbers(w_plus: np.ndarray) -> None:
    with pytest.raises(InputError, match="must be an array of numbers"):
        checked_w_plus([[1.0], [1.0, 2.0]], NUM_WS, W_DIM)
    for value in (np.nan, 1e300):  # beyond float32
        values = w_plus.astype(np.float64)
        values[0, 0, 0] = value
        with pytest.raises(InputError, match="not finite"):
            checked_w_plus(values, NUM_WS, W_DIM)
