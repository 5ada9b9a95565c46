"""ONNX Runtime: devices, graphs, tensors that stay on the device. The only room that knows it."""

from dragonnx.runtime.buffer import Buffer, BufferPack
from dragonnx.runtime.graph import CLOSED, BoundGraph, DeviceTensor, Graph
from dragonnx.runtime.ort import runtime_version
from dragonnx.runtime.placement import node_placement
from dragonnx.runtime.providers import (
    CPU,
    HOST,
    PROVIDERS,
    Device,
    Provider,
    checked_threads,
    choose_device,
    why_not,
)
from dragonnx.runtime.sharing import Sharing

__all__ = [
    "CLOSED",
    "CPU",
    "HOST",
    "PROVIDERS",
    "BoundGraph",
    "Buffer",
    "BufferPack",
    "Device",
    "DeviceTensor",
    "Graph",
    "Provider",
    "Sharing",
    "checked_threads",
    "choose_device",
    "node_placement",
    "runtime_version",
    "why_not",
]
