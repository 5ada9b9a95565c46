"""The generator among what a file holds: modules, state dicts, trainers' and encoders' files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dragonnx_export.checkpoints import nvidia, nvidia_arrays, rosinality
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_foreign
from dragonnx_export.checkpoints.inert import MAX_ARRAYS, InertObject, is_module, module_entries
from dragonnx_export.checkpoints.numpy_records import ArrayRecord
from dragonnx_export.checkpoints.tensorflow import is_tensorflow, read_tensorflow
from dragonnx_export.checkpoints.torch_storage import Storage, Tensor
from dragonnx_export.checkpoints.vocabulary import quoted
from dragonnx_export.families.stylegan2.checkpoint import Contents

_MAX_DEPTH = 3
_MAX_NAMES = 1_000_000
_MAX_CANDIDATES = 16
_READERS = {
    rosinality.MARKER: rosinality.read_rosinality,
    nvidia_arrays.MARKER: nvidia_arrays.read_nvidia_arrays,
}
STATE_DICT_MARKERS = tuple(_READERS)
"""How a name of every state dict that is read ends."""

_AVERAGED = frozenset({"g_ema", "G_ema", "ema", "generator_ema", "netG_ema", "params_ema"})
_DECODER, _DISCRIMINATOR = "decoder", "Discriminator"
_ENCODERS_FORMAT = "decoder of an e4e or pSp checkpoint"
_NOT_AVERAGED = "it holds no averaged generator, so the one of the last training step was taken"
_LATENT_AVG = "latent_avg"


@dataclass(frozen=True)
class _Candidate:
    """A state dict of a generator: where it lies and by what name it was told."""

    place: tuple[str, ...]
    entries: Mapping[str, object]
    marker: str
    latent_avg: object

    @property
    def averaged(self) -> bool:
        return not _AVERAGED.isdisjoint(self.place)


def read_generator(content: object, max_elements: int) -> Contents:
    """Read the generator in what a file holds, the averaged one where there are several.

    Args:
        content: Plain data, arrays and inert objects.
        max_elements: How many elements the weights may have together.

    Raises:
        CheckpointError: There is no StyleGAN2 generator of a kind that is supported.
        ArchitectureError: Its facts contradict each other.
    """
    if is_tensorflow(content):
        return read_tensorflow(content, max_elements)
    keyed = _nvidia_record(content)
    if keyed is not None:
        key, record = keyed
        refuse_foreign(module_entries(record).keys())
        contents = nvidia.read_nvidia(record, max_elements)
        return contents if key in _AVERAGED | {""} else _not_averaged(contents)
    dicts = list(_state_dicts(content))
    found = (candidate for parts in dicts for candidate in _candidates(*parts))
    candidates = list(itertools.islice(found, _MAX_CANDIDATES))
    if not candidates:
        refuse_foreign([name for _, entries, _ in dicts for name in entries])
        _refuse(content)
    chosen = max(candidates, key=lambda candidate: candidate.averaged)
    reader = _READERS[chosen.marker]
    contents = reader(chosen.entries, chosen.latent_avg, max_elements)
    if _DECODER in chosen.place:
        return replace(contents, format=_ENCODERS_FORMAT)
    if not chosen.averaged and chosen.place and chosen.place[-1] in ("g", "G", "generator"):
        return _not_averaged(contents)
    return contents


def _not_averaged(contents: Contents) -> Contents:
    return replace(contents, notes=(*contents.notes, _NOT_AVERAGED))


def _nvidia_record(content: object) -> tuple[str, InertObject] | None:
    """The record of a generator of NVIDIA's class and its key, the averaged one if there is one."""
    records = content if isinstance(content, dict) else {"": content}
    found = [
        (str(key), value)
        for key, value in records.items()
        if isinstance(value, InertObject) and _is_nvidia_generator(value)
    ]
    return max(found, key=lambda entry: entry[0] in _AVERAGED, default=None)


def _is_nvidia_generator(record: InertObject) -> bool:
    modules = record.state.get("_modules")
    ours = isinstance(modules, dict) and not {"mapping", "synthesis"}.isdisjoint(modules)
    return record.class_name.endswith("Generator") and ours


def _state_dicts(
    content: object,
) -> Iterator[tuple[tuple[str, ...], Mapping[str, object], object]]:
    """Every dict of arrays, with the place where it lies and the latent_avg beside or above it."""
    waiting: list[tuple[tuple[str, ...], object, object]] = [((), content, None)]
    seen: set[int] = set()
    names = 0
    while waiting:
        place, value, latent_avg = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        entries: Mapping[Any, object] = {}
        if isinstance(value, InertObject):
            generates = is_module(value) and value.class_name != _DISCRIMINATOR
            entries = module_entries(value) if generates else {}
        elif isinstance(value, dict):
            entries = value
        names += len(entries)
        if names > _MAX_NAMES:
            raise CheckpointError("it holds more arrays than any StyleGAN2 checkpoint")
        latent_avg = entries.get(_LATENT_AVG, latent_avg)
        arrays = {n: v for n, v in entries.items() if isinstance(n, str) and _is_array(v)}
        if arrays:
            yield place, arrays, latent_avg
        if len(place) < _MAX_DEPTH and isinstance(value, dict):
            inner = [(n, v) for n, v in value.items() if isinstance(v, dict | InertObject)]
            waiting += [((*place, str(n)[:40]), v, latent_avg) for n, v in reversed(inner)]


def _candidates(
    place: tuple[str, ...], entries: Mapping[str, object], latent_avg: object
) -> Iterator[_Candidate]:
    for marker in _READERS:
        for name in entries:
            prefix = name.removesuffix(marker)
            if prefix == name or not (prefix == "" or prefix.endswith(".")):
                continue
            if len(entries) > MAX_ARRAYS:
                raise CheckpointError("its network is larger than a StyleGAN2 generator")
            # An average that lies among them under no prefix belongs to all of them.
            own = {
                n.removeprefix(prefix): v
                for n, v in entries.items()
                if n.startswith(prefix) and (prefix or n != _LATENT_AVG)
            }
            yield _Candidate((*place, *prefix.split(".")[:-1]), own, marker, latent_avg)


def _is_array(value: object) -> bool:
    return isinstance(value, Tensor | ArrayRecord | np.ndarray)


def _refuse(content: object) -> None:
    """Say what the file holds in place of a generator.

    Raises:
        CheckpointError: Always.
    """
    if _is_array(content) or isinstance(content, Storage):
        raise CheckpointError(
            "it holds a single array, perhaps a latent code, and no network; give the checkpoint "
            "of the generator"
        )
    if isinstance(content, InertObject) and content.class_name == _DISCRIMINATOR:
        raise CheckpointError(
            "it holds a discriminator only, which makes no images; give a generator"
        )
    if isinstance(content, dict) and "G_ema" not in content:
        held = ", ".join(quoted(str(key)[:20]) for key in list(content)[:5]) or "nothing"
        raise CheckpointError(
            f"it has no averaged generator 'G_ema' or 'g_ema' but {held}; give it the network "
            "snapshot that training wrote"
        )
    raise CheckpointError(
        "it is a file of something else than a StyleGAN2 generator; give the checkpoint"
    )
