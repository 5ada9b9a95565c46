"""A document as JSON facts and named members (arrays, the mask): what its file and a recipe hold alike.

Nothing in a member can run code: arrays are read without pickles.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.document.paused import PausedDrag
from dragonnx.document.result import DragResult
from dragonnx.document.start import MOST_DIRECTIONS, Along, LatentStart
from dragonnx.document.state import MOST_PAIRS, Document, PointPair
from dragonnx.drag.config import DragConfig
from dragonnx.drag.mask import mask_of_png
from dragonnx.errors import InputError
from dragonnx.model.labels import label_facts
from dragonnx.model.motion import Motion
from dragonnx.reading.values import entry, items, record, shown, text, within
from dragonnx.types import Array, Mask

FORMAT_VERSION = 1
MASK = "mask.png"
_START, _LATENTS, _TRACE, _TARGETS, _LOSS = (
    f"{name}.npy" for name in ("start_w_plus", "latents", "trace", "targets", "loss")
)
_VECTORS = "directions.npy"
_DIRECTIONS = "directions"
_MOTION = "motion"
_PAUSED = "paused"
_OF_PAUSED = {name: f"paused_{name}.npy" for name in ("mean", "square", "losses", "seconds")}
ARRAYS = (_START, _VECTORS, _LATENTS, _TRACE, _TARGETS, _LOSS, *_OF_PAUSED.values())
"""The arrays that a document may have beside its mask."""
_UNNAMED = DragConfig(preset="paper")
"""The settings that a document does not name. Its first writers knew no better preset than "paper", so
that what they wrote stays what it was; what is chosen today is named."""
_LONGEST_MEMBER = 64 * 2**20
"""Characters, in a recipe."""


def facts_of(document: Document) -> dict[str, Any]:
    """The document without its members, as JSON values. Of the settings, those that were chosen."""
    start, result = document.start, document.result
    return {
        "format_version": FORMAT_VERSION,
        "model": document.model,
        "start": {
            "seed": start.seed,
            "truncation_psi": start.truncation_psi,
            "label": label_facts(start.label),
            "name": start.name,
            # Beside them only where there are some, so that keys of results without them stay.
            **(
                {}
                if not start.directions
                else {_DIRECTIONS: [{"name": e.name, "amount": e.amount} for e in start.directions]}
            ),
            **({} if start.motion is None else {_MOTION: asdict(start.motion)}),
        },
        "pairs": [asdict(pair) for pair in document.pairs],
        "config": {
            field.name: value
            for field in fields(DragConfig)
            if (value := getattr(document.config, field.name)) != getattr(_UNNAMED, field.name)
        },
        "result": None
        if result is None
        else {
            "seconds": result.seconds,
            "outcome": result.outcome,
            "settings": result.settings,
            "masked": result.masked,
            "device": result.device,
            "precision": result.precision,
            **(
                {}
                if (paused := result.paused) is None
                else {
                    _PAUSED: {
                        "key": paused.key,
                        "terms": list(paused.terms),
                        "computed_on": paused.computed_on,
                    }
                }
            ),
        },
    }


def members_of(document: Document) -> dict[str, bytes]:
    """The document's arrays as .npy and its mask as PNG, by name."""
    arrays: dict[str, Array] = {}
    if document.start.w_plus is not None:
        arrays[_START] = document.start.w_plus
    if document.start.directions:
        arrays[_VECTORS] = np.concatenate([each.vector for each in document.start.directions])
    if (result := document.result) is not None:
        arrays |= {
            _LATENTS: result.latents,
            _TRACE: result.trace,
            _TARGETS: result.targets,
            _LOSS: result.loss,
        }
        if result.paused is not None:
            arrays |= {_OF_PAUSED[name]: each for name, each in result.paused.arrays().items()}
    members = {name: _npy(array) for name, array in arrays.items()}
    if document.mask is not None:
        members[MASK] = mask_png(document.mask)
    return members


