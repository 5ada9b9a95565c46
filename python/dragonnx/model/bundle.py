"""Model bundles: a folder of graphs, weights and a manifest, opened and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dragonnx.errors import BundleError
from dragonnx.model.manifest import MANIFEST_NAME, FileRecord, Manifest


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: every file was found to be what the manifest says."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Open a bundle folder and verify all of it.

        Raises:
            BundleError: It is no bundle, or a file is missing, altered, or outside.
        """
        manifest = read_manifest(folder)
        for name, record in manifest.files.items():
            verify_file(folder, name, record)
        return cls(folder, manifest)

    def path(self, name: str) -> Path:
        """Where a file of the bundle lies."""
        return self.folder / name


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle folder, without looking at the other files.

    Raises:
        BundleError: There is none, or it cannot be read.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.from_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(
            f"{folder} is no model bundle: {MANIFEST_NAME} cannot be read "
            f"({getattr(error, 'strerror', None) or error})"
        ) from error
    except BundleError as error:
        raise BundleError(f"the bundle {folder} cannot be used: {error}") from error


def verify_file(folder: Path, name: str, record: FileRecord) -> None:
    """Refuse a file that is missing, a link out of the folder, or not what it was.

    Raises:
        BundleError: It is one of these.
    """
    path = folder / name
    try:
        if folder.resolve() != path.resolve().parent:
            raise BundleError(f"{name} of the bundle {folder} is a link that leaves the folder")
        size = path.stat().st_size
        if size == record.size:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(
            f"{name} of the bundle {folder} is missing or unreadable ({error.strerror or error}): "
            "copy the whole folder again, or export it again"
        ) from error
    if size != record.size or digest != record.sha256:
        raise BundleError(
            f"{name} of the bundle {folder} is not the file that was exported (its content was "
            "altered or cut short): copy the whole folder again, or export it again"
        )
