"""From the JSON of a manifest to its values, each checked for type and range; messages name the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dragonnx.errors import BundleError, InputError
from dragonnx.model.drag_settings import MOST_LAYERS, checked_setting
from dragonnx.model.facts import (
    FILTER_TAPS,
    LARGEST_LABEL,
    LARGEST_PSI,
    LARGEST_SIDE,
    MANIFEST_NAME,
    FeatureMap,
    FileRecord,
    GraphRecord,
    LayerFacts,
    LayerWindowFacts,
    ParityRecord,
    Source,
    WindowFacts,
)
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.values import (
    entry,
    items,
    number,
    point,
    positive,
    record,
    shown,
    size,
    text,
    whole,
    within,
)

Decoder = Callable[[Any, str], Any]
Decoders = Mapping[str, Decoder]
Value = TypeVar("Value")

LARGEST_MANIFEST = 2**20
"""Bytes; that of the bundled model has 12 KB."""
_MOST_FILES = 256
_MOST_BLOCKS = 14
"""Of sides 1 to `LARGEST_SIDE`, each twice the one before."""
_MOST_TAPS = 256
_MOST_RECORDS = 4096
"""Of parity, and of one's seeds."""
LARGEST_BUNDLE = 2**34
"""Bytes of all files: a hundred times StyleGAN2's. All are read to verify them."""
_FARTHEST = 1e6
"""Pixels, and the size of a filter's tap."""
_WORD, _LINE, _TEXT = 255, 1000, 20_000
"""Characters: of a name, of a sentence or two, of a licence."""
LONGEST_NAME, LONGEST_TEXT = _WORD, _TEXT
"""For whoever writes a manifest: of a model's name, of its licence or a note."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def manifest_facts(content: str | bytes) -> Mapping[str, Any]:
    """The values of a manifest's text by name, none of them checked.

    Raises:
        BundleError: It is no manifest.
    """
    try:
        return record(parse_json(content, "it", largest=LARGEST_MANIFEST), "it")
    except InputError as error:
        raise unreadable(error) from error


def unreadable(error: InputError) -> BundleError:
    """What a manifest is refused with for a value in it."""
    return BundleError(f"{MANIFEST_NAME} cannot be read ({error})")


def require_version(found: object, known: int) -> None:
    """Refuse a manifest of another format version.

    Raises:
        BundleError: It is of one.
    """
    if found != known:
        raise BundleError(
            f"the bundle has format version {shown(found)}, this dragonnx reads version "
            f"{known}: export it again, or use the dragonnx that it was made for"
        )


def require_plain_names(names: Iterable[str]) -> None:
    """Refuse names of files that would lie outside their folder.

    Raises:
        BundleError: There is one.
    """
    for name in names:
        # A colon parts them on Windows.
        if set(name) & set("/\\:\0") or name in {"", ".", "..", MANIFEST_NAME}:
            raise BundleError(f"{MANIFEST_NAME} lists {shown(name)}, which leaves the folder")


def require_bounded(files: Mapping[str, FileRecord]) -> None:
    """Refuse files that together are larger than any bundle.

    Raises:
        BundleError: They are.
    """
    if sum(file.size for file in files.values()) > LARGEST_BUNDLE:
        raise BundleError(
            f"{MANIFEST_NAME} lists files of more than {LARGEST_BUNDLE} bytes together"
        )


def decode(facts: Mapping[str, Any], decoders: Decoders, *optional: str) -> dict[str, Any]:
    """Values by name, each as its decoder makes it.

    Args:
        facts: The values as they came.
        decoders: What each is to be.
        optional: Names that may be left out.

    Raises:
        InputError: One is something else or missing, or there is one more.
    """
    if unknown := sorted(set(facts) - set(decoders)):
        raise InputError(f"unknown entries {', '.join(map(_plain, unknown[:5]))}")
    names = [name for name in decoders if name in facts or name not in optional]
    return {name: decoders[name](entry(facts, name), name) for name in names}


def _plain(name: str) -> str:
    return name if name.isidentifier() and len(name) <= _WORD else shown(name)


def _fields(kind: Callable[..., Value], decoders: Decoders, *optional: str) -> Decoder:
    """A decoder of what is made of values by name."""

    def decoder(value: object, name: str) -> Value:
        facts = record(value, name)
        with within(name):
            return kind(**decode(facts, decoders, *optional))

    return decoder


def _each(decoder: Decoder, most: int) -> Decoder:
    """A decoder of a list."""

    def each(value: object, name: str) -> tuple[Any, ...]:
        found = items(value, name, most)
        return tuple(decoder(item, f"{name}[{at}]") for at, item in enumerate(found))

    return each


def _by_name(decoder: Decoder) -> Decoder:
    """A decoder of values that have any names, at most as many as there may be files."""

    def by_name(value: object, name: str) -> dict[str, Any]:
        found = record(value, name, _MOST_FILES)
        return {
            text(key, f"a name in {name}", _WORD): decoder(found[key], _in(name, key))
            for key in found
        }

    return by_name


def _in(name: str, key: str) -> str:
    return f"{name}.{_plain(key)}"


def _text(longest: int) -> Decoder:
    return lambda value, name: text(value, name, longest)


def _whole(least: int, most: int) -> Decoder:
    return lambda value, name: whole(value, name, least, most)


def _settings(value: object, name: str) -> dict[str, Any]:
    """Drag settings by name, of which some are for one preset alone."""
    found = record(value, name, _MOST_FILES)
    with within(name):
        for key in found:
            checked_setting(key, found[key])
    return dict(found)


def _hash(value: object, name: str) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise InputError(f"{name} must be a SHA-256 in hexadecimal, not {shown(value)}")
    return value


def _rate(value: object, name: str) -> tuple[float, float]:
    x, y = point(value, name, _FARTHEST)
    return positive(x, name, _FARTHEST), positive(y, name, _FARTHEST)


def _filter(value: object, name: str) -> tuple[float, ...]:
    taps = tuple(
        number(tap, name, -_FARTHEST, _FARTHEST) for tap in items(value, name, FILTER_TAPS)
    )
    # What they filter is divided by their sum.
    if len(taps) < FILTER_TAPS or not sum(taps) > 0:
        raise InputError(f"{name} is no usable filter: {shown(value)}")
    return taps


def _cut(value: object, name: str) -> int | None:
    return None if value is None else whole(value, name, 1, LARGEST_SIDE)


def _layer(**facts: Any) -> LayerFacts:
    """A layer whose filters have as many taps as it says.

    Raises:
        InputError: They have not.
    """
    layer = LayerFacts(**facts)
    if not layer.up_taps:
        raise InputError("up_taps must not be empty")
    if layer.down_taps and len(layer.down_taps) != layer.down_side:
        raise InputError(f"down_side must be the number of down_taps, not {layer.down_side}")
    return layer


def _taps(value: object, name: str) -> tuple[float, ...]:
    return tuple(number(tap, name, -_FARTHEST, _FARTHEST) for tap in items(value, name, _MOST_TAPS))


def _windows(value: object, name: str) -> WindowFacts | LayerWindowFacts | None:
    found: WindowFacts | LayerWindowFacts | None = None
    if value is not None:
        by_layers = "layers" in record(value, name)
        found = (_LAYER_WINDOWS if by_layers else _WINDOWS)(value, name)
    return found


_COUNT = _whole(1, LARGEST_SIDE)
_SIZE: Decoder = lambda value, name: size(value, name, LARGEST_SIDE)  # noqa: E731
WINDOW_DECODERS: Decoders = {
    "cuts": _each(_COUNT, _MOST_BLOCKS),
    "channels": _each(_COUNT, _MOST_BLOCKS),
    "resample_filter": _filter,
}
"""Entries of the facts of windows."""
_WINDOWS = _fields(WindowFacts, WINDOW_DECODERS)
_LAYER_WINDOWS = _fields(
    LayerWindowFacts,
    {
        "cuts": _each(_COUNT, MOST_LAYERS),
        "layers": _each(
            _fields(
                _layer,
                {
                    **dict.fromkeys(
                        ("inputs", "channels", "convolved", "size", "up", "down"), _COUNT
                    ),
                    "kernel": _whole(1, 3),
                    "before": _whole(-LARGEST_SIDE, LARGEST_SIDE),
                    "up_taps": _taps,
                    "down_taps": _taps,
                    "down_side": _whole(1, _MOST_TAPS),
                },
            ),
            MOST_LAYERS,
        ),
    },
)
_MEASURED: Decoder = lambda value, name: number(value, name, 0, 1e38)  # noqa: E731
_PARITY = _fields(
    ParityRecord,
    {
        **dict.fromkeys(("graph", "output", "reference"), _text(_WORD)),
        **dict.fromkeys(("max_absolute", "max_relative", "tolerance"), _MEASURED),
        "reason": _text(_LINE),
        "seeds": _each(_whole(0, 2**64), _MOST_RECORDS),
    },
)

SHARED_DECODERS: Decoders = {
    "format_version": _whole(1, 1000),
    "name": _text(_WORD),
    "files": _by_name(
        _fields(FileRecord, {"sha256": _hash, "size": _whole(0, LARGEST_BUNDLE)}),
    ),
    "source": _fields(
        Source,
        {
            "format": _text(_LINE),
            "sha256": _text(_WORD),
            "licence": _text(_TEXT),
            "note": _text(_TEXT),
        },
        "note",
    ),
    "versions": _by_name(_text(_WORD)),
    "parity": _each(_PARITY, _MOST_RECORDS),
}
"""Entries that the manifest of a perceptual network has too."""

MODEL_DECODERS: Decoders = {
    **SHARED_DECODERS,
    "family": _text(_WORD),
    "image_size": _SIZE,
    "feature_map": _fields(
        FeatureMap,
        {
            "size": _SIZE,
            "channels": _COUNT,
            "offset": lambda value, name: point(value, name, _FARTHEST),
            "rate": _rate,
        },
    ),
    "windows": _windows,
    "graphs": _each(
        _fields(GraphRecord, {"role": _text(_WORD), "file": _text(_WORD), "cut": _cut}, "cut"),
        _MOST_FILES,
    ),
    "z_dim": _COUNT,
    "w_dim": _COUNT,
    "num_ws": _whole(1, MOST_LAYERS),
    "label_dim": _whole(0, LARGEST_LABEL + 1),
    "trainable_layers": _whole(1, MOST_LAYERS),
    "truncation_psi": lambda value, name: number(value, name, -LARGEST_PSI, LARGEST_PSI),
    "drag_settings": _settings,
}
"""Entries of a model's manifest."""
