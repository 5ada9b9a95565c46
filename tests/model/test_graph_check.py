"""Graphs of strangers, with hashes that are right: nothing but known operators on known data."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.altered_bundles import (
    Edit,
    add_constant,
    add_node,
    edit_graph,
    edit_manifest,
    replace_file,
)

from dragonnx import BundleError, Generator
from dragonnx.model.bundle import PACKAGE_MODELS, Bundle, read_manifest
from dragonnx.model.checking.schema import EXTERNAL, INT64, parse_model
from dragonnx.model.checking.signatures import check_graphs
from dragonnx.model.facts import LARGEST_GRAPH

FIXTURES = Path(__file__).parents[1] / "fixtures"
SMALL = FIXTURES / "bundle-v2"
"""A generator of 32 px with random weights."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SMALL, tmp_path / "bundle"))


@pytest.mark.parametrize(
    "bundle", [FIXTURES / "bundle-v1", SMALL, PACKAGE_MODELS / "critters"], ids=lambda p: p.name
)
def test_what_the_exporter_writes_and_wrote_passes(bundle: Path, tmp_path: Path) -> None:
    """The bundled model is not checked where it lies, since it is part of the package."""
    Bundle.open(Path(shutil.copytree(bundle, tmp_path / "copy")))
    manifest = read_manifest(bundle)
    check_graphs(bundle, manifest, lambda name: (bundle / name).read_bytes())


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        Bundle.open(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700
    return str(caught.value)


def external(model: Any) -> Any:
    """The first constant whose data lies in the file of weights."""
    return next(each for each in model.graph.initializer if each.data_location == EXTERNAL)


def inline(model: Any) -> Any:
    return next(each for each in model.graph.initializer if each.raw_data)


def place(**entries: str | None) -> Edit:
    """Say that a constant lies somewhere else."""

    def edit(model: Any) -> None:
        found = external(model)
        old = {entry.key: entry.value for entry in found.external_data} | entries
        del found.external_data[:]
        for key, value in old.items():
            if value is not None:
                found.external_data.add(key=key, value=value)

    return edit


def node(kind: str, **changes: object) -> Edit:
    """Change the first node of a kind."""

    def edit(model: Any) -> None:
        found = next(each for each in model.graph.node if each.op_type == kind)
        for name, value in changes.items():
            if isinstance(value, list):
                getattr(found, name)[:] = value
            else:
                setattr(found, name, value)

    return edit


def with_bytes(message: Any, content: bytes) -> None:
    """Add fields that the schema of graphs lacks."""
    message.MergeFromString(content)


def graph_attribute(model: Any) -> None:
    with_bytes(model.graph.node[0].attribute.add(name="body", type=5), b"\x32\x00")


def twice_external(model: Any) -> None:
    external(model).external_data.add(key="location", value="weights.bin")


def swap_nodes(model: Any) -> None:
    nodes = [type(each).FromString(each.SerializeToString()) for each in model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes[::-1])


def many_nodes(model: Any) -> None:
    for _ in range(5000):
        model.graph.node.add(op_type="Identity", input=["w_plus"], output=["x"])


def set_attribute(kind: str, name: str, value: object) -> Edit:
    """Give the first node of a kind that attribute."""

    def edit(model: Any) -> None:
        found = next(each for each in model.graph.node if each.op_type == kind)
        kept = [
            type(a).FromString(a.SerializeToString()) for a in found.attribute if a.name != name
        ]
        del found.attribute[:]
        found.attribute.extend(kept)
        added = found.attribute.add(name=name)
        if isinstance(value, list):
            added.type = 7
            added.ints.extend(value)
        else:
            added.type, added.i = 2, value

    return edit


STRANGE: dict[str, tuple[Edit, str]] = {
    # Where data lies.
    "a path out of the folder": (place(location="../weights.bin"), "'../weights.bin', which is no file"),
    "an absolute path": (place(location="/etc/passwd"), "'/etc/passwd', which is no file of weights"),
    "the manifest": (place(location="manifest.json"), "'manifest.json', which is no file of weights"),
    "another graph": (place(location="mapping.onnx"), "'mapping.onnx', which is no file of weights"),
    "a file that is not listed": (place(location="more.bin"), "'more.bin', which is no file"),
    "behind the end": (place(offset="18816"), "beyond the end of 'weights.bin'"),
    "far behind it": (place(offset="9" * 18), "beyond the end of 'weights.bin'"),
    "before the beginning": (place(offset="-64"), "a place that is none"),
    "a place that is no number": (place(offset="0x10"), "a place that is none"),
    "a place beyond 64 bits": (place(offset="9" * 30), "a place that is none"),
    "another length": (place(length="4"), "another length"),
    "no length": (place(length=None), "does not say where its data lies"),
    "more entries": (place(checksum="0"), "does not say where its data lies"),
    "two places": (twice_external, "does not say where its data lies"),
    "inside and outside": (
        lambda m: setattr(external(m), "raw_data", b"1234"), "lies in two places",
    ),
    "a place that is unknown": (lambda m: setattr(external(m), "data_location", 2), "is not that of"),
    "data that is too short": (lambda m: setattr(inline(m), "raw_data", b"1"), "is not that of"),
    "a shape that is none": (lambda m: external(m).dims.append(-1), "a tensor of the shape"),
    "an empty shape": (lambda m: external(m).dims.append(0), "a tensor of the shape"),
    "a shape of many axes": (lambda m: external(m).dims.extend([1] * 9), "a tensor of .* axes"),
    "a shape beyond memory": (lambda m: external(m).dims.append(2**40), "another length"),
    "a type of objects": (lambda m: setattr(inline(m), "data_type", 8), "a type that no constant"),
    "large data inside": (lambda m: add_constant(m, "big", np.zeros(2000)), "large, and lies in the graph"),
    # What may be in a graph.
    "another domain": (lambda m: m.opset_import.add(domain="evil", version=1), "operators that .*evil"),
    "a node of another domain": (node("Conv", domain="com.microsoft"), "an operator 'Conv' that no graph"),
    "a newer operator set": (lambda m: setattr(m.opset_import[0], "version", 99), "does not know"),
    "no operator set": (lambda m: m.opset_import.pop(), "does not know"),
    "a newer format": (lambda m: setattr(m, "ir_version", 99), "of a format that .* 99"),
    **{
        kind: (node("Conv", op_type=kind), f"an operator '{kind}' that no graph of dragonnx has")
        for kind in ("If", "Loop", "Scan", "SequenceMap", "Constant", "ConstantOfShape", "Expand", "Tile",
                     "Range", "StringNormalizer", "RandomNormal", "ai.onnx::If", "")
    },
    "a graph in a node": (graph_attribute, "parts that no graph of dragonnx has"),
    "functions": (lambda m: with_bytes(m, b"\xca\x01\x00"), "parts that no graph"),
    "training": (lambda m: with_bytes(m, b"\xa2\x01\x00"), "parts that no graph"),
    "sparse constants": (lambda m: with_bytes(m.graph, b"\x7a\x00"), "parts that no graph"),
    "shapes of its own account": (lambda m: with_bytes(m.graph, b"\x6a\x00"), "parts that no graph"),
    "an unknown attribute": (set_attribute("Conv", "dilations", [1, 1]), "'dilations' is not known"),
    "an attribute of another type": (set_attribute("Conv", "group", [1]), "'group' is not known"),
    "no groups": (set_attribute("Conv", "group", 0), "0 groups"),
    "no stride": (set_attribute("ConvTranspose", "strides", [0, 0]), "strides"),
    "a border as large as a disk": (set_attribute("Conv", "pads", [2**40] * 4), "the borders"),
    "a border inwards": (set_attribute("Conv", "pads", [-1] * 4), "the borders"),
    "very many borders": (set_attribute("Conv", "pads", [0] * 900), "the borders"),
    "an axis that is none": (set_attribute("Gather", "axis", 7), "an axis 7"),
    "a node of no inputs": (node("Conv", input=[]), "it takes 0 inputs"),
    "a node of many outputs": (node("Conv", output=["a", "b"]), "it gives 2 outputs"),
    "an input that nothing gives": (node("Conv", input=["a", "b"]), "nothing before it gives 'a'"),
    "nodes in another order": (swap_nodes, "nothing before it gives"),
    "a name twice": (lambda m: add_constant(m, "w_plus", 1.0), "'w_plus' twice"),
    "an output twice": (node("Conv", output=["w_plus"]), "'w_plus' twice"),
    "nodes of one name": (
        lambda m: [m.graph.node.add(op_type="Relu", input=["w_plus"], output=[o], name="n") for o in "ab"],
        "two nodes have one name",
    ),
    "very many nodes": (many_nodes, "nodes or constants"),
    "a name of a megabyte": (node("Conv", op_type="x" * 10**6), "an operator 'xxx.*'"),
    # What it takes and gives.
    "another input": (
        lambda m: setattr(m.graph.input[0], "name", "evil"), "takes 'evil', which nothing gives",
    ),
    "an input of another shape": (
        lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 9), "is not float32",
    ),
    "an input of another type": (
        lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", INT64), "is not float32",
    ),
    "an output of another shape": (
        lambda m: setattr(m.graph.output[0].type.tensor_type.shape.dim[1], "dim_value", 9), "is not float32",
    ),
    "an output of another name": (
        lambda m: setattr(m.graph.output[0], "name", "evil"), "no node gives its output 'evil'",
    ),
    "no output": (lambda m: m.graph.output.pop(), "it gives no image"),
}  # fmt: skip