def document_of_facts(
    facts: Mapping[str, Any], arrays: Mapping[str, Array], mask: bytes | None
) -> Document:
    """The document that `facts_of` and `members_of` told of.

    Args:
        facts: As JSON gave them.
        arrays: The members in `ARRAYS` that there are, by name.
        mask: The member `MASK`, where there is one.

    Raises:
        InputError: It is of another format version, or something is missing, wrong or impossible.
    """
    if (version := entry(facts, "format_version")) != FORMAT_VERSION:
        raise InputError(
            f"it has format version {shown(version)}, this dragonnx reads version {FORMAT_VERSION}"
        )
    start, result = record(entry(facts, "start"), "start"), entry(facts, "result")
    pairs = items(entry(facts, "pairs"), "pairs", MOST_PAIRS)
    with within("start"):
        latent = LatentStart(
            seed=entry(start, "seed"),
            truncation_psi=entry(start, "truncation_psi"),
            label=entry(start, "label"),
            w_plus=arrays.get(_START),
            name=entry(start, "name"),
            directions=_directions(start.get(_DIRECTIONS, []), arrays),
            motion=_motion(start.get(_MOTION)),
        )
    return Document(
        model=entry(facts, "model"),
        start=latent,
        pairs=tuple(pair_of(pair, f"pairs[{index}]") for index, pair in enumerate(pairs)),
        mask=None if mask is None else mask_of_png(mask),
        config=config_of(entry(facts, "config"), "config"),
        result=None if result is None else _result(record(result, "result"), arrays),
    )


def pair_of(facts: object, name: str) -> PointPair:
    """A pair of its facts.

    Raises:
        InputError: It lacks its handle, or a point is none.
    """
    pair = record(facts, name)
    with within(name):
        return PointPair(
            entry(pair, "handle"),
            pair.get("target"),
            pair.get("origin"),
            is_on=pair.get("is_on", True),
        )


def config_of(facts: object, name: str, base: DragConfig = _UNNAMED) -> DragConfig:
    """The settings of a drag, those that were chosen over others.

    Raises:
        InputError: One is impossible, or there is no such setting.
    """
    chosen = record(facts, name)
    known = [field.name for field in fields(DragConfig)]
    if unknown := sorted(set(chosen) - set(known)):
        raise InputError(
            f"{name} holds {shown(unknown[0])}, which is no setting of a drag: there are "
            f"{', '.join(known)}"
        )
    with within(name):
        return replace(base, **chosen)


def decoded(encoded: object, name: str) -> bytes:
    """The content of a member that a recipe holds as base64.

    Raises:
        InputError: It is none.
    """
    letters = text(encoded, name, _LONGEST_MEMBER)
    try:
        return base64.b64decode(letters, validate=True)
    except ValueError as error:
        raise InputError(f"{name} is no base64") from error


def mask_png(mask: Mask) -> bytes:
    """A mask as PNG: white may move, black stays fixed."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).convert("1").save(buffer, "PNG")
    return buffer.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _directions(facts: object, arrays: Mapping[str, Array]) -> tuple[Along, ...]:
    named = items(facts, _DIRECTIONS, MOST_DIRECTIONS)
    if not named:
        if _VECTORS in arrays:
            raise InputError(f"{_VECTORS} holds directions that start.{_DIRECTIONS} does not name")
        return ()
    vectors = entry(arrays, _VECTORS)
    if vectors.ndim != 3 or len(vectors) != len(named):
        raise InputError(
            f"{_VECTORS} must hold an array [{len(named)}, num_ws, w_dim], not {list(vectors.shape)}"
        )
    found = []
    for index, each in enumerate(named):
        name = f"{_DIRECTIONS}[{index}]"
        known = record(each, name)
        with within(name):
            found.append(
                Along(entry(known, "name"), entry(known, "amount"), vectors[index : index + 1])
            )
    return tuple(found)


def _motion(facts: object) -> Motion | None:
    if facts is None:
        return None
    motion = record(facts, _MOTION)
    with within(_MOTION):
        return Motion(entry(motion, "rotation"), entry(motion, "translation"))


def _result(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> DragResult:
    latents, trace, targets, loss = (
        entry(arrays, name) for name in (_LATENTS, _TRACE, _TARGETS, _LOSS)
    )
    with within("result"):
        return DragResult(
            latents=latents,
            trace=trace,
            targets=targets,
            loss=loss,
            seconds=entry(facts, "seconds"),
            outcome=entry(facts, "outcome"),
            settings=entry(facts, "settings"),
            masked=entry(facts, "masked"),
            device=facts.get("device", ""),
            precision=facts.get("precision", ""),
            paused=_paused(facts.get(_PAUSED), arrays),
        )


def _paused(facts: object, arrays: Mapping[str, Array]) -> PausedDrag | None:
    if facts is None:
        return None
    known = record(facts, _PAUSED)
    found = {name: entry(arrays, member) for name, member in _OF_PAUSED.items()}
    with within(_PAUSED):
        return PausedDrag(
            key=entry(known, "key"),
            terms=entry(known, "terms"),
            computed_on=entry(known, "computed_on"),
            **found,
        )
