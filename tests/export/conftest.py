"""Fixtures of the export tests."""

from __future__ import annotations

import pytest
from random_checkpoints import CLAMPED, GREY, LABELLED, PLAIN, random_checkpoint

from dragonnx_export.checkpoints.checkpoint import Checkpoint


@pytest.fixture(params=["plain", "clamped", "labelled", "grey"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return random_checkpoint(
        {"plain": PLAIN, "clamped": CLAMPED, "labelled": LABELLED, "grey": GREY}[request.param]
    )
