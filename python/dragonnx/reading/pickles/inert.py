"""Objects of classes that files name: their class's name and their state, nothing else.

Whole modules, command line arguments and trainers' states lie beside the weights in many files.
What stands in for them has no behaviour, whatever the class was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dragonnx.errors import InputError
from dragonnx.reading.pickles.vocabulary import DAMAGED, Constructor, Global, Vocabulary

_MAX_NAME = 200

_NAME = re.compile(r"(?!__\w*__\b)[^\W\d]\w*(?:\.(?!__\w*__\b)[^\W\d]\w*)*")
"""Of a class, perhaps within another. What lies between two pairs of underscores is none."""
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")

_HARMFUL = frozenset(
    {
        "asyncio", "bdb", "code", "codeop", "commands", "ctypes", "imp", "importlib", "marshal", "nt",
        "os", "pdb", "pickle", "_pickle", "cPickle", "pip", "posix", "pty", "pydoc", "runpy", "shutil",
        "socket", "subprocess", "sys", "webbrowser",
    }
)  # fmt: skip
_HARMFUL_NAMES = frozenset(
    {
        *(
            f"{module}.{name}"
            for module in ("builtins", "__builtin__")
            for name in (
                "eval", "exec", "execfile", "compile", "open", "__import__", "setattr", "delattr",
                "input", "breakpoint", "globals", "locals", "vars", "apply", "reload",
            )
        ),
        "codecs.open", "io.open", "_io.open", "numpy.load", "torch.load", "torch.jit.load",
        "torch.hub.load", "torch.serialization.load", "torch_utils.persistence.persistent_class",
    }
)  # fmt: skip
"""What no data name. Nothing runs here, whatever a file names; but a file that names these was made
to do harm in other programs, and its user should hear of it."""


_NOTHING: Mapping[str | int, Any] = MappingProxyType({})
"""One for all: a file may hold very many objects."""


@dataclass(eq=False, slots=True)
class InertObject:
    """What a file says of an object.

    Attributes:
        class_name: The name of its class.
        state: Its attributes.
        slots: Those that its class keeps beside them.
        arguments: What it was made of, as a tuple with named parts is, and torch.compile's wrapper.
        items: What it holds under keys, where its class is a kind of dict.
        parts: What it holds, where its class is a kind of list.
    """

    class_name: str
    state: Mapping[str | int, Any] = field(default_factory=lambda: _NOTHING)
    slots: Mapping[str | int, Any] = field(default_factory=lambda: _NOTHING)
    arguments: tuple[object, ...] = ()
    items: Mapping[str | int, Any] = field(default_factory=lambda: _NOTHING)
    parts: Sequence[Any] = ()

    def container(self, kind: type) -> Any:
        """What it holds as a kind of dict or list, to be filled."""
        if kind is dict:
            if not self.items:
                self.items = {}
            return self.items
        if not self.parts:
            self.parts = []
        return self.parts

    def set_state(self, state: object) -> None:
        """Take the attributes; a state of another form is dropped.

        Raises:
            InputError: There are attributes already.
        """
        if self.state:
            raise InputError(DAMAGED)
        match state:
            case (None | dict() as attributes, dict() as slots):
                self.state, self.slots = attributes or {}, slots
            case dict():
                self.state = state

    def held(self) -> Iterator[tuple[object, object]]:
        """Everything that the file keeps in it, by key or number."""
        yield from self.state.items()
        yield from self.slots.items()
        yield from enumerate(self.arguments)
        yield from self.items.items()
        yield from enumerate(self.parts)


def inert_class(module: str, name: str) -> Constructor | None:
    """What stands in for a class or function of that name; None for one that does harm elsewhere."""
    if (module, name) in _REBUILDERS:
        return _REBUILDERS[module, name]
    root = module.partition(".")[0]
    if root in _HARMFUL or f"{module}.{name}" in _HARMFUL_NAMES:
        return None
    if not _MODULE.fullmatch(module) or not _NAME.fullmatch(name):
        return None
    return lambda arguments: InertObject(name, arguments=arguments)


def _attribute(arguments: tuple[object, ...]) -> object:
    """`getattr(value, name)`, which is how Python writes methods, and members of some classes."""
    match arguments:
        case (_, str(name)) if _NAME.fullmatch(name):
            return InertObject(name)
    raise InputError("it asks for an attribute that no data have; nothing was run")


def _reconstructed(arguments: tuple[object, ...]) -> object:
    """An object as protocols 0 and 1 write it: its class, a class of Python's below it, its value."""
    match arguments:
        case (Global(name=name), Global(name="object"), _):
            return InertObject(name)
        case (Global(), Global(name="dict" | "list" | "tuple" | "str" | "int" | "float"), value):
            return value
    raise InputError(DAMAGED)


_REBUILDERS: Vocabulary = {
    **{(module, "getattr"): _attribute for module in ("builtins", "__builtin__")},
    **{(module, "_reconstructor"): _reconstructed for module in ("copyreg", "copy_reg")},
}


def is_short_name(value: object) -> bool:
    """Whether a value can be the name of an array or module; long ones, joined, would be a bomb."""
    return isinstance(value, str) and len(value) <= _MAX_NAME
