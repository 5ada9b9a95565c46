"""A job on its way to a node of a cluster: what it needs goes with it, since a node may see none of our files.

Contents are put where all nodes get them, and a job has what stands for them. A model is fetched and
verified once a node, whoever asks there, and kept for the next batch.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dragonnx.batch.job import Job
from dragonnx.errors import BundleError, StateError
from dragonnx.folders import atomic_folder, remove_folder, temporary_folder
from dragonnx.log import logger
from dragonnx.model.bundle import Bundle
from dragonnx.model.facts import MANIFEST_NAME
from dragonnx.paths import user_folder
from dragonnx.runtime import Sharing

Content = np.ndarray[Any, np.dtype[np.uint8]]
"""Bytes, which an object store hands out without a copy."""
_UNUSED = 30 * 24 * 3600
"""Seconds after which a model that no batch has used goes, when another one comes."""
_NAME = re.compile("[0-9a-f]{64}")
"""Of a model's folder."""
_KEPT = 32
"""Photos and models whose contents were put: what was needed last is not put again."""


@dataclass(frozen=True)
class Parcel:
    """A job with all that it needs.

    Attributes:
        job: The job; what it names is where it was sent from.
        model: A hash of its model's manifest, and so of all of it.
        bundle: What stands for the content of each of its model's files, by name.
        files: What stands for that of its photo, and of the files that say where the face in it is.
    """

    job: Job
    model: str
    bundle: Mapping[str, Any]
    files: Mapping[Path, Any]


class Packer:
    """Makes parcels.

    Args:
        put: Puts a content where nodes get it; what stands for it.
    """

    def __init__(self, put: Callable[[Content], Any]) -> None:
        self._put = put
        keep = functools.lru_cache(_KEPT)
        self._bundle: Callable[[Path, tuple[str, ...]], tuple[str, Mapping[str, Any]]]
        self._bundle = keep(self._put_bundle)
        self._file: Callable[[Path], Any] = keep(self._put_file)

    def parcel(self, job: Job) -> Parcel:
        """The parcel of a job.

        Raises:
            BundleError: Its model is not there any more.
        """
        bundle = job.bundle
        files = {}
        for path in _files_of(job):
            # One that has gone is looked for where the job is done, which then fails with a reason.
            with contextlib.suppress(OSError):
                files[path] = self._file(path)
        try:
            model, contents = self._bundle(bundle.folder, tuple(bundle.manifest.files))
        except OSError as error:
            raise BundleError(
                f"the bundle {bundle.folder} cannot be read any more ({error.strerror or error})"
            ) from error
        return Parcel(job, model, contents, files)

    def _put_bundle(self, folder: Path, names: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
        manifest = (folder / MANIFEST_NAME).read_bytes()
        contents = {name: self._put_file(folder / name) for name in (MANIFEST_NAME, *names)}
        return hashlib.sha256(manifest).hexdigest(), contents

    def _put_file(self, path: Path) -> Any:
        return self._put(np.fromfile(path, np.uint8))


@contextlib.contextmanager
def unpacked(parcel: Parcel, get: Callable[[Any], Content]) -> Iterator[Job]:
    """The job of a parcel, with its files on this machine as long as the block runs.

    Args:
        parcel: The parcel.
        get: Gets the content that something stands for.

    Raises:
        BundleError: The model is not what its manifest says.
        StateError: There is no place for the files.
    """
    with contextlib.ExitStack() as stack:
        try:
            bundle = Bundle(_model_folder(parcel, get), parcel.job.bundle.manifest)
            places = {}
            if parcel.files:
                folder = stack.enter_context(temporary_folder(Path(tempfile.gettempdir())))
                for number, (path, content) in enumerate(parcel.files.items()):
                    places[path] = folder / f"{number}{path.suffix}"
                    get(content).tofile(places[path])
        except OSError as error:
            raise StateError(
                f"what a job needs cannot be kept on a node of the cluster ({error}): DRAGONNX_CACHE names "
                "a folder for models, TMPDIR one for photos"
            ) from error
        yield _moved(replace(parcel.job, bundle=bundle), places)


def _model_folder(parcel: Parcel, get: Callable[[Any], Content]) -> Path:
    """The folder of a parcel's model on this machine; it is fetched where it is not there yet.

    Raises:
        BundleError: It is not what its manifest says.
        OSError: There is no place for it.
    """
    root = user_folder("cache", "DRAGONNX_CACHE") / "bundles"
    folder = root / parcel.model
    if not folder.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        with Sharing(root, places=1).turn():
            if not folder.is_dir():  # nobody was quicker
                _remove_unused(root)
                with atomic_folder(folder) as made:
                    for name, content in parcel.bundle.items():
                        get(content).tofile(made / name)
                    Bundle.open(made)
                logger.info(
                    "the model %s was fetched to %s", parcel.job.bundle.manifest.name, folder
                )
    os.utime(folder)
    return folder


def _remove_unused(root: Path) -> None:
    for folder in root.iterdir():
        if _NAME.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > _UNUSED:
            remove_folder(folder)


def _files_of(job: Job) -> list[Path]:
    """The files of a job beside its model's."""
    face = () if job.face is None else (job.face.landmarks, job.face.face_model)
    return [path for path in (job.photo, *face) if path is not None]


def _moved(job: Job, places: Mapping[Path, Path]) -> Job:
    """A job whose files lie elsewhere."""

    def moved(path: Path | None) -> Path | None:
        return None if path is None else places.get(path, path)

    face = job.face
    if face is not None:
        face = replace(face, landmarks=moved(face.landmarks), face_model=moved(face.face_model))
    return replace(job, photo=moved(job.photo), face=face)
