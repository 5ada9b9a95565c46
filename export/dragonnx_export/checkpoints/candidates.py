"""The generators of a file, each with its place and what is said of it there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dragonnx.errors import InputError
from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.numpy_records import sizes
from dragonnx.reading.pickles.torch_storage import Tensor
from dragonnx_export.checkpoints import nvidia, paddle, stylegan3_records
from dragonnx_export.checkpoints.averages import is_average
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.contents import Contents
from dragonnx_export.checkpoints.contents_walk import (
    LATENT_AVG,
    Found,
    Place,
    StateDict,
    is_array,
)
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_conditional, refuse_foreign
from dragonnx_export.checkpoints.layouts import Layout, layouts_in
from dragonnx_export.checkpoints.module_records import MAX_ARRAYS, module_entries
from dragonnx_export.checkpoints.weights import as_array, unread, why_unread
from dragonnx_export.checkpoints.wrappers import WRAPPERS
from dragonnx_export.families.family import ArchitectureError

_MAX_CANDIDATES = 64
_DECODER = "decoder"
_ENCODERS_FORMAT = "decoder of an e4e or pSp checkpoint"


@dataclass(frozen=True)
class Candidate:
    """A generator in a file.

    Attributes:
        place: The keys under which it lies, from the outside in.
        average: Whether it is an average over training; None where nothing says so.
    """

    place: Place
    average: bool | None

    @property
    def name(self) -> str:
        """Its place in one word, as `--network` takes it."""
        return ".".join(key for key in self.place if key not in WRAPPERS)

    @property
    def parts(self) -> Mapping[str, object]:
        """What it is made of; of two that share all of it, one is the other."""
        return {"": self}

    def read(self, max_elements: int, choices: Choices) -> Contents:
        """The generator itself.

        Raises:
            CheckpointError: It is none of a kind that is supported.
            ArchitectureError: Its facts contradict each other.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class RecordCandidate(Candidate):
    """A whole network of NVIDIA's, which states its facts."""

    record: InertObject

    @property
    def parts(self) -> Mapping[str, object]:
        """See `Candidate.parts`."""
        return {"": self.record}

    def read(self, max_elements: int, choices: Choices) -> Contents:
        """See `Candidate.read`."""
        if stylegan3_records.is_stylegan3(self.record):
            return stylegan3_records.read_stylegan3(self.record, max_elements, choices)
        refuse_foreign(module_entries(self.record).keys())
        return nvidia.read_nvidia(self.record, max_elements, choices)


@dataclass(frozen=True)
class StateDictCandidate(Candidate):
    """Arrays by name.

    Attributes:
        entries: Those of the generator, without a prefix.
        latent_avg: The average w beside them, or None.
        layout: Whose names they are.
        transposed: Whether PaddlePaddle wrote them.
    """

    entries: Mapping[str, object]
    latent_avg: object
    layout: Layout
    transposed: bool

    @property
    def parts(self) -> Mapping[str, object]:
        """See `Candidate.parts`."""
        return self.entries

    def read(self, max_elements: int, choices: Choices) -> Contents:
        """See `Candidate.read`."""
        entries = dict(_used(self.entries))
        transposed = self.transposed or paddle.has_transposed_weights(entries)
        try:
            if transposed:
                entries = paddle.upright(entries)
            contents = self.layout.read(entries, self.latent_avg, max_elements, choices)
        except (InputError, ArchitectureError) as error:
            raise CheckpointError(
                f"it holds a generator in the names of {self.layout.project}, but "
                f"{why_unread(self.entries) or error}"
            ) from error
        if transposed:
            return replace(contents, format=paddle.FORMAT)
        if _DECODER in self.place:
            return replace(contents, format=_ENCODERS_FORMAT)
        return contents


def _used(entries: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The arrays of a network, without what may lie among them and is none of it.

    That is what no network is computed with, and the counts, rates and times that trainers keep.
    """
    for name, value in entries.items():
        if unread(value):
            continue
        if "." not in name and is_array(value):
            array = as_array(name, value)
            if array.size == 1 and array.ndim <= 1:
                continue
        yield name, value


def candidates(found: Found) -> list[Candidate]:
    """Every generator in a file, in its order.

    Raises:
        CheckpointError: There are too many, or one is part of a network of another kind.
    """
    listed: list[Candidate] = [
        RecordCandidate(place, _average(found, place), record) for place, record in found.records
    ]
    for state in found.dicts:
        beside = _average(found, state.place)
        for candidate in _of_a_dict(state, paddle=found.paddle):
            marked = beside and candidate.average is None
            listed.append(replace(candidate, average=True) if marked else candidate)
            if len(listed) > _MAX_CANDIDATES:
                raise CheckpointError(
                    f"it holds more than {_MAX_CANDIDATES} generators; give a file with one"
                )
    return listed


def _average(found: Found, place: Place) -> bool | None:
    """Whether a place says of what lies there that it is an average, or what lies beside it does."""
    average = is_average(place)
    beside = any(place[: len(outer)] == outer for outer in found.averages)
    return True if average is None and beside else average


def _of_a_dict(state: StateDict, *, paddle: bool) -> Iterator[StateDictCandidate]:
    generators = list(layouts_in(state.entries))
    if generators and len(state.entries) > MAX_ARRAYS:
        raise CheckpointError("its network is larger than a StyleGAN2 generator")
    others = tuple(prefix for prefix, _ in generators if prefix)
    for prefix, layout in generators:
        refuse_conditional(state.entries)
        # An average that lies among them under no prefix belongs to all of them.
        own = {
            name.removeprefix(prefix): value
            for name, value in state.entries.items()
            if name.startswith(prefix) and (prefix or name != LATENT_AVG)
            if prefix or not name.startswith(others)
        }
        place = (*state.place, *prefix.split(".")[:-1])
        average = is_average(place)
        if average is None and _counts_averaged(state.entries, prefix):
            average = True
        yield StateDictCandidate(place, average, own, state.latent_avg, layout, paddle)


def _counts_averaged(entries: Mapping[str, object], prefix: str) -> bool:
    """Whether torch's AveragedModel wrote it, which keeps a count beside its `module`."""
    outer = [match.start() for match in re.finditer(r"(?<![^.])module\.", prefix)]
    return any(f"{prefix[:end]}n_averaged" in entries for end in outer)


def distinct(listed: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those that are another one under a further name."""
    kept: list[Candidate] = []
    for candidate in listed:
        if not any(_is_same(candidate.parts, other.parts) for other in kept):
            kept.append(candidate)
    return kept


def _is_same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two networks are the same values, which a file holds once."""
    return one.keys() == other.keys() and all(
        value is other[name] or _is_view(value, other[name]) for name, value in one.items()
    )


def _is_view(one: object, other: object) -> bool:
    """Whether two tensors are the same part of one storage."""
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return False
    if one.storage is not other.storage or one.unread or other.unread:
        return False
    if one.negated != other.negated:
        return False
    return (one.offset, sizes(one.shape), sizes(one.strides)) == (
        other.offset,
        sizes(other.shape),
        sizes(other.strides),
    )
