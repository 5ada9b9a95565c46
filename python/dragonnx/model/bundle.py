"""Model bundles: a folder of graphs, weights and a manifest, opened and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.errors import BundleError
from dragonnx.model.facts import MANIFEST_NAME, FileRecord, GraphRole, graph_name
from dragonnx.model.manifest import W_AVG_NAME, Manifest

if TYPE_CHECKING:
    from dragonnx.types import Float32


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

    def graph(self, role: GraphRole, cut: int | None = None) -> Path:
        """Where the graph of a role lies.

        Args:
            role: What it is run for.
            cut: For windows, resolution of the block in which they begin.

        Raises:
            BundleError: The model has none.
        """
        found = self.manifest.graph(role, cut)
        if found is None:
            raise BundleError(
                f"the model {self.manifest.name} has no graph {graph_name(role, cut)}, which this "
                "needs: export it again"
            )
        return self.path(found.file)

    def load_w_avg(self) -> Float32:
        """The mean of w, [w_dim].

        Raises:
            BundleError: The file holds something else.
        """
        import numpy as np  # not for looking at manifests

        w_dim = self.manifest.w_dim
        try:
            w_avg = np.load(self.path(W_AVG_NAME), allow_pickle=False)
        except (OSError, ValueError) as error:
            raise BundleError(f"{W_AVG_NAME} of the bundle {self.folder} is no array") from error
        if w_avg.shape != (w_dim,) or w_avg.dtype != np.float32:
            raise BundleError(
                f"{W_AVG_NAME} of the bundle {self.folder} must be float32 [{w_dim}], not "
                f"{w_avg.dtype} {list(w_avg.shape)}"
            )
        return np.asarray(w_avg, np.float32)


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
