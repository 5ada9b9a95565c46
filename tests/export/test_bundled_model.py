"""The bundle that ships is what its checkpoint gives today."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from dragonnx.library import open_bundle
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.checkpoints import read_checkpoint

CHECKPOINT = Path(__file__).parents[2] / "export" / "checkpoints" / "critters.npz"


def test_the_checkpoint_gives_the_bundled_graphs_again(tmp_path: Path) -> None:
    shipped = open_bundle("critters").manifest
    options = ExportOptions(
        name=shipped.name,
        licence=shipped.source.licence,
        note=shipped.source.note,
        feature_resolution=shipped.feature_size[0],
        truncation_psi=shipped.truncation_psi,
        drag_settings=shipped.drag_settings,
    )
    made = write_bundle(read_checkpoint(CHECKPOINT), tmp_path / "critters", options)
    # Measured differences and versions belong to the machine that measured.
    same = {"parity": (), "versions": {}}
    assert dataclasses.replace(made, **same) == dataclasses.replace(shipped, **same)
