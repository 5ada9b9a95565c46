"""The stack machine that pickles are written for, of which the data are kept and nothing is run.

Sizes are checked against the file before anything is allocated, keys are text or small numbers
(hashing a crafted tuple can take for ever), and no value can be made to contain itself but by way
of an `InertObject`, as objects that know each other do.
"""
# ruff: noqa: D102 operations are named for what they do, and `opcodes` says whose they are

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from dragonnx.errors import InputError
from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.pickle_bytes import (
    OldText,
    PickleBytes,
    whole_number,
)
from dragonnx.reading.pickles.vocabulary import (
    DAMAGED,
    Constructor,
    Global,
    Stateful,
    Vocabulary,
    checked_key,
    refuse_call,
    refuse_global,
)

Classes = Callable[[str, str], Constructor | None]

_MAX_LONG_BYTES = 64


class Machine:
    """The stack, the memo and the place in the data, and what opcodes do with them."""

    def __init__(
        self,
        data: PickleBytes,
        vocabulary: Vocabulary,
        persistent: Callable[[object], object] | None,
        classes: Classes | None,
    ) -> None:
        self.bytes = data
        self._vocabulary = vocabulary
        self._persistent = persistent
        self._classes = classes
        self._encoded = 0
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._recalled: set[int] = set()

    def _index(self, layout: struct.Struct | None) -> int:
        """The place of a value in the memo, as a number or a line of digits."""
        return self.bytes.number(layout) if layout else whole_number(self.bytes.line())

    def pop(self) -> Any:
        """Take the value at the top of the stack."""
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
        if not self._stack:
            raise InputError(DAMAGED)
        top = self._stack[-1]
        if isinstance(top, InertObject):
            return top.container(kind)
        if type(top) is not kind:
            raise InputError(DAMAGED)
        self._require_unshared(top)
        return top

    def _require_unshared(self, value: object) -> None:
        if id(value) in self._recalled:
            raise InputError("it holds a value that contains itself, which plain data never need")

    # One method for an opcode, or for a family of them that differ in the argument.

    def open_mark(self, _: None) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def skip(self, layout: struct.Struct) -> None:
        self.bytes.take(layout.size)

    def push_constant(self, make: Callable[[], object]) -> None:
        self._stack.append(make())

    def push_number(self, layout: struct.Struct) -> None:
        self._stack.append(self.bytes.number(layout))

    def push_long(self, layout: struct.Struct) -> None:
        length = self.bytes.number(layout)
        if length > _MAX_LONG_BYTES:
            raise InputError(f"it holds a whole number of {length} bytes, which none needs")
        self._stack.append(int.from_bytes(self.bytes.take(length), "little", signed=True))

    def push_text(self, layout: struct.Struct) -> None:
        self._stack.append(self.bytes.text(layout))

    def push_old_text(self, layout: struct.Struct) -> None:
        self._stack.append(OldText(self.bytes.take(self.bytes.number(layout))))

    def push_line(self, read: Callable[[bytes], object]) -> None:
        self._stack.append(read(self.bytes.line()))

    def push_bytes(self, layout: struct.Struct) -> None:
        self._stack.append(self.bytes.take(self.bytes.number(layout)))

    def remember(self, layout: struct.Struct | None) -> None:
        self._remember(self._index(layout))

    def remember_next(self, _: None) -> None:
        self._remember(len(self._memo))

    def _remember(self, key: int) -> None:
        value = self.pop()
        self._stack.append(value)
        if key in self._memo:
            # Only a value that is kept here for good has an id that stays its own.
            raise InputError(DAMAGED)
        self._memo[key] = value

    def recall(self, layout: struct.Struct | None) -> None:
        key = self._index(layout)
        if key not in self._memo:
            raise InputError(DAMAGED)
        self._recalled.add(id(self._memo[key]))
        self._stack.append(self._memo[key])

    def push_tuple(self, count: int | None) -> None:
        items = self._pop_mark() if count is None else [self.pop() for _ in range(count)][::-1]
        self._stack.append(tuple(items))

    def push_list(self, _: None) -> None:
        items = self._pop_mark()
        self._stack.append(items)

    def push_dict(self, _: None) -> None:
        items = self._pop_mark()
        made: dict[str | int, Any] = {}
        self._set(made, items)
        self._stack.append(made)

    def append(self, _: None) -> None:
        value = self.pop()
        self._unfinished(list).append(value)

    def appends(self, _: None) -> None:
        items = self._pop_mark()
        self._unfinished(list).extend(items)

    def set_item(self, _: None) -> None:
        value, key = self.pop(), self.pop()
        self._set(self._unfinished(dict), [key, value])

    def set_items(self, _: None) -> None:
        items = self._pop_mark()
        self._set(self._unfinished(dict), items)

    def _set(self, target: dict[str | int, Any], items: list[Any]) -> None:
        if len(items) % 2:
            raise InputError(DAMAGED)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self._key(key, len(target))] = value

    def _key(self, key: object, number: int) -> str | int:
        """A key; objects become their class's name with a number."""
        return f"{key.class_name} {number}" if isinstance(key, InertObject) else checked_key(key)

    def add_items(self, _: None) -> None:
        items = self._pop_mark()
        target = self._unfinished(set)
        if isinstance(target, set):
            target.update(self._key(key, number) for number, key in enumerate(items))

    def push_frozenset(self, _: None) -> None:
        items = self._pop_mark()
        self._stack.append(frozenset(self._key(key, n) for n, key in enumerate(items)))

    def push_global(self, _: None) -> None:
        module, name = self.bytes.name(), self.bytes.name()
        self._stack.append(self._allowed(module, name))

    def push_stack_global(self, _: None) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise InputError("it asks for a global by something that is no name")
        self._stack.append(self._allowed(module, name))

    def refuse_instance(self, _: None) -> None:
        refuse_call(self._allowed(self.bytes.name(), self.bytes.name()))

    def call(self, _: None) -> None:
        arguments, target = self.pop(), self.pop()
        if not isinstance(arguments, tuple):
            raise InputError(DAMAGED)
        if isinstance(target, InertObject):  # a class or function that is made by the file itself
            self._stack.append(InertObject(target.class_name, arguments=arguments))
            return
        constructor = self._constructor(target) if isinstance(target, Global) else None
        if constructor is None:
            refuse_call(target)
        self._stack.append(made := constructor(arguments))
        if isinstance(made, memoryview):
            self._encoded += len(made)  # protocol 2 spells bytes as text; repeated, a bomb
            if self._encoded > len(self.bytes.data):
                raise InputError(DAMAGED)

    def create(self, _: None) -> None:
        """An object of a class and what it is made of, as a tuple with named parts is."""
        arguments = self._stack[-1] if self._stack else ()
        self.call(None)
        if isinstance(made := self._stack[-1], InertObject):
            made.arguments = arguments

    def _constructor(self, target: Global) -> Constructor | None:
        key = target.module, target.name
        if key in self._vocabulary or self._classes is None:
            return self._vocabulary.get(key)
        return self._classes(*key)

    def call_with_keywords(self, _: None) -> None:
        keywords = self.pop()
        if type(keywords) is not dict:
            raise InputError(DAMAGED)
        self.create(None)
        if keywords and not isinstance(self._stack[-1], InertObject):
            raise InputError("it calls something with keywords; nothing was run")

    def build(self, _: None) -> None:
        state, target = self.pop(), self.pop()
        self._stack.append(target)
        if type(target) in (dict, list, set):
            return  # attributes of a subclass (an OrderedDict's _metadata): no data of ours
        if not isinstance(target, Stateful):
            raise InputError("it gives a state to something that has none; nothing was run")
        if not isinstance(target, InertObject):
            self._require_unshared(target)
        target.set_state(state)

    def push_persistent(self, _: None) -> None:
        if self._persistent is None:
            raise InputError("it refers to data outside the file, which is not supported")
        self._stack.append(self._persistent(self.pop()))

    def _allowed(self, module: str, name: str) -> Global:
        named = Global(module, name)
        if (module, name) not in self._vocabulary and self._constructor(named) is None:
            refuse_global(module, name)
        return named
