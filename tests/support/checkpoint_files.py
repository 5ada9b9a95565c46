"""Builds checkpoint files for tests: pickles opcode by opcode, torch storages, tiny generators."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.checkpoints import parameter_shapes
from dragonnx_export.families.stylegan2.architecture import Architecture

FIXTURES = Path(__file__).parents[1] / "fixtures"
FIXTURE = FIXTURES / "stylegan2-ada-32px.pkl"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
SMALL = Architecture(
    z_dim=6, w_dim=5, resolution=8, channels={4: 4, 8: 3}, mapping_layers=2, conv_clamp=256.0
)

Weights = Mapping[str, NDArray[np.float32]]


class Call(NamedTuple):
    """What a pickle writes as a global called with arguments."""

    module: str
    name: str
    arguments: tuple[Any, ...]


class Raw(bytes):
    """Opcodes that go into a pickle as they are."""


class PersistentId(NamedTuple):
    identity: tuple[Any, ...]


def dumps(value: Any) -> bytes:
    return b"\x80\x04" + opcodes(value) + b"."


def opcodes(value: Any) -> bytes:  # noqa: PLR0911
    """The value in opcodes of protocol 2, without any sharing."""
    match value:
        case Raw():
            return bytes(value)
        case None | True | False:
            return {None: b"N", True: b"\x88", False: b"\x89"}[value]
        case int() if abs(value) < 1 << 31:
            return b"J" + struct.pack("<i", value)
        case int():
            return b"\x8a\x0a" + value.to_bytes(10, "little", signed=True)
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case bytes():
            return b"B" + struct.pack("<I", len(value)) + value
        case Call():
            return name(value.module, value.name) + opcodes(value.arguments) + b"R"
        case PersistentId():
            return opcodes(value.identity) + b"Q"
        case tuple():
            return b"(" + b"".join(map(opcodes, value)) + b"t"
        case list():
            return b"](" + b"".join(map(opcodes, value)) + b"e"
        case dict():
            return b"}(" + b"".join(opcodes(part) for pair in value.items() for part in pair) + b"u"
    raise TypeError(type(value))


def name(module: str, attribute: str) -> Raw:
    return Raw(f"c{module}\n{attribute}\n".encode())


def legacy_storage(values: NDArray[Any], kind: str = "FloatStorage", **changes: Any) -> bytes:
    """A flat array as torch.save's old form; `changes` replace parts of it."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    identity = ("storage", name("torch", kind), "77", "cpu", values.size, None)
    parts = {
        "magic": b"\x80\x02\x8a\x0a" + LEGACY_MAGIC.to_bytes(10, "little") + b".",
        "version": dumps(1001),
        "system": dumps(system),
        "object": dumps(PersistentId(identity)),
        "keys": dumps(["77"]),
        "count": struct.pack("<q", values.size),
        "raw": values.tobytes(),
    }
    return b"".join({**parts, **changes}.values())


def zip_storage(values: NDArray[Any], kind: str = "FloatStorage", **changes: bytes) -> bytes:
    """A flat array as torch.save's zip; `changes` replace members."""
    identity = ("storage", name("torch", kind), "0", "cpu", values.size)
    members = {"data.pkl": dumps(PersistentId(identity)), "byteorder": b"little"}
    members |= {"data/0": values.tobytes(), "version": b"3\n", **changes}
    return zipped({f"archive/{key}": contents for key, contents in members.items()})


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for member, contents in members.items():
            archive.writestr(zipfile.ZipInfo(member), contents, compression)
    return stream.getvalue()


def npy(values: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values)
    return stream.getvalue()


