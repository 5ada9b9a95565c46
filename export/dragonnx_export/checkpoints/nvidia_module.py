"""The records of `torch_utils.persistence` as a tree of modules, with the code left unread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from dragonnx.reading.pickles.inert import InertObject, is_short_name
from dragonnx.reading.pickles.vocabulary import DAMAGED, Vocabulary, quoted
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.module_records import MODULE_TABLES
from dragonnx_export.checkpoints.weights import as_array

_MAX_DEPTH = 5  # G_ema, synthesis, b8, conv0, affine
_MAX_MODULES = 256  # 1024 px takes 80; one module in several places counts as often
_MAX_ATTRIBUTES = 256
_MAX_ARRAYS = 8


@dataclass(frozen=True, eq=False)
class Module:
    """One network module.

    Attributes:
        path: Its place in the generator: "synthesis.b8.conv0"; empty for the generator.
        class_name: The name of its class.
        facts: Its plain attributes (numbers, text), not its parameters or children.
        arrays: Its own parameters and buffers.
        children: Its modules by name.
    """

    path: str
    class_name: str
    facts: Mapping[str | int, Any]
    arrays: Mapping[str, NDArray[Any]]
    children: Mapping[str, Module]

    @classmethod
    def of(cls, record: object) -> Module:
        """The tree under the record of a generator.

        Raises:
            CheckpointError: The record or one below it is none, or the tree is too large.
        """
        return cls._of(record, (), iter(range(_MAX_MODULES)))

    @classmethod
    def _of(cls, record: object, path: tuple[str, ...], budget: Iterator[int]) -> Module:
        place = ".".join(path)
        if not isinstance(record, InertObject):
            raise CheckpointError(f"its {quoted(place)} is no module of NVIDIA's")
        tables = [_table(record.state, name) for name in MODULE_TABLES]
        if (
            len(path) >= _MAX_DEPTH
            or next(budget, None) is None
            or len(record.state) > _MAX_ATTRIBUTES
            or any(len(table) > _MAX_MODULES for table in tables)
        ):
            raise CheckpointError("its network is larger than a StyleGAN2 generator")
        parameters, buffers, children = tables
        named = {n: value for n, value in (parameters | buffers).items() if value is not None}
        if len(named) > _MAX_ARRAYS:
            raise CheckpointError(f"its {quoted(place)} has more arrays than StyleGAN2 has there")
        return cls(
            path=place,
            class_name=record.class_name,
            facts={
                name: value for name, value in record.state.items() if name not in MODULE_TABLES
            },
            arrays={
                name: as_array(".".join((*path, name)), value) for name, value in named.items()
            },
            children={
                name: cls._of(child, (*path, name), budget) for name, child in children.items()
            },
        )

    def child(self, name: str) -> Module:
        """The module of that name.

        Raises:
            CheckpointError: There is none.
        """
        if name not in self.children:
            raise CheckpointError(
                f"its {quoted(self.path or 'G_ema')} has no module {quoted(name)}, which every "
                "StyleGAN2 generator of this size has"
            )
        return self.children[name]

    def walk(self) -> Iterator[Module]:
        """This module and all below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def named_arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Every array here and below under its full name."""
        for module in self.walk():
            prefix = f"{module.path}." if module.path else ""
            for name, values in module.arrays.items():
                yield prefix + name, values

    def number(self, name: str) -> float:
        """The attribute of that name.

        Raises:
            CheckpointError: It is missing or no number above 0.
        """
        value = self.facts.get(name)
        if not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise CheckpointError(f"its {quoted(self.path)} has no usable {name}")
        return float(value)

    def whole_number(self, name: str, position: int | None, default: object = None) -> int:
        """The attribute of that name, or the argument the module was made with.

        Args:
            name: Of the attribute and of the argument.
            position: Of the argument, where it may be given without its name.
            default: What holds where neither is there.

        Raises:
            CheckpointError: There is no such number.
        """
        arguments = self.facts.get("_init_args")
        if position is not None and isinstance(arguments, tuple) and position < len(arguments):
            default = arguments[position]
        value = self.facts.get(name, self._options().get(name, default))
        if type(value) is not int or value < 0:
            raise CheckpointError(f"its {quoted(self.path or 'G_ema')} states no usable {name}")
        return value

    def mapping_option(self, name: str, default: object) -> object:
        """An argument of the mapping network as the generator was given it."""
        return self._nested("mapping").get(name, default)

    def synthesis_option(self, name: str, default: object) -> object:
        """An argument of the synthesis network: nested (ada) or flat (stylegan3)."""
        return self._nested("synthesis").get(name, self._options().get(name, default))

    def _nested(self, network: str) -> Mapping[str | int, object]:
        """The arguments of one network, by either name that they go by."""
        options = self._options()
        nested = options.get(f"{network}_kwargs", options.get(network))
        return nested if isinstance(nested, dict) else {}

    def _options(self) -> Mapping[str | int, object]:
        options = self.facts.get("_init_kwargs")
        return options if isinstance(options, dict) else {}


def _table(state: Mapping[str | int, object], name: str) -> dict[str, object]:
    table = state.get(name, {})
    if not isinstance(table, dict) or not all(map(is_short_name, table)):
        raise CheckpointError(DAMAGED)
    return table


def _persistent_object(arguments: tuple[object, ...]) -> object:
    """The one argument is a dict with type, version, module_src, class_name and state."""
    meta = arguments[0] if len(arguments) == 1 else None
    if not isinstance(meta, dict) or meta.get("type") != "class":
        raise CheckpointError(DAMAGED)
    name, state = meta.get("class_name"), meta.get("state")
    if not isinstance(name, str) or not isinstance(state, dict):
        raise CheckpointError(DAMAGED)
    return InertObject(name, state)


PERSISTENT: Vocabulary = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent_object,
}
"""The global that NVIDIA's pickles name for each network."""
