"""The part of ONNX's file format that graphs of dragonnx use, as messages of protobuf.

Names and numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
What is not here, such as functions, graphs within nodes, sparse tensors and training, no graph may hold:
a file is refused where a single byte of it belongs to none of these fields.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dragonnx.errors import BundleError
from dragonnx.model.facts import LARGEST_GRAPH

FLOAT, UINT8, INT64, BOOL = 1, 2, 7, 9
"""Element types, as ONNX numbers them."""
TYPE_NAMES = {FLOAT: "float32", UINT8: "uint8", INT64: "int64", BOOL: "bool"}
EXTERNAL = 1
"""Of `data_location`: in another file."""

_SCALARS = {"float": 2, "int64": 3, "int32": 5, "string": 9, "bytes": 12}
_MESSAGE = 11
"""Types of fields, as protobuf numbers them."""
_MESSAGES = {
    "Entry": "1 key string, 2 value string",
    "OperatorSet": "1 domain string, 2 version int64",
    "Dimension": "1 dim_value int64 or, 2 dim_param string or",
    "Shape": "1 dim Dimension *",
    "TensorType": "1 elem_type int32, 2 shape Shape",
    "Type": "1 tensor_type TensorType",
    "ValueInfo": "1 name string, 2 type Type",
    "Tensor": "1 dims int64 *, 2 data_type int32, 8 name string, 9 raw_data bytes, 13 external_data Entry *, "
    "14 data_location int32",
    "Attribute": "1 name string, 2 f float, 3 i int64, 4 s bytes, 8 ints int64 *, 20 type int32",
    "Node": "1 input string *, 2 output string *, 3 name string, 4 op_type string, 5 attribute Attribute *, "
    "7 domain string",
    "Graph": "1 node Node *, 2 name string, 5 initializer Tensor *, 11 input ValueInfo *, "
    "12 output ValueInfo *",
    "Model": "1 ir_version int64, 2 producer_name string, 7 graph Graph, 8 opset_import OperatorSet *",
}
"""Number, name, type; `*` after what is repeated, `or` after those of which there is one."""

GRAPHS: Mapping[str, str] = MappingProxyType(_MESSAGES)
"""What graphs of dragonnx may hold."""
STRANGERS: Mapping[str, str] = MappingProxyType(
    {
        **_MESSAGES,
        "Dimension": f"{_MESSAGES['Dimension']}, 3 denotation bytes",
        "Type": f"{_MESSAGES['Type']}, 6 denotation bytes",
        "ValueInfo": f"{_MESSAGES['ValueInfo']}, 3 doc_string bytes, 4 metadata_props Entry *",
        "Tensor": f"{_MESSAGES['Tensor']}, 4 float_data float *, 7 int64_data int64 *, 12 doc_string bytes, "
        "16 metadata_props Entry *",
        "Attribute": f"{_MESSAGES['Attribute']}, 5 t Tensor, 7 floats float *, 13 doc_string bytes",
        "Node": f"{_MESSAGES['Node']}, 6 doc_string bytes, 9 metadata_props Entry *",
        "Graph": f"{_MESSAGES['Graph']}, 10 doc_string bytes, 13 value_info ValueInfo *, "
        "16 metadata_props Entry *",
        "Model": f"{_MESSAGES['Model']}, 3 producer_version bytes, 4 domain bytes, 5 model_version int64, "
        "6 doc_string bytes, 14 metadata_props Entry *",
    }
)
"""What other programs write besides: descriptions, and weights in the file itself."""


def parse_model(
    content: bytes, messages: Mapping[str, str] = GRAPHS, largest: int = LARGEST_GRAPH
) -> Any:
    """The model of a graph's file.

    Args:
        content: The file's.
        messages: What it may hold, `GRAPHS` or `STRANGERS`.
        largest: Bytes that it may have.

    Raises:
        BundleError: It is none, is too large, or holds something else.
    """
    if len(content) > largest:
        raise BundleError(
            f"it has {len(content)} bytes, and a graph has at most {largest}"
            f"{': weights lie in a file of their own' * (messages is GRAPHS)}"
        )
    from google.protobuf.message import DecodeError

    model = _model_class(messages is STRANGERS)()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise BundleError("it is no ONNX graph") from error
    if messages is STRANGERS:
        known = model.ByteSize()
        model.DiscardUnknownFields()
        if model.ByteSize() != known:
            raise BundleError(
                "it holds parts that are not run here, such as functions or inner graphs"
            )
        return model
    # What one reader takes for the same another might not: no field comes twice, or in an odd form.
    model.DiscardUnknownFields()
    if model.ByteSize() != len(content):
        raise BundleError("it holds parts that no graph of dragonnx has")
    return model


def any_model(content: bytes) -> Any:
    """The model of a graph's file that ONNX Runtime wrote, with all that it holds besides.

    What is not known here stays in it, and is written again with it.
    """
    return _model_class(of_strangers=False).FromString(content)


@functools.cache
def _model_class(of_strangers: bool) -> Any:
    """The class of models. protobuf comes with ONNX Runtime, and is only for opening bundles."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    # In version 3 of the language a text that is no UTF-8 is refused.
    file = descriptor_pb2.FileDescriptorProto(
        name="dragonnx/graph.proto", package="dragonnx", syntax="proto3"
    )
    for name, fields in (STRANGERS if of_strangers else GRAPHS).items():
        message = file.message_type.add(name=name)
        if " or" in fields:
            message.oneof_decl.add(name="value")
        for described in fields.split(", "):
            _add_field(message, *described.split())
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("dragonnx.Model"))


def _add_field(message: Any, number: str, name: str, kind: str, how: str = "") -> None:
    field = message.field.add(name=name, number=int(number), type=_SCALARS.get(kind, _MESSAGE))
    if kind not in _SCALARS:
        field.type_name = f".dragonnx.{kind}"
    field.label = field.LABEL_REPEATED if how == "*" else field.LABEL_OPTIONAL
    if how == "*" and kind in ("int64", "float"):
        field.options.packed = False  # as onnx.proto has it
    elif how == "or":
        field.oneof_index = 0
    elif how == "" and kind in _SCALARS:
        # What is set to zero is there all the same: protobuf has a group of one for each such field.
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
