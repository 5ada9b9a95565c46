"""Which operation of the stack machine each opcode of a pickle is."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import Any

from dragonnx.errors import InputError
from dragonnx.reading.pickles.machine import Classes, Machine
from dragonnx.reading.pickles.pickle_bytes import (
    PickleBytes,
    escaped_text,
    fraction,
    quoted_text,
    whole_number,
)
from dragonnx.reading.pickles.vocabulary import Vocabulary, refuse_opcode


def run(
    data: memoryview,
    vocabulary: Vocabulary,
    persistent: Callable[[object], object] | None,
    max_opcodes: int,
    classes: Classes | None,
) -> tuple[object, memoryview]:
    """As `safe_pickle.load_first`, which says what the arguments are."""
    machine = Machine(PickleBytes(data), vocabulary, persistent, classes)
    for _ in range(max_opcodes):
        code = machine.bytes.take(1)[0]
        if code == pickle.STOP[0]:
            return machine.pop(), data[machine.bytes.position :]
        operation = _OPERATIONS.get(code)
        if operation is None:
            refuse_opcode(code)
        operation[0](machine, operation[1])
    raise InputError(f"its pickle has more than {max_opcodes} opcodes, which plain data never need")


_U8, _U16, _U32, _U64 = (struct.Struct(f"<{code}") for code in "BHIQ")
_Operation = tuple[Callable[[Machine, Any], None], Any]
_OPERATIONS: dict[int, _Operation] = {
    opcode[0]: operation
    for opcode, operation in (
        (pickle.PROTO, (Machine.skip, _U8)),
        (pickle.FRAME, (Machine.skip, _U64)),
        (pickle.MARK, (Machine.open_mark, None)),
        (pickle.INT, (Machine.push_line, whole_number)),
        (pickle.LONG, (Machine.push_line, whole_number)),
        (pickle.FLOAT, (Machine.push_line, fraction)),
        (pickle.STRING, (Machine.push_line, quoted_text)),
        (pickle.UNICODE, (Machine.push_line, escaped_text)),
        (pickle.BINSTRING, (Machine.push_old_text, _U32)),
        (pickle.SHORT_BINSTRING, (Machine.push_old_text, _U8)),
        (pickle.PUT, (Machine.remember, None)),
        (pickle.GET, (Machine.recall, None)),
        (pickle.LIST, (Machine.push_list, None)),
        (pickle.DICT, (Machine.push_dict, None)),
        (pickle.NONE, (Machine.push_constant, lambda: None)),
        (pickle.NEWTRUE, (Machine.push_constant, lambda: True)),
        (pickle.NEWFALSE, (Machine.push_constant, lambda: False)),
        (pickle.EMPTY_TUPLE, (Machine.push_constant, tuple)),
        (pickle.EMPTY_LIST, (Machine.push_constant, list)),
        (pickle.EMPTY_DICT, (Machine.push_constant, dict)),
        (pickle.EMPTY_SET, (Machine.push_constant, set)),
        (pickle.BININT, (Machine.push_number, struct.Struct("<i"))),
        (pickle.BININT1, (Machine.push_number, _U8)),
        (pickle.BININT2, (Machine.push_number, _U16)),
        (pickle.BINFLOAT, (Machine.push_number, struct.Struct(">d"))),
        (pickle.LONG1, (Machine.push_long, _U8)),
        (pickle.SHORT_BINUNICODE, (Machine.push_text, _U8)),
        (pickle.BINUNICODE, (Machine.push_text, _U32)),
        (pickle.BINUNICODE8, (Machine.push_text, _U64)),
        (pickle.SHORT_BINBYTES, (Machine.push_bytes, _U8)),
        (pickle.BINBYTES, (Machine.push_bytes, _U32)),
        (pickle.BINBYTES8, (Machine.push_bytes, _U64)),
        (pickle.BYTEARRAY8, (Machine.push_bytes, _U64)),
        (pickle.BINPUT, (Machine.remember, _U8)),
        (pickle.LONG_BINPUT, (Machine.remember, _U32)),
        (pickle.MEMOIZE, (Machine.remember_next, None)),
        (pickle.BINGET, (Machine.recall, _U8)),
        (pickle.LONG_BINGET, (Machine.recall, _U32)),
        (pickle.TUPLE1, (Machine.push_tuple, 1)),
        (pickle.TUPLE2, (Machine.push_tuple, 2)),
        (pickle.TUPLE3, (Machine.push_tuple, 3)),
        (pickle.TUPLE, (Machine.push_tuple, None)),
        (pickle.APPEND, (Machine.append, None)),
        (pickle.APPENDS, (Machine.appends, None)),
        (pickle.SETITEM, (Machine.set_item, None)),
        (pickle.SETITEMS, (Machine.set_items, None)),
        (pickle.ADDITEMS, (Machine.add_items, None)),
        (pickle.FROZENSET, (Machine.push_frozenset, None)),
        (pickle.GLOBAL, (Machine.push_global, None)),
        (pickle.STACK_GLOBAL, (Machine.push_stack_global, None)),
        (pickle.INST, (Machine.refuse_instance, None)),
        (pickle.REDUCE, (Machine.call, None)),
        (pickle.NEWOBJ, (Machine.create, None)),
        (pickle.NEWOBJ_EX, (Machine.call_with_keywords, None)),
        (pickle.BUILD, (Machine.build, None)),
        (pickle.BINPERSID, (Machine.push_persistent, None)),
    )
}
