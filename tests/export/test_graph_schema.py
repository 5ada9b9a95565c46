"""What the runtime reads of a graph's file against the onnx package, and the exporter's graphs."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import onnx
import pytest
from support.random_checkpoints import CLAMPED, GREY, LABELLED, PLAIN, VARIANTS, random_checkpoint

from dragonnx.model.bundle import Bundle
from dragonnx.model.checking import schema
from dragonnx.model.checking.operators import IR_VERSIONS, OPERATORS, OPSETS
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.drag_graphs import all_graphs
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.graphs import builder

FIXTURES = Path(__file__).parents[1] / "fixtures"
MESSAGES = {
    "Entry": onnx.StringStringEntryProto,
    "OperatorSet": onnx.OperatorSetIdProto,
    "Dimension": onnx.TensorShapeProto.Dimension,
    "Shape": onnx.TensorShapeProto,
    "TensorType": onnx.TypeProto.Tensor,
    "Type": onnx.TypeProto,
    "ValueInfo": onnx.ValueInfoProto,
    "Tensor": onnx.TensorProto,
    "Attribute": onnx.AttributeProto,
    "Node": onnx.NodeProto,
    "Graph": onnx.GraphProto,
    "Model": onnx.ModelProto,
}
ARCHITECTURES = {
    "plain": PLAIN, "clamped": CLAMPED, "labelled": LABELLED, "grey": GREY, **VARIANTS
}  # fmt: skip


@pytest.mark.parametrize("of_strangers", [False, True])
def test_every_field_is_that_of_onnx(of_strangers: bool) -> None:
    ours = schema._model_class(of_strangers).DESCRIPTOR.file.message_types_by_name
    assert set(ours) == set(MESSAGES)
    for name, message in ours.items():
        theirs = MESSAGES[name].DESCRIPTOR.fields_by_number
        for field in message.fields:
            other = theirs[field.number]
            assert field.name == other.name
            assert field.is_repeated == other.is_repeated
            kinds = (field.type, other.type)
            # An enum travels as a number of 32 bits.
            same = field.type == other.type or kinds == (field.TYPE_INT32, field.TYPE_ENUM)
            # A stranger's description, which nobody reads, may be no UTF-8.
            unread = of_strangers and kinds == (field.TYPE_BYTES, field.TYPE_STRING)
            assert same or unread, field.name


def test_numbers_are_those_of_onnx() -> None:
    types = onnx.TensorProto
    assert (schema.FLOAT, schema.UINT8, schema.INT64, schema.BOOL) == (
        types.FLOAT, types.UINT8, types.INT64, types.BOOL
    )  # fmt: skip
    assert schema.EXTERNAL == types.EXTERNAL
    assert builder.OPSET in OPSETS
    assert builder._IR_VERSION in IR_VERSIONS


def test_operators_and_their_attributes_are_those_of_onnx() -> None:
    for kind, operator in OPERATORS.items():
        for opset in (OPSETS[0], OPSETS[-1]):
            known = onnx.defs.get_schema(kind, opset)
            assert operator.fewest >= known.min_input, kind
            assert operator.most <= known.max_input, kind
            assert operator.attributes.keys() <= known.attributes.keys(), kind


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_bundle_that_is_written_may_be_opened(tmp_path: Path, name: str) -> None:
    architecture: Architecture = ARCHITECTURES[name]
    with mock.patch("dragonnx_export.bundle_writer.check_parity", return_value=()):
        write_bundle(random_checkpoint(architecture), tmp_path / "b", ExportOptions(name="test"))
    Bundle.open(tmp_path / "b")


def test_our_own_graphs_are_read_whole() -> None:
    written = [model.SerializeToString(deterministic=True) for model in all_graphs().values()]
    written += [path.read_bytes() for path in FIXTURES.glob("*/*.onnx")]
    assert len(written) > 20
    for content in written:
        assert schema.parse_model(content).SerializeToString(deterministic=True) == content


def test_a_file_of_another_tool_is_read_as_onnx_reads_it() -> None:
    path = FIXTURES / "bundle-v2" / "pullback_16.onnx"
    theirs = onnx.load(path, load_external_data=False)
    ours = schema.parse_model(path.read_bytes())
    assert [(n.op_type, list(n.input)) for n in ours.graph.node] == [
        (n.op_type, list(n.input)) for n in theirs.graph.node
    ]
    assert [list(t.dims) for t in ours.graph.initializer] == [
        list(t.dims) for t in theirs.graph.initializer
    ]