@pytest.mark.parametrize("case", STRANGE)
def test_a_strange_graph_is_refused(folder: Path, case: str) -> None:
    edit, message = STRANGE[case]
    edit_graph(folder, "image.onnx", edit)
    told = refusal(folder)
    assert told.startswith(f"image.onnx of the bundle {folder} cannot be used: ")
    assert re.search(message, told), told


def outer_product(model: Any) -> str:
    column = add_constant(model, "column", np.ones((1000, 1)))
    return add_node(model, "Mul", column, add_constant(model, "row", np.ones((1, 1000))))


def product_of_constants(model: Any) -> None:
    """4 TB out of 8 KB: ONNX Runtime computes it while it loads the graph."""
    square = outer_product(model)
    shape = add_constant(model, "shape", [1000 * 1000, 1])
    turned = add_constant(model, "turned", [1, 1000 * 1000])
    add_node(
        model,
        "Mul",
        add_node(model, "Reshape", square, shape),
        add_node(model, "Reshape", square, turned),
    )


def doubled_constant(model: Any) -> None:
    name = add_constant(model, "start", np.ones(1000))
    for _ in range(40):
        name = add_node(model, "Concat", name, name, axis=0)


def gathered_constant(model: Any) -> None:
    """The same row five hundred times, over and over."""
    indices = add_constant(model, "indices", np.zeros(500, int))
    name, row = add_constant(model, "start", np.ones(1000)), add_constant(model, "as_row", [1, -1])
    for _ in range(4):
        name = add_node(model, "Gather", add_node(model, "Reshape", name, row), indices, axis=0)


