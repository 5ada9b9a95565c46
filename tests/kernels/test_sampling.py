"""F^ at points."""

import numpy as np
from hypothesis import given, settings
from reference.kernels import resize_matrix, resized
from support.kernel_cases import ROUNDING, Case, cases

from dragonnx import _core


def test_the_oracle_resizes_with_half_pixel_centres() -> None:
    """Literal values of bilinear interpolation with align_corners = False."""
    np.testing.assert_allclose(resize_matrix(2, 4) @ [0, 1], [0, 0.25, 0.75, 1])
    np.testing.assert_allclose(resize_matrix(3, 5) @ [0, 1, 2], [0, 0.4, 1, 1.6, 2])
    np.testing.assert_allclose(resize_matrix(4, 2) @ [0, 1, 2, 3], [0.5, 2.5])


@settings(deadline=None)
@given(cases())
def test_sample_reads_the_resized_map(case: Case) -> None:
    samples = _core.sample(features=case.features[None], plan=case.whole(), points=case.points)
    assert samples.dtype == np.float32
    expected = resized(case.features, case.image_size).sample(case.points)
    np.testing.assert_allclose(samples, expected, atol=ROUNDING, rtol=0)


@settings(deadline=None)
@given(cases())
def test_windows_hold_the_same_samples(case: Case) -> None:
    """Bit for bit: a window changes where a cell is, not what is computed."""
    windows = case.windows(reach=1)
    whole = _core.sample(features=case.features[None], plan=case.whole(), points=case.points)
    np.testing.assert_array_equal(
        _core.sample(features=windows.features, plan=windows.plan, points=case.points), whole
    )


@settings(deadline=None)
@given(cases(points=0))
def test_no_points_no_samples(case: Case) -> None:
    samples = _core.sample(features=case.features[None], plan=case.whole(), points=case.points)
    assert samples.shape == (0, 3)
