"""The records of torch's modules in a file: the arrays in one, and in those below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dragonnx.reading.pickles.inert import InertObject, is_short_name
from dragonnx.reading.pickles.vocabulary import DAMAGED
from dragonnx_export.checkpoints.errors import CheckpointError

MODULE_TABLES = ("_parameters", "_buffers", "_modules")
"""Where a torch module keeps its parameters, its buffers and the modules below it."""

MAX_ARRAYS = 10_000
"""How many arrays a network may have: a hundred times those of a StyleGAN2 generator."""

_MAX_DEPTH = 12
_MAX_MODULES = 4096
_TOO_LARGE = "its network is larger than a StyleGAN2 generator"


def is_module(value: object) -> bool:
    """Whether a value is the record of a torch module."""
    return isinstance(value, InertObject) and "_modules" in value.state


def module_entries(record: InertObject) -> dict[str, object]:
    """Every parameter and buffer of a module and those below it, by full name.

    Raises:
        CheckpointError: The modules are damaged, or more than any generator has.
    """
    entries: dict[str, object] = {}
    for path, module in modules_below(record):
        parameters, buffers, _ = _tables(module)
        if len(entries) + len(parameters) + len(buffers) > MAX_ARRAYS:
            raise CheckpointError(_TOO_LARGE)
        for name, value in (*parameters.items(), *buffers.items()):
            if value is not None:
                entries[".".join((*path, name))] = value
    return entries


def modules_below(record: InertObject) -> Iterator[tuple[tuple[str, ...], InertObject]]:
    """A module and every one below it, each with its path from there.

    Raises:
        CheckpointError: The modules are damaged, or more than any generator has.
    """
    waiting: list[tuple[tuple[str, ...], InertObject]] = [((), record)]
    modules = 0  # as often as they are reached: one may stand in many places
    while waiting:
        path, module = waiting.pop()
        yield path, module
        children = _tables(module)[-1]
        modules += 1 + len(children)
        if modules > _MAX_MODULES:
            raise CheckpointError(_TOO_LARGE)
        for name, child in children.items():
            if isinstance(child, InertObject) and len(path) < _MAX_DEPTH:
                waiting.append(((*path, name), child))


def _tables(module: InertObject) -> list[Mapping[str, object]]:
    tables = [module.state.get(table, {}) for table in MODULE_TABLES]
    for table in tables:
        if not isinstance(table, dict) or not all(map(is_short_name, table)):
            raise CheckpointError(DAMAGED)
    return tables
