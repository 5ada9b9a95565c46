"""Fixtures of the export tests."""

from __future__ import annotations

import pytest
from support.random_checkpoints import CLAMPED, GREY, LABELLED, PLAIN, VARIANTS, random_checkpoint

from dragonnx_export.families.stylegan2.checkpoint import Checkpoint

KINDS = {"plain": PLAIN, "clamped": CLAMPED, "labelled": LABELLED, "grey": GREY, **VARIANTS}


@pytest.fixture(params=KINDS)
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return random_checkpoint(KINDS[request.param])
