"""What graphs are compared with raises and lowers the rate of maps as the definition says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dragonnx_export.families.stylegan3.torch_resampling import Resampling

CELLS = 61
"""More than one block of cells, and no whole number of them."""
CASES = {
    "raised": (Resampling(2, 1, 7, 128), 12),
    "raised, cut off": (Resampling(4, 1, -5, 200), 24),
    "raised beyond the map": (Resampling(2, 1, 30, 190), 6),
    "lowered": (Resampling(1, 2, 0, 25), 12),
    "as it is": (Resampling(1, 1, 0, CELLS), 1),
}


def defined(resampling: Resampling, x: Tensor, taps: Tensor) -> Tensor:
    """Zeros between, zeros around, a convolution, every so many-th cell."""
    r, far = resampling, 50
    stuffed = x.new_zeros(*x.shape[:2], CELLS * r.up, CELLS * r.up)
    stuffed[:, :, :: r.up, :: r.up] = x
    x = F.pad(stuffed, [far] * 4)[:, :, far - r.before :, far - r.before :]
    channels, count = x.shape[1], (r.length - 1) * r.down + 1
    kernel = taps.flip(0).expand(channels, 1, -1)
    x = F.conv2d(x, kernel[:, :, :, None], groups=channels)
    x = F.conv2d(x, kernel[:, :, None], groups=channels)
    return x[:, :, : count : r.down, : count : r.down]


@pytest.mark.parametrize("case", CASES)
def test_it_is_zeros_between_a_filter_and_every_so_many_th_cell(case: str) -> None:
    resampling, count = CASES[case]
    random = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, CELLS, CELLS, generator=random, dtype=torch.float64, requires_grad=True)
    taps = torch.randn(count, generator=random, dtype=torch.float64)
    found, expected = resampling.of(x, taps), defined(resampling, x, taps)
    # Sums of up to 144 terms of about 1, in another order.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    grad = torch.randn(found.shape, generator=random, dtype=torch.float64)
    back, wanted = (torch.autograd.grad(y, x, grad) for y in (found, expected))
    torch.testing.assert_close(back, wanted, rtol=0, atol=1e-12)
