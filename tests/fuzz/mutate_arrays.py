"""Arrays in NumPy's format, .npy: headers that claim what is not there, and values of any kind."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
from fuzz.mutate import mutated_bytes

_MAGIC = b"\x93NUMPY"
_TYPES = (
    "'<f8'", "'<f4'", "'>f4'", "'<f2'", "'<f16'", "'<c16'", "'<i8'", "'|b1'", "'|u1'", "'|O'",
    "'<U3'", "'<U500000000'", "'|S0'", "'|V8'", "'|V2000000000'", "'<M8[ns]'", "'<m8'", "'x'",
    "[('a', '<f4'), ('b', '|O')]", "[]", "None", "3", "('<f4', (2, 2))", "('<f4', (99999, 99999))",
    "'<f4,<f4'",
)  # fmt: skip
_SHAPES = (
    "()", "(0,)", "(1,)", "(-1,)", "(1000000000000,)", "(9223372036854775807,)",
    "(18446744073709551616,)", "(3037000500, 3037000500)", "(0, 9223372036854775807)",
    "(4294967296, 4294967296)", f"({'1,' * 70})", f"({'2,' * 40})", "(True, 2)", "(2.0,)", "('x',)",
    "[3, 4]", "3", "None", "(1, 3, 400000000)", "(300000000, 3, 4)", "(100000000,)",
)  # fmt: skip
_HEADERS = (
    "", "{}", "{'descr': '<f4'}", "(" * 5000, "[" * 90 + "]" * 90, "__import__('os').system('x')",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}", "\x00", "{" * 100_000,
    f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'1' * 5000},)}}",
    f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'-' * 4000}3,)}}",
)  # fmt: skip


def mutated_npy(random: Random, data: bytes) -> bytes:
    """The header or the values changed; what is no such array is changed as bytes."""
    parts = _parts(data)
    if parts is None or random.random() < 0.2:
        return mutated_bytes(random, data)
    header, values = parts
    match random.choice(("type", "shape", "shape", "order", "header", "values", "values", "part")):
        case "type":
            header = _with(header, "descr", random.choice(_TYPES))
        case "shape":
            header = _with(header, "shape", random.choice(_SHAPES))
        case "order":
            header = _with(header, "fortran_order", random.choice(("True", "1", "None", "'x'")))
        case "header":
            header = random.choice(_HEADERS)
        case "part":
            values = random.choice((b"", values[:-1], values * 2, values + b"x"))
        case "values":
            values = _strange_values(random, values)
    return npy(header, values, random)


def npy(header: str, values: bytes, random: Random | None = None) -> bytes:
    """A .npy file of any header; with random numbers, sometimes of an unusual version or length."""
    text = header.encode("utf-8", "surrogatepass")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    version, length = (2 if len(text) > 65535 else 1), len(text)
    if random is not None and random.random() < 0.1:
        version = random.choice((0, 1, 2, 3, 4, 255))
    if random is not None and random.random() < 0.1:
        length = random.choice((0, 1, length - 1, length + 1, 65535, 2**31, 2**32 - 1))
    size = struct.pack("<H", length & 0xFFFF) if version == 1 else struct.pack("<I", length)
    return _MAGIC + bytes((version, 0)) + size + text + values


def _parts(data: bytes) -> tuple[str, bytes] | None:
    if not data.startswith(_MAGIC) or len(data) < 10 or data[6] != 1:
        return None
    end = 10 + int.from_bytes(data[8:10], "little")
    return data[10:end].decode("latin-1").strip(), data[end:]


def _with(header: str, key: str, value: str) -> str:
    """The header with one of its values replaced, by the places that NumPy writes them in."""
    start = header.find(f"'{key}': ")
    if start < 0:
        return header
    start += len(key) + 4
    following = {"descr": ", 'fortran_order'", "fortran_order": ", 'shape'", "shape": ", }"}[key]
    end = header.find(following, start)
    return header[:start] + value + header[end:] if end >= 0 else header


def _strange_values(random: Random, values: bytes) -> bytes:
    if not values:
        return random.randbytes(8)
    kind = random.choice((np.float32, np.float64, np.uint64))
    strange = [0, 1, 255] if kind is np.uint64 else [np.nan, np.inf, -np.inf, -1, 1e30, 1e-30, 0]
    piece = np.full(random.choice((1, len(values))), random.choice(strange), kind).tobytes()
    size = np.dtype(kind).itemsize
    at = random.randrange(len(values)) // size * size
    return (values[:at] + piece + values[at + len(piece) :])[: len(values)]
