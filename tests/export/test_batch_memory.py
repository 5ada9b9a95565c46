"""What a second worker of a batch takes in memory, with a model of the published size."""

from __future__ import annotations

from pathlib import Path

import pytest
from batch_throughput import KINDS, memory
from random_models import bundle

from dragonnx.batch.shares import cores

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells"),
    pytest.mark.skipif(cores() < 2, reason="there is no second worker"),
]
SIZE = 512
MOST = 0.4
"""Of the first one's, at the peak of both: weights are shared, and so is most of what pictures take."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_worker_takes_a_part_of_the_first_ones_memory(kind: str, tmp_path: Path) -> None:
    found = memory(str(bundle(SIZE, tmp_path)), SIZE, steps=10, seconds=60, kind=kind)
    assert found["second by peak"] <= MOST, found
