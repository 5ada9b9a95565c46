"""Objects of classes that checkpoints name: their class's name and their state, nothing else.

Whole modules, command line arguments and trainers' states lie beside the weights in many files.
What stands in for them has no behaviour, whatever the class was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.vocabulary import DAMAGED, Constructor

MODULE_TABLES = ("_parameters", "_buffers", "_modules")
"""Where a torch module keeps its parameters, its buffers and the modules below it."""

MAX_ARRAYS = 10_000
"""How many arrays a network may have: a hundred times those of a StyleGAN2 generator."""

_MAX_DEPTH = 12
_MAX_MODULES = 4096
_MAX_NAME = 200

_ROOTS = frozenset(
    {
        "argparse", "pathlib", "omegaconf", "yacs", "pytorch_lightning", "lightning",
        "lightning_fabric", "torchmetrics", "training", "legacy", "model", "models", "networks",
        "network", "modules", "stylegan", "stylegan2", "stylegan2_pytorch", "stylegan3",
        "generator", "op", "src", "lib", "pti", "PTI", "e4e", "core", "pg_modules", "torch_utils",
    }
)  # fmt: skip
"""Where the classes live that users' checkpoints name; no module of these is ever imported."""

_PACKAGES = ("torch.nn.", "torch.optim.", "dnnlib.tflib.", "numpy.random.")
_NOT_CLASSES = frozenset({"torch_utils.persistence"})


@dataclass(eq=False)
class InertObject:
    """What a file says of an object.

    Attributes:
        class_name: The name of its class.
        state: Its attributes.
    """

    class_name: str
    state: Mapping[str | int, Any] = field(default_factory=dict)

    def set_state(self, state: object) -> None:
        """Take the attributes; a state of another form is dropped.

        Raises:
            CheckpointError: There are attributes already.
        """
        if self.state:
            raise CheckpointError(DAMAGED)
        if isinstance(state, dict):
            self.state = state


def inert_class(module: str, name: str) -> Constructor | None:
    """What stands in for a class of that name; None where no checkpoint has it."""
    root = module.partition(".")[0]
    known = root in _ROOTS or f"{module}.".startswith(_PACKAGES)
    if not known or module in _NOT_CLASSES or not name.isidentifier():
        return None
    return lambda _arguments: InertObject(name)


def is_module(value: object) -> bool:
    """Whether a value is the record of a torch module."""
    return isinstance(value, InertObject) and "_modules" in value.state


def module_entries(record: InertObject) -> dict[str, object]:
    """Every parameter and buffer of a module and those below it, by full name.

    Raises:
        CheckpointError: The modules are damaged, or more than any generator has.
    """
    entries: dict[str, object] = {}
    waiting: list[tuple[tuple[str, ...], InertObject]] = [((), record)]
    modules = 0  # as often as they are reached: one may stand in many places
    while waiting:
        path, module = waiting.pop()
        parameters, buffers, children = (module.state.get(table, {}) for table in MODULE_TABLES)
        for table in (parameters, buffers, children):
            if not isinstance(table, dict) or not all(map(is_short_name, table)):
                raise CheckpointError(DAMAGED)
        modules += 1 + len(children)
        if modules > _MAX_MODULES or len(entries) + len(parameters) + len(buffers) > MAX_ARRAYS:
            raise CheckpointError("its network is larger than a StyleGAN2 generator")
        for name, value in (*parameters.items(), *buffers.items()):
            if value is not None:
                entries[".".join((*path, name))] = value
        for name, child in children.items():
            if isinstance(child, InertObject) and len(path) < _MAX_DEPTH:
                waiting.append(((*path, name), child))
    return entries


def is_short_name(value: object) -> bool:
    """Whether a value can be the name of an array or module; long ones, joined, would be a bomb."""
    return isinstance(value, str) and len(value) <= _MAX_NAME
