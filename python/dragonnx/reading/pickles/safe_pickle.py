"""A pickle reader that builds plain data and nothing else.

Python's unpickler imports, calls and changes whatever a file asks it to. This one is a stack
machine of its own that knows the opcodes of protocols 2 to 5 as far as they describe data. A
global is looked up in a vocabulary of constructors of this package; nothing is ever imported.
Sizes are checked against the file before anything is allocated, keys are text or small numbers
(hashing a crafted tuple can take for ever), and no value can be made to contain itself.
"""

from __future__ import annotations

import pickle
import re
import struct
from collections.abc import Callable
from typing import Any

from dragonnx.errors import InputError
from dragonnx.reading.pickles.vocabulary import (
    CONTAINERS,
    DAMAGED,
    Constructor,
    Global,
    Stateful,
    Vocabulary,
    checked_key,
    refuse_call,
    refuse_global,
    refuse_opcode,
)

MAX_OPCODES = 1_000_000
"""Some ten times what the largest pickle of a StyleGAN2 takes; bounds time and memory."""

Classes = Callable[[str, str], Constructor | None]

_MAX_LONG_BYTES = 16
_MAX_NAME_BYTES = 256
_TEXT = re.compile(rb"(?:c|\(i)[\w.]+\n[\w.]+\n|[(\]}].*\.\s*\Z", re.DOTALL)
_LOOKED_AT = 1024, 16
"""Bytes of a pickle's beginning and end by which those of the oldest protocols are known."""
_ENDS_EARLY = "it ends early, so it is truncated or damaged; fetch it again"


def is_pickle(beginning: bytes, end: bytes) -> bool:
    """Whether a file with that beginning and end is a pickle, of a protocol that is read or not.

    Those of protocols 0 and 1 are text without a sign of their own; `load` says of them what it
    cannot read.
    """
    first, last = _LOOKED_AT
    return beginning[:1] == pickle.PROTO or bool(_TEXT.match(beginning[:first] + end[-last:]))


def load(
    data: bytes | memoryview,
    vocabulary: Vocabulary | None = None,
    persistent: Callable[[object], object] | None = None,
    max_opcodes: int = MAX_OPCODES,
    classes: Classes | None = None,
) -> object:
    """Read one pickle, ignoring what follows it.

    Args:
        data: The pickle. Its bytes values come back as read-only views into it.
        vocabulary: The globals that the pickle may name, beside the plain containers.
        persistent: Resolves persistent ids; without it they are refused.
        max_opcodes: How long the pickle may be.
        classes: Gives a constructor for globals that the vocabulary lacks, or None.

    Raises:
        InputError: The data are damaged, too large, or ask for anything but data.
    """
    return load_first(data, vocabulary, persistent, max_opcodes, classes)[0]


def load_first(
    data: bytes | memoryview,
    vocabulary: Vocabulary | None = None,
    persistent: Callable[[object], object] | None = None,
    max_opcodes: int = MAX_OPCODES,
    classes: Classes | None = None,
) -> tuple[object, memoryview]:
    """As `load`, and the bytes after the pickle.

    Raises:
        InputError: The data are damaged, too large, or ask for anything but data.
    """
    view = memoryview(data).toreadonly()
    machine = _Machine(view, {**CONTAINERS, **(vocabulary or {})}, persistent, classes)
    return machine.run(max_opcodes), view[machine.position :]


