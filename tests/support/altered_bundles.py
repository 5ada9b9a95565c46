"""Bundles of a stranger: anything in them is altered, and every hash is right again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dragonnx.model.checking.schema import FLOAT, INT64, parse_model
from dragonnx.model.facts import FileRecord

Edit = Callable[[Any], object]


def replace_file(folder: Path, name: str, content: bytes) -> None:
    """Put a file into a bundle, in the place of another one or besides, as if it belonged there."""
    (folder / name).write_bytes(content)
    edit_manifest(folder, lambda facts: facts["files"].update({name: vars(FileRecord.of(content))}))


def edit_manifest(folder: Path, edit: Edit) -> None:
    """Alter the values of a manifest."""
    path = folder / "manifest.json"
    facts = json.loads(path.read_text())
    edit(facts)
    path.write_text(json.dumps(facts))


def edit_graph(folder: Path, name: str, edit: Edit) -> None:
    """Alter the model of a graph's file, given as `parse_model` gives it."""
    model = parse_model((folder / name).read_bytes())
    edit(model)
    replace_file(folder, name, model.SerializeToString())


def add_constant(model: Any, name: str, values: object) -> str:
    """A small constant in the graph itself; whole numbers are int64, others float32."""
    array = np.asarray(values)
    whole = array.dtype.kind == "i"
    array = array.astype("<i8" if whole else "<f4")
    model.graph.initializer.add(
        name=name, dims=array.shape, data_type=INT64 if whole else FLOAT, raw_data=array.tobytes()
    )
    return name


def add_node(model: Any, kind: str, *inputs: str, first: bool = False, **attributes: object) -> str:
    """A node behind all others, or before them; the name of its output."""
    name = f"added_{len(model.graph.node)}"
    node = model.graph.node.add(op_type=kind, input=inputs, output=[name], name=name)
    for key, value in attributes.items():
        attribute = node.attribute.add(name=key)
        if isinstance(value, list):
            attribute.ints.extend(value)
            attribute.type = 7
        elif isinstance(value, int):
            attribute.i, attribute.type = value, 2
    if first:
        nodes = list(model.graph.node)
        copies = [type(node).FromString(each.SerializeToString()) for each in nodes]
        del model.graph.node[:]
        model.graph.node.extend([copies[-1], *copies[:-1]])
    return name
