"""A bundle with what was learned of it, in the place of the one without, all or nothing."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

from dragonnx.model.bundle import Bundle
from dragonnx.model.facts import MANIFEST_NAME, FileRecord
from dragonnx.model.manifest import TRACKING_NAME, Manifest
from dragonnx.types import Float32
from dragonnx_export.folder_writer import array_file, staged


def write_tuned(
    bundle: Bundle, folder: Path, kernel: Float32, settings: Mapping[str, float]
) -> Manifest:
    """Write a bundle's files with a kernel and drag settings besides, which replace those it had.

    Args:
        bundle: What is tuned; not open for anything, where `folder` is its own.
        folder: Where to.
        kernel: What point tracking compares, [K, C, s, s].
        settings: As a manifest has them.

    Raises:
        BundleError: What was learned does not fit; nothing is written.
        ExportError: The folder cannot be written.
    """
    content = array_file(kernel)
    m = bundle.manifest
    manifest = dataclasses.replace(
        m,
        files={**m.files, TRACKING_NAME: FileRecord.of(content)},
        drag_settings={**m.drag_settings, **settings},
    )
    with staged(folder) as staging:
        for name in m.files:
            shutil.copyfile(bundle.path(name), staging / name)
        (staging / TRACKING_NAME).write_bytes(content)
        (staging / MANIFEST_NAME).write_text(manifest.to_json(), "utf-8", newline="\n")
        Bundle.open(staging)  # what nobody could open is not written
    return manifest