class _Machine:
    """The stack, the memo and the place in the data."""

    def __init__(
        self,
        data: memoryview,
        vocabulary: Vocabulary,
        persistent: Callable[[object], object] | None,
        classes: Classes | None,
    ) -> None:
        self.position = 0
        self._data = data
        self._vocabulary = vocabulary
        self._persistent = persistent
        self._classes = classes
        self._encoded = 0
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._recalled: set[int] = set()

    def run(self, max_opcodes: int) -> object:
        for _ in range(max_opcodes):
            code = self._take(1)[0]
            if code == pickle.STOP[0]:
                return self._pop()
            operation = _OPERATIONS.get(code)
            if operation is None:
                refuse_opcode(code)
            operation[0](self, operation[1])
        raise InputError(
            f"its pickle has more than {max_opcodes} opcodes, which plain data never need"
        )

    def _take(self, count: int) -> memoryview:
        end = self.position + count
        if end > len(self._data):
            raise InputError(_ENDS_EARLY)
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _number(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._take(layout.size))[0]

    def _line(self) -> str:
        window = bytes(self._data[self.position : self.position + _MAX_NAME_BYTES])
        length = window.find(b"\n")
        if length < 0:
            raise InputError(DAMAGED)
        self.position += length + 1
        return _text(window[:length])

    def _pop(self) -> Any:
        if not self._stack:
            raise InputError(DAMAGED)
        return self._stack.pop()

    def _pop_mark(self) -> list[Any]:
        if not self._marked:
            raise InputError(DAMAGED)
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _unfinished(self, kind: type) -> Any:
        """The container at the top, which may change only as long as nothing else can hold it."""
        if not self._stack or type(self._stack[-1]) is not kind:
            raise InputError(DAMAGED)
        self._require_unshared(self._stack[-1])
        return self._stack[-1]

    def _require_unshared(self, value: object) -> None:
        if id(value) in self._recalled:
            raise InputError("it holds a value that contains itself, which plain data never need")

    # One method an opcode, or a family of them that differ in the argument.

    def open_mark(self, _: None) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def skip(self, layout: struct.Struct) -> None:
        self._take(layout.size)

    def push_constant(self, make: Callable[[], object]) -> None:
        self._stack.append(make())

    def push_number(self, layout: struct.Struct) -> None:
        self._stack.append(self._number(layout))

    def push_long(self, layout: struct.Struct) -> None:
        length = self._number(layout)
        if length > _MAX_LONG_BYTES:
            raise InputError(f"it holds a whole number of {length} bytes, which none needs")
        self._stack.append(int.from_bytes(self._take(length), "little", signed=True))

    def push_text(self, layout: struct.Struct) -> None:
        self._stack.append(_text(self._take(self._number(layout))))

    def push_bytes(self, layout: struct.Struct) -> None:
        self._stack.append(self._take(self._number(layout)))

    def remember(self, layout: struct.Struct | None) -> None:
        key = len(self._memo) if layout is None else self._number(layout)
        value = self._pop()
        self._stack.append(value)
        if key in self._memo:
            # Only a value that is kept here for good has an id that stays its own.
            raise InputError(DAMAGED)
        self._memo[key] = value

    def recall(self, layout: struct.Struct) -> None:
        key = self._number(layout)
        if key not in self._memo:
            raise InputError(DAMAGED)
        self._recalled.add(id(self._memo[key]))
        self._stack.append(self._memo[key])

    def push_tuple(self, count: int | None) -> None:
        items = self._pop_mark() if count is None else [self._pop() for _ in range(count)][::-1]
        self._stack.append(tuple(items))

    def append(self, _: None) -> None:
        value = self._pop()
        self._unfinished(list).append(value)

    def appends(self, _: None) -> None:
        items = self._pop_mark()
        self._unfinished(list).extend(items)

    def set_item(self, _: None) -> None:
        value, key = self._pop(), self._pop()
        self._unfinished(dict)[checked_key(key)] = value

    def set_items(self, _: None) -> None:
        items = self._pop_mark()
        if len(items) % 2:
            raise InputError(DAMAGED)
        target = self._unfinished(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[checked_key(key)] = value

    def add_items(self, _: None) -> None:
        items = self._pop_mark()
        self._unfinished(set).update(map(checked_key, items))

    def push_frozenset(self, _: None) -> None:
        self._stack.append(frozenset(map(checked_key, self._pop_mark())))

    def push_global(self, _: None) -> None:
        module, name = self._line(), self._line()
        self._stack.append(self._allowed(module, name))

    def push_stack_global(self, _: None) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise InputError("it asks for a global by something that is no name")
        self._stack.append(self._allowed(module, name))

    def refuse_instance(self, _: None) -> None:
        refuse_call(self._allowed(self._line(), self._line()))

    def call(self, _: None) -> None:
        arguments, target = self._pop(), self._pop()
        if not isinstance(arguments, tuple):
            raise InputError(DAMAGED)
        constructor = self._constructor(target) if isinstance(target, Global) else None
        if constructor is None:
            refuse_call(target)
        self._stack.append(made := constructor(arguments))
        if isinstance(made, memoryview):
            self._encoded += len(made)  # protocol 2 spells bytes as text; repeated, a bomb
            if self._encoded > len(self._data):
                raise InputError(DAMAGED)

    def _constructor(self, target: Global) -> Constructor | None:
        key = target.module, target.name
        if key in self._vocabulary or self._classes is None:
            return self._vocabulary.get(key)
        return self._classes(*key)

    def call_with_keywords(self, _: None) -> None:
        keywords = self._pop()
        if type(keywords) is not dict or keywords:
            raise InputError("it calls something with keywords; nothing was run")
        self.call(None)

    def build(self, _: None) -> None:
        state, target = self._pop(), self._pop()
        self._stack.append(target)
        if type(target) is dict:
            return  # attributes of a dict subclass (an OrderedDict's _metadata): no data of ours
        if not isinstance(target, Stateful):
            raise InputError("it gives a state to something that has none; nothing was run")
        self._require_unshared(target)
        target.set_state(state)

    def push_persistent(self, _: None) -> None:
        if self._persistent is None:
            raise InputError("it refers to data outside the file, which is not supported")
        self._stack.append(self._persistent(self._pop()))

    def _allowed(self, module: str, name: str) -> Global:
        named = Global(module, name)
        if (module, name) not in self._vocabulary and self._constructor(named) is None:
            refuse_global(module, name)
        return named


def _text(raw: bytes | memoryview) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(DAMAGED) from error


_U8, _U16, _U32, _U64 = (struct.Struct(f"<{code}") for code in "BHIQ")
_Operation = tuple[Callable[[_Machine, Any], None], Any]

_OPERATIONS: dict[int, _Operation] = {
    opcode[0]: operation
    for opcode, operation in (
        (pickle.PROTO, (_Machine.skip, _U8)),
        (pickle.FRAME, (_Machine.skip, _U64)),
        (pickle.MARK, (_Machine.open_mark, None)),
        (pickle.NONE, (_Machine.push_constant, lambda: None)),
        (pickle.NEWTRUE, (_Machine.push_constant, lambda: True)),
        (pickle.NEWFALSE, (_Machine.push_constant, lambda: False)),
        (pickle.EMPTY_TUPLE, (_Machine.push_constant, tuple)),
        (pickle.EMPTY_LIST, (_Machine.push_constant, list)),
        (pickle.EMPTY_DICT, (_Machine.push_constant, dict)),
        (pickle.EMPTY_SET, (_Machine.push_constant, set)),
        (pickle.BININT, (_Machine.push_number, struct.Struct("<i"))),
        (pickle.BININT1, (_Machine.push_number, _U8)),
        (pickle.BININT2, (_Machine.push_number, _U16)),
        (pickle.BINFLOAT, (_Machine.push_number, struct.Struct(">d"))),
        (pickle.LONG1, (_Machine.push_long, _U8)),
        (pickle.SHORT_BINUNICODE, (_Machine.push_text, _U8)),
        (pickle.BINUNICODE, (_Machine.push_text, _U32)),
        (pickle.BINUNICODE8, (_Machine.push_text, _U64)),
        (pickle.SHORT_BINBYTES, (_Machine.push_bytes, _U8)),
        (pickle.BINBYTES, (_Machine.push_bytes, _U32)),
        (pickle.BINBYTES8, (_Machine.push_bytes, _U64)),
        (pickle.BYTEARRAY8, (_Machine.push_bytes, _U64)),
        (pickle.BINPUT, (_Machine.remember, _U8)),
        (pickle.LONG_BINPUT, (_Machine.remember, _U32)),
        (pickle.MEMOIZE, (_Machine.remember, None)),
        (pickle.BINGET, (_Machine.recall, _U8)),
        (pickle.LONG_BINGET, (_Machine.recall, _U32)),
        (pickle.TUPLE1, (_Machine.push_tuple, 1)),
        (pickle.TUPLE2, (_Machine.push_tuple, 2)),
        (pickle.TUPLE3, (_Machine.push_tuple, 3)),
        (pickle.TUPLE, (_Machine.push_tuple, None)),
        (pickle.APPEND, (_Machine.append, None)),
        (pickle.APPENDS, (_Machine.appends, None)),
        (pickle.SETITEM, (_Machine.set_item, None)),
        (pickle.SETITEMS, (_Machine.set_items, None)),
        (pickle.ADDITEMS, (_Machine.add_items, None)),
        (pickle.FROZENSET, (_Machine.push_frozenset, None)),
        (pickle.GLOBAL, (_Machine.push_global, None)),
        (pickle.STACK_GLOBAL, (_Machine.push_stack_global, None)),
        (pickle.INST, (_Machine.refuse_instance, None)),
        (pickle.REDUCE, (_Machine.call, None)),
        (pickle.NEWOBJ, (_Machine.call, None)),
        (pickle.NEWOBJ_EX, (_Machine.call_with_keywords, None)),
        (pickle.BUILD, (_Machine.build, None)),
        (pickle.BINPERSID, (_Machine.push_persistent, None)),
    )
}
