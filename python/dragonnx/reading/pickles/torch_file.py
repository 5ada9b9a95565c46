"""What torch.save wrote, in both of its forms: a row of pickles with raw data, and a zip.

A pickle of NVIDIA's carries such a file inside for every tensor (`torch.storage._load_from_bytes`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.reading.pickles.machine import Classes
from dragonnx.reading.pickles.safe_pickle import MAX_OPCODES, load, load_first
from dragonnx.reading.pickles.torch_storage import TENSORS, Storage, StorageId, storage_id
from dragonnx.reading.pickles.vocabulary import DAMAGED, Global, Vocabulary
from dragonnx.reading.pickles.zip_members import ZIP_MAGIC, ZipMembers

LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of every file in torch.save's old form: one number."""

_PROTOCOL_VERSION = 1001
_NESTED_OPCODES = 1000  # a nested file takes some thirty
_MAX_NESTED_ZIP_BYTES = 1 << 26  # several times the largest weight; it is copied to be read
_PICKLE = "data.pkl"
# torch.save packs nothing; who zips an unpacked file again may, and weights hardly get smaller.
_UNPACKED_PER_BYTE, _UNPACKED_EXTRA = 2, 1 << 20


def read_torch_file(
    data: bytes | memoryview,
    vocabulary: Vocabulary,
    max_opcodes: int = MAX_OPCODES,
    classes: Classes | None = None,
) -> object:
    """The object that was saved; the data of its tensors stay packed.

    Args:
        data: The file.
        vocabulary: The globals that it may name.
        max_opcodes: How long its pickle may be.
        classes: Gives a constructor for other globals.

    Raises:
        InputError: The file is damaged, or asks for anything but data.
    """
    if data[:4] == ZIP_MAGIC:
        return _read_zip(bytes(data), vocabulary, max_opcodes, classes)
    return _read_legacy(memoryview(data), vocabulary, max_opcodes, classes)


class _Storages:
    """The storages of one file by their keys; persistent ids refer to them."""

    def __init__(self, raw_of: Callable[[str], memoryview]) -> None:
        self.ids: dict[str, StorageId] = {}
        self._storages: dict[str, Storage] = {}
        self._raw_of = raw_of

    def resolve(self, value: object) -> object:
        """A storage, or the class that torch.save keeps source code beside: its name alone.

        Raises:
            InputError: The persistent id is of neither kind, or contradicts another one.
        """
        match value:
            case ("module", Global(), _, _):
                return value[1]
        stated = storage_id(value)
        if self.ids.setdefault(stated.key, stated) != stated:
            raise InputError(DAMAGED)
        if stated.key not in self._storages:
            unread = "" if stated.code else stated.name
            self._storages[stated.key] = Storage(lambda: self._values(stated), unread)
        return self._storages[stated.key]

    def _values(self, stated: StorageId) -> NDArray[np.generic]:
        return stated.filled(self._raw_of(stated.key))


def _read_legacy(
    payload: memoryview, vocabulary: Vocabulary, max_opcodes: int, classes: Classes | None
) -> object:
    """Pickles of magic number, version, system, object and keys; a count and data for each key."""
    if payload[: len(LEGACY_MAGIC)] != LEGACY_MAGIC:
        raise InputError("it holds a tensor whose data are not in the form of torch.save")
    rest = payload[len(LEGACY_MAGIC) :]
    version, rest = load_first(rest, max_opcodes=_NESTED_OPCODES)
    system, rest = load_first(rest, max_opcodes=_NESTED_OPCODES)
    if type(version) is not int or version != _PROTOCOL_VERSION:
        raise InputError("it is in an unknown version of torch.save's format")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise InputError("it was saved on a big-endian machine, which is not read")
    raw: dict[str, memoryview] = {}
    storages = _Storages(raw.__getitem__)
    stored, rest = load_first(rest, vocabulary, storages.resolve, max_opcodes, classes)
    keys, rest = load_first(rest, max_opcodes=len(storages.ids) * 4 + _NESTED_OPCODES)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise InputError(DAMAGED)
    if len(keys) != len(storages.ids) or set(keys) != storages.ids.keys():
        raise InputError("it holds other tensors than it lists; fetch it again")
    for key in keys:
        stated = storages.ids[key]
        count = int.from_bytes(rest[:8], "little")
        if len(rest) < 8 or count != stated.count or 8 + stated.size > len(rest):
            raise InputError("it holds a tensor whose data end early; fetch it again")
        raw[key], rest = rest[8 : 8 + stated.size], rest[8 + stated.size :]
    return stored


def _read_zip(
    data: bytes, vocabulary: Vocabulary, max_opcodes: int, classes: Classes | None
) -> object:
    """A zip of FOLDER/data.pkl, FOLDER/byteorder and FOLDER/data/KEY."""
    members = ZipMembers(data, _UNPACKED_PER_BYTE * len(data) + _UNPACKED_EXTRA)
    pickles = [name for name in members.names if f"/{name}".endswith(f"/{_PICKLE}")]
    # Who zips an unpacked file again may leave out its folder, or put another around it.
    if len(pickles) != 1:
        raise InputError(
            "it is a zip without the one pickle that torch.save puts in it; where it holds a "
            "checkpoint, unpack it first"
        )
    folder = pickles[0].removesuffix(_PICKLE)
    if any(name.startswith(f"{folder}code/") for name in members.names):
        raise InputError(
            "it is a TorchScript program, which is not run; give the file that it was made of"
        )
    order = f"{folder}byteorder"
    if order in members.names and bytes(members.read(order)) != b"little":
        raise InputError("it was saved on a big-endian machine, which is not read")
    storages = _Storages(lambda key: members.read(f"{folder}data/{key}"))
    return load(members.read(pickles[0]), vocabulary, storages.resolve, max_opcodes, classes)


def _load_from_bytes(arguments: tuple[object, ...]) -> object:
    """A whole file with one storage, looked at when that is asked for."""
    if len(arguments) != 1 or not isinstance(arguments[0], memoryview):
        raise InputError(DAMAGED)
    payload = arguments[0]
    return Storage(lambda: _only_storage(payload))


def _only_storage(payload: memoryview) -> NDArray[np.generic]:
    if payload[:4] == ZIP_MAGIC and len(payload) > _MAX_NESTED_ZIP_BYTES:
        raise InputError("it holds a tensor of more bytes than any weight has")
    stored = read_torch_file(payload, TENSORS, _NESTED_OPCODES)
    if not isinstance(stored, Storage):
        raise InputError("it holds nested data that are not one storage")
    return stored.values


TORCH: Vocabulary = {("torch.storage", "_load_from_bytes"): _load_from_bytes, **TENSORS}
"""The globals of PyTorch that a file of tensors may name."""