def tensor(values: NDArray[Any]) -> Call:
    """A tensor as torch pickles it outside torch.save."""
    kind = {"f": "FloatStorage", "d": "DoubleStorage", "l": "LongStorage"}[values.dtype.char]
    storage = Call("torch.storage", "_load_from_bytes", (legacy_storage(values.ravel(), kind),))
    strides = tuple(stride // values.itemsize for stride in values.strides)
    hooks = Call("collections", "OrderedDict", ())
    return Call(
        "torch._utils", "_rebuild_tensor_v2", (storage, 0, values.shape, strides, False, hooks)
    )


def notes_besides_lr(notes: tuple[str, ...]) -> tuple[str, ...]:
    """The notes on a state dict but for the one that every state dict has."""
    about = [note for note in notes if "learning rate multiplier" in note]
    assert len(about) == 1, "no state dict says the mapping network's learning rate multiplier"
    return tuple(note for note in notes if note not in about)


def random_weights(architecture: Architecture, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.standard_normal(shape).astype(np.float32)
        for name, shape in parameter_shapes(architecture)
    }


def generator_state(architecture: Architecture, weights: Weights) -> dict[str, Any]:
    """The state of a generator as NVIDIA's classes keep it, as plain dicts to change at will.

    A module is a dict with "class_name" beside its attributes and tables.
    """
    a = architecture
    root = _module("Generator", z_dim=a.z_dim, c_dim=a.label_dim, w_dim=a.w_dim)
    root |= {"img_resolution": a.resolution, "img_channels": a.image_channels, "num_ws": a.num_ws}
    root["_init_kwargs"] = {"mapping_kwargs": {"num_layers": a.mapping_layers}}
    for full_name, values in weights.items():
        *path, array = full_name.split(".")
        module = root
        for step in path:
            if step not in module["_modules"]:
                module["_modules"][step] = _described(step, a)
            module = module["_modules"][step]
        table = "_buffers" if array in ("w_avg", "noise_const") else "_parameters"
        module[table][array] = values
        if module["class_name"] == "FullyConnectedLayer" and array == "weight":
            lr = a.mapping_lr_multiplier if path[-1].startswith("fc") else 1
            module |= {"weight_gain": lr / values.shape[1] ** 0.5, "bias_gain": lr}
    square = np.outer(a.resample_filter, a.resample_filter).astype(np.float32)
    for block in root["_modules"]["synthesis"]["_modules"].values():
        for module in (block, *block["_modules"].values()):
            if module["class_name"] != "ToRGBLayer":
                module["_buffers"]["resample_filter"] = square / square.sum()
    return root


def _module(class_name: str, **attributes: Any) -> dict[str, Any]:
    tables: dict[str, Any] = {"_parameters": {}, "_buffers": {}, "_modules": {}}
    return {"class_name": class_name, **tables, **attributes}


def _described(step: str, a: Architecture) -> dict[str, Any]:
    if step.startswith("conv"):
        return _module(
            "SynthesisLayer", activation="lrelu", conv_clamp=a.conv_clamp, use_noise=a.use_noise
        )
    if step.startswith("fc"):
        return _module("FullyConnectedLayer", activation="lrelu")
    if step == "skip":
        return _module("Conv2dLayer", activation="linear", conv_clamp=None, up=2)
    return {
        "mapping": _module("MappingNetwork", num_layers=a.mapping_layers),
        "synthesis": _module("SynthesisNetwork"),
        "torgb": _module("ToRGBLayer", conv_clamp=a.conv_clamp),
        "affine": _module("FullyConnectedLayer", activation="linear"),
        "embed": _module("FullyConnectedLayer", activation="linear"),
    }.get(step) or _module("SynthesisBlock", architecture=a.variant)


def record(state: Mapping[str, Any]) -> Call:
    """The pickle record of a module, with a trap in place of its source code."""
    attributes = {key: value for key, value in state.items() if key != "class_name"}
    for table in ("_parameters", "_buffers"):
        attributes[table] = {
            key: tensor(value) if isinstance(value, np.ndarray) else value
            for key, value in state[table].items()
        }
    attributes["_modules"] = {
        key: record(value) if isinstance(value, dict) else value
        for key, value in state["_modules"].items()
    }
    meta = {
        "type": "class",
        "version": 6,
        "module_src": "import os\nos.environ['DRAGONNX_TRAP'] = 'executed'\n",
        "class_name": state["class_name"],
        "state": attributes,
    }
    return Call("torch_utils.persistence", "_reconstruct_persistent_obj", (meta,))


def nvidia_pickle(state: Mapping[str, Any]) -> bytes:
    return dumps({"G": None, "D": None, "G_ema": record(state)})
