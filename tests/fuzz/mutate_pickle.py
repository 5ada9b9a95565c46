"""Pickles changed opcode by opcode, so that what is read goes on to mean something."""

from __future__ import annotations

import pickletools
import struct
from random import Random

from fuzz.mutate import INTEGERS, mutated_bytes, times

_HARMFUL = (
    b"cos\nsystem\nX\x04\x00\x00\x00true\x85R", b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R",
    b"cbuiltins\ngetattr\n", b"ctorch.storage\n_load_from_bytes\n", b"cnumpy\ndtype\n",
    b"ccollections\nOrderedDict\n)R", b"ios\nsystem\n", b"cnumpy\nndarray\n",
)  # fmt: skip
_OPCODES = tuple(ord(opcode.code) for opcode in pickletools.opcodes)


def mutated_pickle(random: Random, data: bytes) -> bytes:
    """A pickle with a few of its opcodes changed; what follows it stays."""
    try:
        starts = [place for _, _, place in pickletools.genops(data) if place is not None]
    except Exception:  # whatever it raises for one that is damaged already
        return mutated_bytes(random, data)
    if len(starts) < 3 or random.random() < 0.2:
        return mutated_bytes(random, data)
    pieces = [data[a:b] for a, b in zip(starts, [*starts[1:], starts[-1] + 1], strict=True)]
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(pieces))
        piece = pieces[at]
        match random.choice(("drop", "repeat", "swap", "harm", "number", "opcode", "copy")):
            case "drop":
                pieces[at] = b""
            case "repeat":
                pieces[at] = piece * times(random, len(piece))
            case "swap":
                other = random.randrange(len(pieces))
                pieces[at], pieces[other] = pieces[other], piece
            case "harm":
                pieces[at] = random.choice(_HARMFUL)
            case "number":
                pieces[at] = b"J" + struct.pack("<I", random.choice(INTEGERS) % 2**32)
            case "opcode":
                pieces[at] = bytes([random.choice(_OPCODES)]) + piece[1:]
            case "copy":
                pieces[at] = piece + random.choice(pieces)[:100_000]
    return b"".join(pieces) + data[starts[-1] + 1 :]