def many_copies(model: Any) -> None:
    """Each node leaves a copy of its own."""
    square = outer_product(model)
    for _ in range(100):
        add_node(model, "Transpose", square, perm=[1, 0])


def multiplied_constants(model: Any) -> None:
    add_node(model, "MatMul", *[outer_product(model)] * 2)


def divided_numbers(model: Any) -> None:
    one, zero = add_constant(model, "one", [1]), add_constant(model, "zero", [0])
    add_node(model, "Div", one, zero)


def large_run(model: Any) -> None:
    """1.6 TB when it runs."""
    shape = add_constant(model, "flat", [-1, 1])
    flat = add_node(model, "Reshape", "w_plus", shape)
    big = add_constant(model, "columns", np.ones((1, 1000)))
    for _ in range(4):
        flat = add_node(model, "Reshape", add_node(model, "Mul", flat, big), shape)


def large_padding(model: Any) -> None:
    pads = add_constant(model, "pads", [0, 0, 0, 0, 0, 2**40])
    add_node(model, "Pad", "w_plus", pads)


def large_slices(model: Any) -> None:
    numbers = [add_constant(model, f"slice_{n}", [n]) for n in (0, 2**62, 1)]
    add_node(model, "Slice", "w_plus", *numbers, add_constant(model, "step", [0]))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (product_of_constants, "cannot be used: loading all before it takes"),
        (doubled_constant, "cannot be used: loading all before it takes"),
        (gathered_constant, "cannot be used: loading all before it takes"),
        (many_copies, "cannot be used: loading all before it takes"),
        (multiplied_constants, "would compute constants at each start"),
        (divided_numbers, r"int64 \[1\] and int64 \[1\]"),
        (large_run, "a run would take [0-9]+ bytes of memory"),
        (large_padding, "a run would take [0-9]+ bytes of memory"),
        (large_slices, "parts that are none"),
    ],
)
def test_a_graph_that_makes_much_of_little_is_refused(
    folder: Path, edit: Edit, message: str
) -> None:
    edit_graph(folder, "image.onnx", edit)
    assert re.search(message, refusal(folder))


def exchange(folder: Path, name: str, other: str) -> None:
    replace_file(folder, name, (folder / other).read_bytes())


