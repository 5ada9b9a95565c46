"""Networks of strangers that are run as they come: nothing hidden in them, and bounded memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.face_models import Network, insightface, yunet

from dragonnx.errors import BundleError
from dragonnx.model.checking.foreign import check_foreign
from dragonnx.runtime import Graph, choose_device

USUAL = (640, 640)
BOTH = [yunet(), insightface()]


def network(opset: int = 11) -> Network:
    """One that gives its input once more."""
    made = Network(opset=opset)
    made.output(made.node("Relu", "input"), 1, 3, 640, 640)
    return made


def refusal(made: Network | bytes) -> str:
    with pytest.raises(BundleError) as refused:
        check_foreign(made if isinstance(made, bytes) else made.file(), USUAL)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 700
    return str(refused.value)


def test_what_a_network_takes_and_gives() -> None:
    found = check_foreign(yunet((256, 320)), USUAL)
    assert (found.input, found.image_size) == ("input", (256, 320))
    assert found.outputs["kps_8"] == (1, 32 * 40, 10)
    any_size = check_foreign(yunet(None), (64, 96))
    assert any_size.image_size == (64, 96)
    assert any_size.outputs["bbox_32"] == (1, 2 * 3, 4)


@pytest.mark.parametrize("opset", [9, 11, 13, 18])
def test_sizes_that_are_computed_from_shapes(opset: int) -> None:
    """As PyTorch writes what is drawn as large as another map: shapes, picked and put together."""
    made = network(opset)
    half = made.node("MaxPool", "input", kernel_shape=(2, 2), strides=(2, 2))
    sides = []
    for at in (2, 3):
        side = made.node("Gather", made.node("Shape", "input"), made.constant(at), axis=0)
        side = made.node("Div", made.node("Mul", side, made.constant(3)), made.constant(2))
        axes = {"axes": (0,)} if opset < 13 else {}
        more = () if opset < 13 else (made.constant([0]),)
        sides.append(made.node("Unsqueeze", side, *more, **axes))
    whole = made.node("Shape", half)
    if opset == 9:
        first = made.node("Slice", whole, axes=(0,), starts=(0,), ends=(2,))
    else:
        ends = (made.constant([0]), made.constant([2]), made.constant([0]))
        first = made.node("Slice", whole, *ends)
    sizes = made.node("Concat", first, *sides, axis=0)
    if opset == 9:
        scale = made.constant([1.0, 1.0, 3.0, 3.0])
        large = made.node("Upsample", half, scale, mode=b"nearest")
    else:
        empty = made.constant(np.zeros(0, np.float32))
        large = made.node("Resize", half, empty, empty, sizes, mode=b"nearest")
    made.output(large, 1, 3, 960, 960)
    assert check_foreign(made.file(), USUAL).outputs[large] == (1, 3, 960, 960)


def test_constants_may_lie_in_nodes_or_in_lists_of_numbers() -> None:
    made = network()
    node = made.model.graph.node.add(op_type="Constant", name="c")
    node.output.append("factors")
    value = node.attribute.add(name="value", type=4).t
    value.data_type = 1
    value.dims.append(4)
    value.float_data.extend([1, 1, 2, 2])
    large = made.node("Upsample", "input", "factors", mode=b"nearest")
    made.output(large, 1, 3, 1280, 1280)
    assert check_foreign(made.file(), USUAL).outputs[large] == (1, 3, 1280, 1280)


_WEIGHTS = np.zeros((3, 3, 3, 3), np.float32)
SIZED = {
    "dilated convolution": (
        "Conv",
        _WEIGHTS,
        {"dilations": (2, 2), "strides": (2, 1), "pads": (1, 0, 2, 1)},
    ),
    "same convolution": ("Conv", _WEIGHTS, {"auto_pad": b"SAME_UPPER", "strides": (3, 3)}),
    "valid convolution": ("Conv", _WEIGHTS, {"auto_pad": b"VALID"}),
    "transposed": ("ConvTranspose", _WEIGHTS, {"strides": (2, 2), "output_padding": (1, 1)}),
    "dilated transposed": ("ConvTranspose", _WEIGHTS, {"dilations": (2, 2), "pads": (1, 0, 2, 1)}),
    "pooling": ("MaxPool", None, {"kernel_shape": (3, 3), "strides": (2, 2), "ceil_mode": 1}),
    "mean over all": ("ReduceMean", None, {}),
    "sum over rows": ("ReduceSum", np.array([-2]), {"keepdims": 0}),
    "largest of all": ("ReduceMax", None, {}),
    "spread": ("Expand", np.array([2, 1, 8, 9]), {}),
    "spread to new axes": ("Expand", np.array([5, 4, 1, 1, 1, 1]), {}),
    "tiled": ("Tile", np.array([2, 1, 3, 1]), {}),
    "place of the largest": ("ArgMax", None, {"axis": -2, "keepdims": 0}),
    "mean over nothing": ("ReduceMean", np.zeros(0, np.int64), {"noop_with_empty_axes": 1}),
}
"""Operators with their second input, if they have any, and attributes that say the size."""


@pytest.mark.parametrize("name", SIZED)
def test_sizes_are_those_that_onnx_runtime_gives(name: str) -> None:
    kind, second, attributes = SIZED[name]
    made = Network((8, 9), opset=18)
    given = () if second is None else (made.constant(second),)
    found = made.node("Cast", made.node(kind, "input", *given, **attributes), to=1)
    assert said_of(made, found) == run_of(made, found)


def said_of(made: Network, name: str) -> tuple[int, ...]:
    """The size of an output, as it is followed."""
    made.output(name)
    return check_foreign(made.file(), USUAL).outputs[name]


def run_of(made: Network, name: str) -> tuple[int, ...]:
    """Its size in a run."""
    graph = Graph(Path("made.onnx"), choose_device("cpu"), 1, content=made.file())
    return graph.run({"input": np.zeros((1, 3, 8, 9), np.float32)})[0][name].shape


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_numbers_that_become_sizes_are_those_of_a_run(data: st.DataObject) -> None:
    """One more or less, times a million, would be a map that no bound was asked for."""
    made = Network((8, 9), opset=18)
    side = made.node("Gather", made.node("Shape", "input"), made.constant([3]), axis=0)
    whole = st.integers(-40, 40).map(lambda number: [number])
    broken = st.floats(-8, 8, width=32).map(lambda number: [number])
    kind = "whole"
    for _ in range(data.draw(st.integers(1, 6))):
        to = data.draw(st.sampled_from(["whole", "broken"]))
        if to != kind:
            side = made.node("Cast", side, to=7 if to == "whole" else 1)
            kind = to
        other = made.constant(data.draw(whole if kind == "whole" else broken))
        operators = ["Add", "Sub", "Mul", "Div", *["Floor", "Ceil"] * (kind == "broken")]
        operator = data.draw(st.sampled_from(operators))
        one = operator in ("Floor", "Ceil")
        swapped = operator == "Sub" and data.draw(st.booleans())
        side = made.node(
            operator, *([side] if one else [other, side] if swapped else [side, other])
        )
    if kind == "broken":
        side = made.node("Cast", side, to=7)
    found = made.node("Expand", made.constant([0.5]), side)
    try:
        said = said_of(made, found)
    except BundleError:
        return
    assume(said[0] < 10**6)
    assert said == run_of(made, found)


@settings(max_examples=100, deadline=None)
@given(start=st.integers(-9, 9), limit=st.integers(-9, 9), step=st.integers(-4, 4))
def test_ranges_are_as_long_as_in_a_run(start: int, limit: int, step: int) -> None:
    made = Network((8, 9), opset=18)
    counted = made.node("Range", *map(made.constant, (start, limit, step)))
    found = made.node("Cast", counted, to=1)
    if len(range(start, limit, step or limit - start or 1)) == 0 or step == 0:
        assert "(Range) cannot be used" in refusal(made)
    else:
        assert said_of(made, found) == run_of(made, found)


@settings(max_examples=100, deadline=None)
@given(factor=st.floats(0.125, 9, width=32))
def test_resized_maps_are_as_large_as_in_a_run(factor: float) -> None:
    made = Network((8, 9), opset=18)
    factors = made.constant(np.array([1, 1, factor, factor], np.float32))
    found = made.node("Resize", "input", "", factors, mode=b"nearest")
    assert said_of(made, found) == run_of(made, found)


def test_sizes_that_are_said_in_a_way_that_is_not_followed() -> None:
    """ONNX Runtime gives more there than is asked for, or along another axis."""
    sizes, factors, pads = [1, 3, 640, 64], [1.0, 1.0, 2.0, 1.0], [0, 0, 8, 0, 0, 0, 8, 0]
    for kind, values, attributes in (
        ("Resize", ("", "", sizes), {"keep_aspect_ratio_policy": b"not_smaller"}),
        ("Resize", ("", factors), {"axes": (0, 1, 3, 2)}),
        ("Pad", (pads, "", [0, 2, 1, 3]), {}),
        ("ConvTranspose", (np.zeros((3, 3, 2, 2)),), {"output_shape": (2000, 2000)}),
        ("ConvTranspose", (np.zeros((3, 3, 2, 2)),), {"auto_pad": b"SAME_UPPER"}),
        ("MaxPool", (), {"kernel_shape": (2, 2), "auto_pad": b"VALID", "pads": (1, 1, 1, 1)}),
    ):
        made = network(opset=18)
        inputs = [each if isinstance(each, str) else made.constant(each) for each in values]
        made.node(kind, "input", *inputs, **attributes)
        assert f"({kind}) cannot be used" in refusal(made)


# --- what may not be in one ---------------------------------------------------------------------


@pytest.mark.parametrize("content", BOTH, ids=["yunet", "scrfd"])
def test_data_in_another_file(content: bytes) -> None:
    made = network()
    made.model.ParseFromString(content)
    constant = made.model.graph.initializer[0]
    constant.ClearField("raw_data")
    constant.data_location = 1
    constant.external_data.add(key="location", value="/etc/passwd")
    assert "lies in another file, and one file alone is read" in refusal(made)
    constant.data_location = 0
    assert "lies in another file" in refusal(made)
    made = network()
    node = made.model.graph.node.add(op_type="Constant", name="c")
    node.output.append("secret")
    value = node.attribute.add(name="value", type=4).t
    value.data_type = 1
    value.external_data.add(key="location", value="/etc/passwd")
    assert "lies in another file" in refusal(made)


def test_graphs_within_nodes_functions_and_other_parts() -> None:
    for content in (
        network().file() + b"\xca\x01\x00",  # functions of the model
        network().file() + b"\xa2\x01\x00",  # training
        network().file() + b"\x3a\x02\x7a\x00",  # sparse constants of the graph
        network().file() + b"\x3a\x08\x0a\x06\x2a\x04\x32\x02\x0a\x00",  # a graph in an attribute
        network().file() + b"\xf8\x07\x01",  # what no version has
    ):
        assert "functions or inner graphs" in refusal(content)


@pytest.mark.parametrize(
    ("kind", "domain", "message"),
    [
        ("If", "", "an operator 'If' that is not run here"),
        ("Loop", "", "an operator 'Loop'"),
        ("NonZero", "", "an operator 'NonZero'"),
        ("Einsum", "", "an operator 'Einsum'"),
        ("Relu", "com.microsoft", "an operator 'Relu'"),
        ("Evil", "my.domain", "an operator 'Evil'"),
        ("QLinearConv", "", "it is quantised, and its float32 version is wanted"),
        ("DequantizeLinear", "", "it is quantised"),
    ],
)
def test_operators_that_are_not_run(kind: str, domain: str, message: str) -> None:
    made = network()
    made.node(kind, "input")
    made.model.graph.node[-1].domain = domain
    assert message in refusal(made)


def test_outputs_that_are_none_or_there_twice() -> None:
    for name in ("nowhere", network().model.graph.output[0].name):
        made = network()
        made.output(name, 1)
        assert "no node gives its output" in refusal(made)


def test_versions_that_are_not_known() -> None:
    for opset in (0, 8, 22, 2**40):
        assert "of ONNX's operators, and 9 to 21 are known" in refusal(network(opset))
    made = network()
    del made.model.opset_import[:]
    assert "of version None" in refusal(made)


def test_inputs_that_are_no_picture() -> None:
    made = network()
    made.model.graph.input.add(name="another")
    assert "takes 2 inputs" in refusal(made)
    for change in (
        lambda kind: setattr(kind, "elem_type", 10),
        lambda kind: kind.shape.dim.add(dim_value=3),
        lambda kind: setattr(kind.shape.dim[1], "dim_value", 1),
        lambda kind: setattr(kind.shape.dim[0], "dim_value", 8),
        lambda kind: setattr(kind.shape.dim[2], "dim_value", 100_000),
    ):
        made = network()
        change(made.model.graph.input[0].type.tensor_type)
        assert "is no picture [1, 3, height, width]" in refusal(made)


# --- memory -------------------------------------------------------------------------------------


def test_a_run_takes_bounded_memory() -> None:
    made = network()
    large = made.node("Upsample", "input", made.constant([1.0, 1.0, 400.0, 400.0]), mode=b"nearest")
    made.node("Upsample", large, made.constant([1.0, 1.0, 0.001, 0.001]), mode=b"nearest")
    assert "a run would take" in refusal(made)
    made = network()
    row = made.node("Reshape", "input", made.constant([1, -1]))
    column = made.node("Reshape", "input", made.constant([-1, 1]))
    made.node("Add", row, column)
    assert "a run would take" in refusal(made)
    made, last = network(), "input"
    for _ in range(60):
        last = made.node("Concat", last, last, axis=1)
    assert "a run would take" in refusal(made)
    made = network()
    kept = [made.node("Relu", "input") for _ in range(300)]
    made.node("Concat", *kept[:100], axis=1)
    made.node("Concat", *kept[100:], axis=1)
    assert "a run would take" in refusal(made)


def test_what_is_no_weights_is_bounded_before_it_is_read() -> None:
    """As messages, nodes of two bytes each would take sixty times as much memory."""
    nodes = b"\x0a\x00" * 1_500_000
    for content, message in (
        (b"\x3a" + varint(len(nodes)) + nodes, "more than 200000 parts"),
        (b"\x0a\x00" * 300_000, "more than 200000 parts"),
        (b"\x32" + varint(5 * 2**20) + bytes(5 * 2**20), "bytes beside weights"),
    ):
        assert message in refusal(content)
    large = network()
    weights = np.zeros((3 * 2**20,), np.float32)
    large.constant(weights)
    node = large.model.graph.node.add(op_type="Constant", name="c")
    node.output.append("weights")
    value = node.attribute.add(name="value", type=4).t
    value.data_type = 1
    value.dims.append(len(weights))
    value.raw_data = weights.tobytes()
    check_foreign(large.file(), USUAL)


@pytest.mark.parametrize(
    "content", [b"\xff" * 11, b"\x0b", b"\x0a\x05ab", b"\x0a", b"\x09\x00", b"\x08"]
)
def test_what_is_no_protobuf(content: bytes) -> None:
    assert refusal(content) == "it is no ONNX graph"


def varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def test_loading_takes_bounded_memory_and_time() -> None:
    made, last = network(), network().constant([1.0])
    last = made.constant(np.ones(1000, np.float32))
    for _ in range(40):
        last = made.node("Concat", last, last, axis=0)
    assert "loading it takes" in refusal(made)
    made = network()
    picture = made.constant(np.ones((1, 1, 8, 8), np.float32))
    made.node("Conv", picture, made.constant(np.ones((1, 1, 3, 3), np.float32)))
    assert "would compute constants at each start" in refusal(made)


def test_whole_numbers_over_zero_end_no_process() -> None:
    for operator in ("Div", "Mod"):
        for divisor in ([0], [1, 0], [-1]):  # the least number over -1 is none
            made = network()
            made.node(operator, made.node("Shape", "input"), made.constant(divisor))
            assert "a whole number over 0 or -1" in refusal(made)


def test_constants_that_are_not_whole() -> None:
    for change in (
        lambda c: c.dims.append(7),
        lambda c: setattr(c, "raw_data", c.raw_data[:-1]),
        lambda c: setattr(c, "data_type", 10),
        lambda c: setattr(c, "data_type", 8),
        lambda c: c.dims.extend([-1, -1]),
        lambda c: c.dims.extend([1] * 9),
    ):
        made = network()
        made.model.ParseFromString(BOTH[1])
        change(made.model.graph.initializer[0])
        assert "constant" in refusal(made)


@settings(max_examples=150, deadline=None)
@given(content=st.sampled_from(BOTH), data=st.data())
def test_a_changed_file_is_checked_or_refused_in_one_sentence(content: bytes, data) -> None:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        # The weights, which are most of it, say nothing: names, types and shapes lie between them.
        at = data.draw(
            st.integers(0, len(changed) - 1) | st.integers(len(changed) - 1500, len(changed) - 1)
        )
        changed[at] = data.draw(st.integers(0, 255))
    try:
        check_foreign(bytes(changed), USUAL)
    except BundleError as error:
        told = str(error)
    else:
        return
    assert "\n" not in told
    assert len(told) < 700
