"""Objects of classes that files name: their class's name and their state, nothing else.

Whole modules, command line arguments and trainers' states lie beside the weights in many files.
What stands in for them has no behaviour, whatever the class was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dragonnx.errors import InputError
from dragonnx.reading.pickles.vocabulary import DAMAGED, Constructor

_MAX_NAME = 200

_ROOTS = frozenset(
    {
        "argparse", "pathlib", "omegaconf", "yacs", "pytorch_lightning", "lightning",
        "lightning_fabric", "torchmetrics", "training", "legacy", "model", "models", "networks",
        "network", "modules", "stylegan", "stylegan2", "stylegan2_pytorch", "stylegan3",
        "generator", "op", "src", "lib", "pti", "PTI", "e4e", "core", "pg_modules", "torch_utils",
    }
)  # fmt: skip
"""Where the classes live that users' files name; no module of these is ever imported."""

_PACKAGES = ("torch.nn.", "torch.optim.", "dnnlib.tflib.", "numpy.random.")
_STANDARD = {
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "types": {"SimpleNamespace"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "uuid": {"UUID"},
    "builtins": {"range", "bytearray", "complex", "slice"},
    "__builtin__": {"bytearray", "complex", "slice", "xrange"},
}
"""Values of Python's own that trainers note beside the weights: when, how long, which settings."""
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
            InputError: There are attributes already.
        """
        if self.state:
            raise InputError(DAMAGED)
        if isinstance(state, dict):
            self.state = state


def inert_class(module: str, name: str) -> Constructor | None:
    """What stands in for a class of that name; None where it is not known."""
    if name in _STANDARD.get(module, ()):
        return lambda _arguments: InertObject(name)
    root = module.partition(".")[0]
    known = root in _ROOTS or f"{module}.".startswith(_PACKAGES)
    if not known or module in _NOT_CLASSES or not name.isidentifier():
        return None
    return lambda _arguments: InertObject(name)


def is_short_name(value: object) -> bool:
    """Whether a value can be the name of an array or module; long ones, joined, would be a bomb."""
    return isinstance(value, str) and len(value) <= _MAX_NAME
