"""Every dict of arrays and every network of NVIDIA's in what a file holds, at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np

from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.numpy_records import ArrayRecord
from dragonnx.reading.pickles.torch_storage import Tensor
from dragonnx_export.checkpoints.adriansahlman import flattened
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_conditional
from dragonnx_export.checkpoints.halves import joined
from dragonnx_export.checkpoints.module_records import is_module, module_entries, modules_below
from dragonnx_export.checkpoints.paddle import is_paddle, without_names
from dragonnx_export.checkpoints.weights import UnreadArray
from dragonnx_export.checkpoints.wrappers import unwrapped

LATENT_AVG = "latent_avg"
DISCRIMINATOR = "Discriminator"

_AVERAGING = "averaging_state"
"""Beside what Lightning averaged, which is under the key where the network in training lies else."""
_LIGHTNING = "state_dict"
_COUNT, _AVERAGED = "n_averaged", "module"
"""What torch's AveragedModel keeps beside the average, and where that is."""

_MAX_DEPTH = 32
_MAX_LOOKED_AT = 1_500_000
"""Values, as often as they are met: one may lie in many places. A pickle makes a million at most."""
_MAX_JOINED = 100_000
"""Entries of dicts that are joined to one."""
_SHOWN_OF_A_KEY = 40

Place = tuple[str, ...]
"""The keys under which something lies, from the outside in."""


@dataclass(frozen=True)
class StateDict:
    """A dict of arrays, with the average w that lies in it, beside it or above it."""

    place: Place
    entries: Mapping[str, object]
    latent_avg: object


@dataclass
class Found:
    """What was found in a file.

    Attributes:
        records: Records of NVIDIA's generators.
        dicts: Dicts of arrays, those of whole modules among them.
        paddle: Whether PaddlePaddle wrote them.
        lists: Lists of nothing but arrays.
        averages: Places of which something beside them says that averages lie there.
    """

    records: list[tuple[Place, InertObject]] = field(default_factory=list)
    dicts: list[StateDict] = field(default_factory=list)
    paddle: bool = False
    lists: list[tuple[Place, list[object]]] = field(default_factory=list)
    averages: set[Place] = field(default_factory=set)


def walk(content: object) -> Found:
    """Look at everything in plain data, in the order of the file, under every name that it has.

    Raises:
        CheckpointError: There are more arrays than in any checkpoint, or a damaged module.
    """
    found = Found()
    waiting: list[tuple[Place, object, object, frozenset[int]]] = [((), content, None, frozenset())]
    looked_at = 0
    budget = iter(range(_MAX_JOINED))
    while waiting:
        place, value, latent_avg, within = waiting.pop()
        if id(value) in within:
            continue
        if isinstance(value, InertObject):  # objects may know each other, and themselves
            within = within | {id(value)}
        if is_nvidia_generator(value):
            found.records.append((place, value))
            continue
        entries = _entries(value, budget)
        if generators := _generators_in(value):
            refuse_conditional(entries.keys())
            entries = _without(entries, generators)
            found.records += [((*place, *path), record) for path, record in generators]
            if _COUNT in entries:
                found.averages.add((*place, _AVERAGED))
        looked_at += 1 + len(entries) + _size(value)
        if looked_at > _MAX_LOOKED_AT:
            raise CheckpointError("it holds more arrays than any StyleGAN2 checkpoint")
        if _AVERAGING in entries:
            found.averages.add((*place, _LIGHTNING))
        found.paddle |= is_paddle(entries)
        beside = value if isinstance(value, dict) else entries  # joined halves leave it there
        latent_avg = beside.get(LATENT_AVG, entries.get(LATENT_AVG, latent_avg))
        arrays = {name: array for name, array in without_names(entries) if is_array(array)}
        if arrays:
            found.dicts.append(StateDict(place, unwrapped(arrays), latent_avg))
        elif isinstance(value, list | tuple) and value and all(map(is_array, value)):
            found.lists.append((place, list(value)))
        if len(place) < _MAX_DEPTH:
            inner = [(key, part) for key, part in _parts(value) if _may_hold_more(part)]
            waiting += [
                ((*place, str(key)[:_SHOWN_OF_A_KEY]), part, latent_avg, within)
                for key, part in reversed(inner)
            ]
    return found


def is_array(value: object) -> bool:
    """Whether a value is an array in any of the forms in which files hold them."""
    if isinstance(value, ArrayRecord):
        return value.objects is None
    return isinstance(value, Tensor | np.ndarray | UnreadArray)


def is_nvidia_generator(value: object) -> TypeGuard[InertObject]:
    """Whether a value is the record of a generator of NVIDIA's own class."""
    if not isinstance(value, InertObject) or not value.class_name.endswith("Generator"):
        return False
    modules = value.state.get("_modules")
    return isinstance(modules, dict) and not {"mapping", "synthesis"}.isdisjoint(modules)


def _entries(value: object, budget: Iterator[int]) -> Mapping[Any, object]:
    """What lies under names in a value: a dict's entries, a module's arrays."""
    if isinstance(value, InertObject):
        if not is_module(value):
            return value.items
        return module_entries(value) if value.class_name != DISCRIMINATOR else {}
    if isinstance(value, dict):
        return flattened(value) or joined(value, budget) or value
    return {}


def _generators_in(value: object) -> list[tuple[Place, InertObject]]:
    """The outermost generators of NVIDIA's own class within a module of another class."""
    if not isinstance(value, InertObject) or not is_module(value):
        return []
    inner: list[tuple[Place, InertObject]] = []
    for path, module in modules_below(value):
        within = any(path[: len(outer)] == outer for outer, _ in inner)
        if path and not within and is_nvidia_generator(module):
            inner.append((path, module))
    return inner


def _without(
    entries: Mapping[Any, object], inner: list[tuple[Place, InertObject]]
) -> Mapping[Any, object]:
    """A module's arrays but for those of the generators in it."""
    within = tuple(".".join((*path, "")) for path, _ in inner)
    return {name: array for name, array in entries.items() if not name.startswith(within)}


def _parts(value: object) -> Iterator[tuple[object, object]]:
    """What may hold more in it, by key."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
    elif isinstance(value, InertObject) and not is_module(value):
        yield from value.held()


def _size(value: object) -> int:
    """How many values `_parts` gives, or how many more a wide list would take to look at."""
    if isinstance(value, InertObject):
        return sum(map(len, (value.state, value.slots, value.arguments, value.items, value.parts)))
    return len(value) if isinstance(value, dict | list | tuple) else 0


def _may_hold_more(value: object) -> bool:
    return isinstance(value, dict | list | tuple | InertObject)