@pytest.mark.parametrize(
    ("name", "other", "message"),
    [
        ("mapping.onnx", "image.onnx", "takes 'w_plus', which nothing gives it"),
        ("image.onnx", "mapping.onnx", "takes 'z', which nothing gives it"),
        ("image.onnx", "preview.onnx", "is .*16, 16], where .*32, 32] is expected"),
        ("image.onnx", "image_layers.onnx", "gives 'layer_0', which nothing asks for"),
        ("features.onnx", "features_16.onnx", "which nothing gives it"),
        ("features_16.onnx", "features.onnx", "is float32 .1, 3, 32, 32., where float32 .2, 3"),
        ("pullback.onnx", "image_pullback.onnx", "takes 'layer_6', which nothing gives it"),
        ("pullback_16.onnx", "pullback.onnx", "'layer_3' is not float32"),
        ("image_pullback.onnx", "preview_pullback.onnx", "is not float32"),
    ],
)
def test_a_graph_of_another_role_is_refused(
    folder: Path, name: str, other: str, message: str
) -> None:
    exchange(folder, name, other)
    assert re.search(message, refusal(folder))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: f.update(z_dim=5), r"'z' is not float32 \[2, 5\]"),
        (lambda f: f.update(w_dim=7), "is float32 .2, 6., where float32 .2, 7. is expected"),
        (lambda f: f.update(num_ws=9), "'w_plus' is not float32 .1, 9, 6."),
        (lambda f: f.update(image_size=[32, 16]), "where float32 .1, 3, 32, 16. is expected"),
        (lambda f: f.update(label_dim=3), "does not take 'label'"),
        (lambda f: f.update(trainable_layers=5), "grad_w_plus is float32 .1, 6, 6., where"),
        (lambda f: f["feature_map"].update(size=[20, 32]), "the last is not the feature map"),
        (
            lambda f: f["feature_map"].update(size=[16, 32]),
            "where float32 .1, 3, 16, 32. is expected",
        ),
        (lambda f: f["windows"].update(channels=[6, 5, 4, 2]), "the last is not the feature map"),
        (lambda f: f["windows"].update(cuts=[16, 16]), "holds it twice"),
    ],
)
def test_a_manifest_that_says_something_else_than_its_graphs_is_refused(
    folder: Path, edit: Edit, message: str
) -> None:
    edit_manifest(folder, edit)
    assert re.search(message, refusal(folder))


def test_a_large_graph_is_refused_before_it_is_read(folder: Path) -> None:
    replace_file(folder, "image.onnx", bytes(LARGEST_GRAPH + 1))
    assert "image.onnx with 2097153 bytes" in refusal(folder)


def test_what_is_read_is_all_there_is(folder: Path) -> None:
    """A field that comes twice may be the first to one reader and the last to another."""
    content = (folder / "image.onnx").read_bytes()
    replace_file(folder, "image.onnx", b"\x08\x63" + content)
    assert "parts that no graph of dragonnx has" in refusal(folder)
    replace_file(folder, "image.onnx", content)
    Bundle.open(folder)


class Passed(Exception):  # noqa: N818
    """The graph was taken, and the next one is asked for."""


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_bytes_are_a_graph_or_refused(data: st.DataObject) -> None:
    content = bytearray((SMALL / "mapping.onnx").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))

    def read(name: str) -> bytes:
        if name != "mapping.onnx":
            raise Passed
        return bytes(content)

    told = ""
    try:
        check_graphs(SMALL, read_manifest(SMALL), read)
    except BundleError as error:
        told = str(error)
    except Passed:
        pass
    assert "\n" not in told


def test_what_passes_runs(folder: Path) -> None:
    """Nodes of its own that a graph may have, up to its pixels."""

    def edit(model: Any) -> None:
        first = add_node(model, "Identity", "w_plus", first=True)
        for each in model.graph.node[1:]:
            each.input[:] = [first if name == "w_plus" else name for name in each.input]

    edit_graph(folder, "image.onnx", edit)
    changed, shipped = (Generator.open(path, device="cpu") for path in (folder, SMALL))
    w_plus = shipped.w_plus(1)
    assert changed.image(w_plus).tobytes() == shipped.image(w_plus).tobytes()


def test_roles_of_a_newer_dragonnx_are_not_looked_into(folder: Path) -> None:
    replace_file(folder, "upscaled.onnx", b"of a newer kind")
    edit_manifest(
        folder,
        lambda f: f["graphs"].append({"role": "upscaled", "file": "upscaled.onnx", "cut": None}),
    )
    Bundle.open(folder)


def test_a_graph_is_no_graph(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="it is no ONNX graph"):
        parse_model(b"no graph")
