"""From what a user wrote to a job: every field is checked, files are read, the model is opened."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from dragonnx.batch.fields import FIELDS, OF_PHOTOS, STARTS
from dragonnx.batch.formats import Formats
from dragonnx.batch.job import Job, key_of
from dragonnx.batch.photo import FaceSource
from dragonnx.document.archive import SUFFIX, open_document
from dragonnx.document.facts import config_of
from dragonnx.document.latent_file import load_latent
from dragonnx.document.pictures import open_picture
from dragonnx.document.start import LatentStart
from dragonnx.document.state import LONGEST_PATH, MOST_PAIRS, Document, PointPair
from dragonnx.drag.mask import checked_mask, load_mask
from dragonnx.drag.points import checked_pairs
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.inversion.faces.alignment import frame_on
from dragonnx.inversion.faces.choice import check_source
from dragonnx.inversion.faces.detector import FaceDetector
from dragonnx.inversion.faces.landmarks import read_landmarks
from dragonnx.inversion.photo import load_photo
from dragonnx.model.bundle import Bundle
from dragonnx.model.drag_settings import MOST_STEPS
from dragonnx.model.facts import MANIFEST_NAME
from dragonnx.model.labels import fitting_label
from dragonnx.model.latent import checked_w_plus
from dragonnx.model.latent_choice import MOST_LATENTS
from dragonnx.model.library import find_bundle, is_path, model_name, open_bundle
from dragonnx.model.manifest import Manifest
from dragonnx.paths import is_portable_name, typed_path
from dragonnx.reading.regular_file import ANY_SIZE, opened_file, sha256_of
from dragonnx.reading.values import entry, items, one_of, record, shown, text, whole, within
from dragonnx.types import Align, Points

INVERSION_STEPS = InversionConfig.steps
"""As the command `dragonnx invert` takes."""
_PNG = Formats()
RESERVED = ("contact-sheet", "summary")
"""Names of files about all jobs."""
_KEPT = 32
"""Files that several jobs read: what was read of them last is kept."""


class JobMaker:
    """Makes jobs of what users wrote.

    Args:
        folder: What paths in jobs are relative to.
        inversion_steps: For photos whose job does not say.
        formats: Of files whose job does not say.

    Raises:
        InputError: A value is wrong.
    """

    def __init__(
        self, folder: Path, inversion_steps: int = INVERSION_STEPS, formats: Formats = _PNG
    ) -> None:
        self._folder = folder.absolute()
        self._inversion_steps = whole(inversion_steps, "inversion_steps", 1, MOST_STEPS)
        self._formats = formats
        keep = functools.lru_cache(_KEPT)
        self._bundle: Callable[[str], Bundle] = keep(open_bundle)
        self._base: Callable[[Path], Document] = keep(_read_base)
        self._mask = keep(load_mask)
        self._latent = keep(load_latent)
        self._photo: Callable[[Path, tuple[int, int]], tuple[str, tuple[int, int]]]
        self._photo = keep(_check_photo)
        self._landmarks: Callable[[Path], tuple[str, Points]] = keep(_check_landmarks)
        self._face_model: Callable[[Path], str] = keep(_check_face_model)
        self._model_hash: Callable[[Path], str] = keep(_hash_of)

    def make(self, facts: object, default_id: str) -> Job:
        """The job of what a user wrote.

        Args:
            facts: JSON values by name; null is as good as nothing.
            default_id: Its id where it has none.

        Raises:
            DragonnxError: Something in it is wrong, or cannot be read.
        """
        given = record(_plain(facts), "a job")
        if unknown := sorted(set(given) - set(FIELDS)):
            raise InputError(
                f"there is no field {shown(unknown[0])} in a job: it may have {', '.join(FIELDS)}"
            )
        said = {name: value for name, value in given.items() if value is not None}
        name = checked_id(said.get("id", default_id))
        document = self._document(said)
        bundle = self._bundle(document.model)
        model = bundle.manifest
        document = self._with_start(document, said, model)
        if "mask" in said:
            mask = self._mask(self._path(said, "mask"), model.image_size)
            document = replace(document, mask=mask)
        weighs = said.get("config", {}).get("lambda_mask") is not None
        if weighs and document.mask is None:
            raise InputError(
                "config.lambda_mask is the weight of a mask, which the job does not have"
            )
        photo = self._path(said, "photo") if "photo" in said else None
        # A document that names no class is of the first, as in the editor.
        chosen = photo is not None or ("seed" in said and "document" not in said)
        check_fits(document, model, needs_label=chosen)
        formats = self._formats.over(said, is_drag=bool(document.pairs))
        if photo is None and (name_of_it := next((e for e in OF_PHOTOS if e in said), None)):
            raise InputError(f"{name_of_it} is for a photo, which the job does not have")
        steps = whole(
            said.get("inversion_steps", self._inversion_steps), "inversion_steps", 1, MOST_STEPS
        )
        face = self._face(said)
        photo_hash = face_facts = None
        if photo is not None:
            photo_hash, size = self._photo(photo, model.image_size)
            if face is not None:
                face_facts = self._check_face(face, size, model.image_size)
        model_hash = self._model_hash(bundle.path(MANIFEST_NAME))
        key = key_of(document, model_hash, photo_hash, face_facts, steps, formats)
        return Job(name, document, bundle, photo, face, steps, formats, dict(said), key)

    def _document(self, said: Mapping[str, Any]) -> Document:
        """The edit but for its start and its mask."""
        if not set(said) & {*STARTS, "document"}:
            raise InputError("it must have a seed, a latent, a photo or a document to start from")
        base = Document()
        if "document" in said:
            base = self._base(self._path(said, "document"))
        if "model" in said:
            base = replace(base, model=self._model(said["model"]))
        if "points" in said:
            pairs = items(said["points"], "points", MOST_PAIRS)
            base = replace(
                base, pairs=tuple(_pair(pair, f"points[{at}]") for at, pair in enumerate(pairs))
            )
        if "config" in said:
            base = replace(base, config=config_of(said["config"], "config", base.config))
        return base

    def _with_start(self, document: Document, said: Mapping[str, Any], model: Manifest) -> Document:
        if len(starts := [name for name in STARTS if name in said]) > 1:
            raise InputError(f"it must start from one thing, not from {' and '.join(starts)}")
        start = document.start
        if "index" in said and "latent" not in said:
            raise InputError("index is for a latent, which the job does not have")
        if "latent" in said:
            path = self._path(said, "latent")
            index = whole(said.get("index", 0), "index", 0, MOST_LATENTS)
            w_plus = self._latent(path, model.num_ws, model.w_dim, index=index)
            start = LatentStart(w_plus=w_plus, name=path.name)
        elif "photo" in said:
            start = LatentStart(name=self._path(said, "photo").name, label=start.label)
        elif "seed" in said:
            start = replace(start, seed=said["seed"], w_plus=None, name="")
        if "truncation_psi" in said:
            if start.w_plus is not None or "photo" in said:
                raise InputError("truncation_psi is for a seed, and the job starts from another")
            start = replace(start, truncation_psi=said["truncation_psi"])
        if "label" in said:
            if start.w_plus is not None:
                raise InputError("label is for a seed or a photo, and the job starts from a latent")
            start = replace(start, label=said["label"])
        return replace(document, start=start)

    def _face(self, said: Mapping[str, Any]) -> FaceSource | None:
        align = one_of(said.get("align", "none"), "align", get_args(Align))
        number = said.get("face")
        check_source(align, said.get("landmarks"), said.get("face_model"), number)
        if align == "none":
            return None
        landmarks, network = (
            self._path(said, name) if name in said else None for name in ("landmarks", "face_model")
        )
        return FaceSource(landmarks, network, number)

    def _check_face(
        self, face: FaceSource, photo: tuple[int, int], image_size: tuple[int, int]
    ) -> dict[str, Any]:
        """What the result depends on, of a face in a photo of that size (width, height).

        Which faces a network finds is seen when the job is done.
        """
        if face.landmarks is not None:
            content, points = self._landmarks(face.landmarks)
            frame_on(photo, points, image_size)
            return {"landmarks": content}
        assert face.face_model is not None  # noqa: S101 one of both is there
        return {"face_model": self._face_model(face.face_model), "face": face.face or 1}

    def _path(self, said: Mapping[str, Any], name: str) -> Path:
        """A file that a job names; the system's own way of naming it in messages."""
        words = text(said[name], name, LONGEST_PATH)
        if not words:
            raise InputError(f"{name} must be a path, not nothing")
        return self._folder / typed_path(words)

    def _model(self, named: object) -> str:
        """A model's name, or its folder from the root on."""
        words = text(named, "model", LONGEST_PATH)
        if not words:
            raise InputError("model must be a name or a path, not nothing")
        if is_path(words):
            return str(self._folder / typed_path(words))
        with within("model"):
            find_bundle(words)
        return model_name(words)


