"""Model bundles: a folder of graphs, weights and a manifest, opened and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.errors import BundleError, InputError
from dragonnx.model.checking.signatures import check_graphs
from dragonnx.model.decoding import LARGEST_MANIFEST
from dragonnx.model.facts import MANIFEST_NAME, GraphRole, graph_name
from dragonnx.model.folder_files import opened_inside, verified_files
from dragonnx.model.manifest import (
    LARGEST_DESCRIPTION,
    TRACKING_NAME,
    W_AVG_NAME,
    WIDEST_KERNEL,
    Manifest,
)
from dragonnx.reading.regular_file import read_bytes

if TYPE_CHECKING:
    from dragonnx.types import Array, Float32

PACKAGE_MODELS = Path(__file__).parent / "bundled"
_MOST_CHECKED = 4096

_checked: set[bytes] = set()
"""Hashes of the manifests, and so of all other files, of bundles whose graphs were checked."""


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: every file was found to be what the manifest says."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Open a bundle folder and verify all of it, before ONNX Runtime sees any of it.

        Raises:
            BundleError: It is no bundle, a file is missing, altered, or outside, or a graph is not
                what the manifest says, or holds what no graph of dragonnx has.
        """
        content = _content(folder)
        manifest = _manifest(folder, content)
        # What lies in the package was checked when it was made, as the code beside it.
        known = hashlib.sha256(content).digest()
        is_checked = folder.parent == PACKAGE_MODELS or known in _checked
        graphs = () if is_checked else {graph.file for graph in manifest.runnable}
        with verified_files(folder, manifest.files, graphs) as content_of:
            if not is_checked:
                check_graphs(folder, manifest, content_of)
        bundle = cls(folder, manifest)
        bundle.load_w_avg()
        bundle.load_tracking_kernel()
        if len(_checked) >= _MOST_CHECKED:
            _checked.clear()
        _checked.add(known)
        return bundle

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
                "needs: export it again, or take another model where it was left out for its size"
            )
        return self.path(found.file)

    def load_w_avg(self) -> Float32:
        """The mean of w, [w_dim].

        Raises:
            BundleError: The file holds something else.
        """
        w_dim = self.manifest.w_dim
        array, name = self._array(W_AVG_NAME)
        return _fitting(array, name, f"[{w_dim}]", fits=array.shape == (w_dim,))

    def load_tracking_kernel(self) -> Float32 | None:
        """What point tracking compares, [K, C, s, s]; None where the bundle says nothing of it.

        Raises:
            BundleError: The file holds something else.
        """
        if TRACKING_NAME not in self.manifest.files:
            return None
        channels = self.manifest.feature_map.channels
        return checked_kernel(*self._array(TRACKING_NAME), channels)

    def _array(self, file_name: str) -> tuple[Array, str]:
        """What is in a file of NumPy's format, and what it is called in messages."""
        from dragonnx.reading.npy_array import read_npy  # NumPy is not for looking at manifests

        name = f"{file_name} of the bundle {self.folder}"
        try:
            with opened_inside(self.folder, file_name) as file:
                return read_npy(file, self.manifest.files[file_name].size, name), name
        except InputError as error:
            raise BundleError(str(error)) from error


def checked_kernel(array: Array, name: str, channels: int) -> Float32:
    """The map by which points are followed, if it is one, float32 [K, C, s, s].

    Args:
        array: What it is to be.
        name: What it is called in messages.
        channels: C, those of the feature map.

    Raises:
        BundleError: It is something else.
    """
    most, widest = LARGEST_DESCRIPTION, WIDEST_KERNEL
    count, given, height, width = array.shape if array.ndim == 4 else (0, 0, 0, 0)
    odd = height % 2 == 1 and height <= widest
    fits = 1 <= count <= most and given == channels and odd and height == width
    expected = f"[1 to {most}, {channels}, s, s] with s odd and at most {widest}"
    return _fitting(array, name, expected, fits=fits)


def _fitting(array: Array, name: str, expected: str, *, fits: bool) -> Float32:
    """An array of finite float32, and of a shape that fits.

    Raises:
        BundleError: It is something else.
    """
    import numpy as np  # not for looking at manifests

    if not fits or array.dtype != np.float32:
        raise BundleError(
            f"{name} must be float32 {expected}, not {array.dtype} {list(array.shape)}"
        )
    if not np.isfinite(array).all():
        raise BundleError(f"{name} holds values that are no numbers")
    return array


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle folder, without looking at the other files.

    Raises:
        BundleError: There is none, or it cannot be read.
    """
    return _manifest(folder, _content(folder))


def _content(folder: Path) -> bytes:
    try:
        return read_bytes(folder / MANIFEST_NAME, LARGEST_MANIFEST)
    except InputError as error:
        raise BundleError(f"{folder} is no model bundle: {error}") from error


def _manifest(folder: Path, content: bytes) -> Manifest:
    try:
        return Manifest.from_json(content)
    except BundleError as error:
        raise BundleError(f"the bundle {folder} cannot be used: {error}") from error
