"""Everything that opens what another made: by a name, each as a user of it calls it."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from fuzz.worker import Reader
from PIL import Image

from dragonnx.batch import read_jobs
from dragonnx.cli import main as command_line
from dragonnx.document import Document, Recovery, open_document
from dragonnx.document.archive import read_preview
from dragonnx.document.latent_file import load_direction, load_latent
from dragonnx.document.latents import current_w_plus
from dragonnx.document.opening import read_file
from dragonnx.document.outputs import report
from dragonnx.document.recipe import document_of, recipe_of
from dragonnx.drag.config import DragConfig
from dragonnx.drag.mask import is_mask, load_mask
from dragonnx.drag.session import DragSession
from dragonnx.errors import DragonnxError, InputError
from dragonnx.inversion.faces.detector import FaceDetector
from dragonnx.inversion.faces.landmarks import face_of, read_landmarks
from dragonnx.inversion.perceptual import PerceptualLoss
from dragonnx.inversion.photo import Photo, align, load_photo, target_of
from dragonnx.inversion.progress import Progress
from dragonnx.media import read_recipe
from dragonnx.model.bundle import Bundle, read_manifest
from dragonnx.model.generator import Generator
from dragonnx.model.manifest import Manifest
from dragonnx.runtime import choose_device
from dragonnx.tui.preferences import Preferences

FIXTURES = Path(__file__).parents[1] / "fixtures"
SIDE = 32
"""Of the pictures of the small model, in pixels."""
NUM_WS, W_DIM = 8, 6
KEY = "0" * 64
"""Of the progress files."""


@functools.cache
def _small() -> Generator:
    return Generator.open(FIXTURES / "bundle-v2", "cpu", threads=1)


def _photo(path: Path) -> None:
    photo = load_photo(path)
    target_of(align(photo, (SIDE, SIDE)))


def _masked_photo(path: Path) -> None:
    """The mask of a photo, which lies beside it."""
    load_photo(path.with_name("photo.png"), path)


def _mask(path: Path) -> None:
    is_mask(path)
    load_mask(path, (SIDE, SIDE))


def _landmarks(path: Path) -> None:
    face_of(read_landmarks(path))


def _face_model(path: Path) -> None:
    """A network that finds faces, up to the faces that it finds."""
    FaceDetector.open(path, threads=1).faces(Photo(Image.new("RGB", (90, 60), "red")))


def _recipe(path: Path) -> None:
    _use(document_of(read_recipe(path)))


def _document(path: Path) -> None:
    _use(open_document(path))


def _use(document: Document) -> None:
    """What opened can be used, or says in a sentence for which model it is not."""
    json.dumps(recipe_of(document))
    if document.result is not None:
        json.dumps(report(document))
    document.start.describe()
    w_plus = current_w_plus(document, _small())
    pairs = document.complete_pairs
    if pairs:
        handles, targets = zip(*((pair.handle, pair.target) for pair in pairs), strict=True)
        DragSession(_small(), w_plus, handles, targets, document.mask, document.config)


def _latent(path: Path) -> None:
    """For a model, for none, and as a direction."""
    with contextlib.suppress(InputError):  # of another size, as most of those that are read
        load_latent(path)
    with contextlib.suppress(InputError):  # of several, a latent is chosen, and a direction is not
        load_direction(path, _small())
    load_latent(path, generator=_small())


def _inversion(path: Path) -> None:
    """As an inversion goes on."""
    Progress.load(path, KEY, 0.1)


def small_drag() -> DragSession:
    """A drag of the small model."""
    w_plus = _small().w_plus(1)
    return DragSession(_small(), w_plus, [(9, 9)], [(20, 20)], keep_latents=True)


def _drag(path: Path) -> None:
    small_drag().resume(path)


def _any_file(path: Path) -> None:
    """As the editor opens what its user chose."""
    found = read_file(path, Document(), _small())
    if found.document is not None and found.kind == "document":
        _use(found.document)


def _manifest(path: Path) -> None:
    manifest = read_manifest(path)
    Bundle.open(path)
    manifest.to_json()


def _generator(path: Path) -> None:
    """A model up to its picture, and what else its changed graphs are for."""
    generator = Generator.open(path, "cpu", threads=1)
    manifest = generator.manifest
    w_plus = generator.w_plus(1, label=0 if manifest.label_dim else None)
    generator.image(w_plus)
    changed = _changed_graphs(path, manifest)
    if "preview" in changed:
        generator.preview(w_plus)
    if changed & {"features", "pullback"}:
        with contextlib.suppress(InputError):  # points that a model of other sizes has not
            config = DragConfig(max_steps=1)
            for _ in DragSession(generator, w_plus, [(9, 9)], [(20, 20)], None, config):
                pass
    for preview in (False, manifest.has_preview):
        if changed & {
            f"{'preview' if preview else 'image'}_{kind}" for kind in ("layers", "pullback")
        }:
            layers = generator.image_layers(w_plus, preview=preview)
            generator.image_pullback(layers, np.ones_like(layers.image))


@functools.cache
def _known_files() -> frozenset[bytes]:
    return frozenset(path.read_bytes() for path in FIXTURES.glob("bundle-*/*"))


def _changed_graphs(folder: Path, manifest: Manifest) -> set[str]:
    """Roles of the graphs that no valid bundle has: loading all of them each time takes long."""
    return {
        graph.role
        for graph in manifest.graphs
        if (folder / graph.file).read_bytes() not in _known_files()
    }


def _perceptual(path: Path) -> None:
    loss = PerceptualLoss.open(path, device=choose_device("cpu"), threads=1)
    image = np.zeros((1, 3, 16, 16), np.float32)
    loss.distance(image, image + 1)


def _jobs(path: Path) -> None:
    """As a batch reads them before anything starts."""
    for job in read_jobs(path):
        json.dumps(job.facts)


def _preferences(path: Path) -> None:
    chosen, told = Preferences.load(path)
    json.dumps(vars(chosen))
    if told:  # who shows it makes it visible, as an error's words
        raise InputError(told)


def _recovery(path: Path) -> None:
    """As an editor looks for lost work when it starts."""
    recovery = Recovery(path)
    for work in recovery.lost():
        with contextlib.suppress(DragonnxError):
            _use(recovery.recover(work))
            read_preview(work.path)


def _command(*arguments: str) -> Callable[[Path], str]:
    """A command with the path as its last argument, or as the folder of the user's models."""

    def run(path: Path) -> str:
        before = sys.argv, os.environ.get("DRAGONNX_MODELS")
        given = [a.replace("PATH", os.fspath(path)) for a in arguments]
        sys.argv = ["dragonnx", *given]
        os.environ["DRAGONNX_MODELS"] = str(path.parent)
        shown = io.StringIO()
        code: Any = 0
        try:
            with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
                command_line()
        except SystemExit as end:
            code = end.code
        finally:
            sys.argv = before[0]
            os.environ.pop("DRAGONNX_MODELS")
        if code not in (0, 2):
            raise RuntimeError(f"exit code {code}: {shown.getvalue()[-300:]}")
        if code == 2 and shown.getvalue().count("\n") != 1:
            raise RuntimeError(f"an error of several lines: {shown.getvalue()[-300:]}")
        return shown.getvalue()

    return run


READERS: MappingProxyType[str, Reader] = MappingProxyType(
    {
        "photo": _photo,
        "mask-of-photo": _masked_photo,
        "mask": _mask,
        "landmarks": _landmarks,
        "face-model": _face_model,
        "recipe": _recipe,
        "document": _document,
        "latent": _latent,
        "inversion": _inversion,
        "drag": _drag,
        "any-file": _any_file,
        "manifest": _manifest,
        "generator": _generator,
        "perceptual": _perceptual,
        "preferences": _preferences,
        "jobs": _jobs,
        "recovery": _recovery,
        "info": _command("info", "PATH"),
        "models": _command("models", "list"),
    }
)
WRITERS = frozenset({"recovery"})
"""They tidy up the folder that is theirs."""