def checked_id(name: object) -> str:
    """The id of a job, where every system takes it for the name of a file.

    Raises:
        InputError: It is another thing.
    """
    if isinstance(name, str) and is_portable_name(name) and name.lower() not in RESERVED:
        return name
    raise InputError(
        f"id must be 1 to 64 letters, digits and -_. alone that every system takes for a file's name "
        f"(not aux, con, com1 ..., a dot last, {' or '.join(RESERVED)}), not {shown(name)}"
    )


def check_fits(document: Document, model: Manifest, *, needs_label: bool) -> None:
    """Refuse an edit that would fail on its model.

    Raises:
        InputError: A point, the mask, a setting, the latent or the class does not fit the model, or it
            cannot turn and move what it shows.
    """
    start, pairs = document.start, document.complete_pairs
    for each in start.directions:
        checked_w_plus(each.vector, model.num_ws, model.w_dim)
    if start.motion is not None:
        model.check_transform()
    if start.w_plus is not None:
        checked_w_plus(start.w_plus, model.num_ws, model.w_dim)
    elif start.label is not None or needs_label:
        fitting_label(start.label, model.name, model.label_dim)
    if not pairs:
        return
    handles, targets = zip(*((pair.handle, pair.target) for pair in pairs), strict=True)
    checked_pairs(handles, targets, model.image_size)
    mask = checked_mask(document.mask, model.image_size)
    document.config.settings(
        image_height=model.image_size[0],
        point_count=len(pairs),
        trainable_layers=model.trainable_layers,
        recommended=model.drag_settings,
        masked=mask is not None,
    )


