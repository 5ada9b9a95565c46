"""What a pickle may name, and the inert things that stand in for it."""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, Protocol, runtime_checkable

from dragonnx.errors import InputError

DAMAGED = "its pickle data are damaged; fetch it again"

_MAX_KEY = 1 << 31
_MAX_ADDRESS = 1 << 48
_MOST_PARTS, _LONGEST_PART = 8, 200
"""Of a key that is a tuple: how many it may have, and characters of one."""

Constructor = Callable[[tuple[object, ...]], object]
Vocabulary = Mapping[tuple[str, str], Constructor | None]
"""(module, name) -> what stands in for a call of it, or None for a name that is only a name."""


@runtime_checkable
class Stateful(Protocol):
    """A stand-in whose contents a pickle gives in a second step (opcode BUILD)."""

    def set_state(self, state: object) -> None:
        """Take the contents, or raise InputError."""


@dataclass(frozen=True, eq=False)
class Global:
    """The name of a class or function that a vocabulary allows; never the thing itself."""

    module: str
    name: str


def quoted(text: str) -> str:
    """Text from a file for use in a message: on one line, of bounded length."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def checked_key(key: object) -> str | int:
    """The key of a dict or the element of a set, if hashing it is harmless.

    Old optimisers have addresses for keys, and old trainers classes; settings may have any number, and
    tables pairs. Those become text, whose hashes nobody can foresee.

    Raises:
        InputError: It is something that no plain data have for a key.
    """
    if isinstance(key, str) or (isinstance(key, int) and -_MAX_KEY <= key <= _MAX_KEY):
        return key
    if key is None or isinstance(key, float) or (isinstance(key, int) and 0 < key <= _MAX_ADDRESS):
        return str(key)
    if isinstance(key, Global):
        return f"{key.module}.{key.name}"
    if isinstance(key, memoryview) and len(key) <= _LONGEST_PART:
        return str(bytes(key))
    if isinstance(key, tuple) and 0 < len(key) <= _MOST_PARTS:
        return f"({', '.join(map(_part_of_a_key, key))})"
    raise InputError(
        f"it uses a value of type {type(key).__name__} as a key, which plain data never need"
    )


def _part_of_a_key(part: object) -> str:
    if isinstance(part, tuple) or (isinstance(part, str) and len(part) > _LONGEST_PART):
        raise InputError("it uses a tuple of tuples as a key, which plain data never need")
    return repr(checked_key(part))


def refuse_global(module: str, name: str) -> NoReturn:
    """Refuse a global that no vocabulary has.

    Raises:
        InputError: Always.
    """
    raise InputError(
        f"it names {quoted(f'{module}.{name}')}, which plain data never need; nothing was run, and "
        "other tools should not load it either"
    )


def refuse_call(target: object) -> NoReturn:
    """Refuse to call something.

    Raises:
        InputError: Always.
    """
    what = quoted(f"{target.module}.{target.name}") if isinstance(target, Global) else "a value"
    raise InputError(f"it calls {what}, which is not for calling; nothing was run")


def refuse_opcode(code: int) -> NoReturn:
    """Refuse an opcode that describes no data.

    Raises:
        InputError: Always.
    """
    for known in pickletools.opcodes:
        if ord(known.code) == code:
            raise InputError(
                f"it uses the pickle opcode {known.name}, which plain data never need; "
                "nothing was run"
            )
    raise InputError(DAMAGED)


def _dictionary(arguments: tuple[object, ...]) -> object:
    """An OrderedDict or another dict subclass; its items follow as items, never as arguments."""
    if arguments:
        raise InputError(DAMAGED)
    return {}


def _default_dictionary(arguments: tuple[object, ...]) -> object:
    """A defaultdict, called with the class of its missing values."""
    return _dictionary(arguments[1:])


def _queue(arguments: tuple[object, ...]) -> object:
    """A deque, called with nothing in it and how much it holds; its items follow."""
    if not arguments or arguments[0] in ((), []):
        return []
    raise InputError(DAMAGED)


def _counter(arguments: tuple[object, ...]) -> object:
    """A Counter, called with a dict, which stands for it."""
    if len(arguments) == 1 and isinstance(arguments[0], dict):
        return arguments[0]
    return _dictionary(arguments)


def _latin_bytes(arguments: tuple[object, ...]) -> object:
    """Bytes as protocol 2 writes them: text and the encoding latin-1."""
    match arguments:
        case (str(text), str(encoding)) if encoding in ("latin1", "latin-1"):
            try:
                return memoryview(text.encode("latin-1"))
            except UnicodeEncodeError as error:
                raise InputError(DAMAGED) from error
    raise InputError(DAMAGED)


def _no_bytes(arguments: tuple[object, ...]) -> object:
    """Empty bytes, the only ones that protocol 2 writes as a call of the class."""
    if arguments:
        raise InputError(DAMAGED)
    return memoryview(b"")


def _set(arguments: tuple[object, ...]) -> object:
    """A set as protocols 2 and 3 write it, the class called with a list: the list stands for it.

    Copying would let a short file call for many copies of one long list.
    """
    if len(arguments) != 1 or not isinstance(arguments[0], list):
        raise InputError(DAMAGED)
    return arguments[0]


def _tuple(arguments: tuple[object, ...]) -> object:
    """A tuple as a call of the class with one, which is how PaddlePaddle writes a pair."""
    if len(arguments) != 1 or not isinstance(arguments[0], tuple):
        raise InputError(DAMAGED)
    return arguments[0]


_LIGHTNING = (
    "pytorch_lightning.utilities.parsing",
    "lightning.pytorch.utilities.parsing",
    "lightning_fabric.utilities.data",
    "lightning.fabric.utilities.data",
)
"""Where the dict of settings is from that Lightning puts into its checkpoints."""

CONTAINERS: Vocabulary = {
    ("collections", "OrderedDict"): _dictionary,
    ("dnnlib.util", "EasyDict"): _dictionary,
    ("dnnlib", "EasyDict"): _dictionary,
    ("easydict", "EasyDict"): _dictionary,
    **{(module, "AttributeDict"): _dictionary for module in _LIGHTNING},
    ("collections", "defaultdict"): _default_dictionary,
    ("collections", "Counter"): _counter,
    ("collections", "deque"): _queue,
    ("_codecs", "encode"): _latin_bytes,
    **{(module, "bytes"): _no_bytes for module in ("builtins", "__builtin__")},
    **{
        (module, name): None
        for module in ("builtins", "__builtin__")
        for name in ("dict", "list", "int", "float", "bool", "str")
    },
    **{(module, "tuple"): _tuple for module in ("builtins", "__builtin__")},
    **{
        (module, name): _set
        for module in ("builtins", "__builtin__")
        for name in ("set", "frozenset")
    },
}
"""The globals that every pickle may name."""