def _plain(facts: object) -> Any:
    """What a program gave as JSON values: paths as texts, NumPy's numbers and arrays as Python's.

    Raises:
        InputError: It holds something else.
    """

    def plain(value: object) -> object:
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError

    try:
        return json.loads(json.dumps(facts, default=plain))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"a job must hold JSON values alone, not {shown(facts)}") from error


def _pair(facts: object, name: str) -> PointPair:
    pair = record(facts, name)
    if unknown := sorted(set(pair) - {"handle", "target"}):
        raise InputError(f"{name} holds {shown(unknown[0])}, and may hold handle and target alone")
    with within(name):
        found = PointPair(entry(pair, "handle"), entry(pair, "target"))
        if found.target is None:
            raise InputError("target must be a point (x, y), not None")
    return found


def _read_base(path: Path) -> Document:
    """The edit of a document or of a picture, before it was dragged."""
    is_document = path.suffix.lower() == SUFFIX
    document = (open_document(path) if is_document else open_picture(path)).at_start()
    # A handle whose target was not placed yet is no part of the edit.
    return replace(document, pairs=document.complete_pairs)


def _check_photo(path: Path, image_size: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """Read a photo once, so that one that cannot be inverted is told in time; its hash and size."""
    photo = load_photo(path, image_size=image_size)
    return _hash_of(path), photo.picture.size


def _check_landmarks(path: Path) -> tuple[str, Points]:
    points = read_landmarks(path)
    return _hash_of(path), points


def _check_face_model(path: Path) -> str:
    """Open a network once, so that one that finds no faces is told in time; its hash."""
    FaceDetector.open(path, threads=1)
    return _hash_of(path)


def _hash_of(path: Path) -> str:
    with opened_file(path, ANY_SIZE) as file:
        return sha256_of(file)
