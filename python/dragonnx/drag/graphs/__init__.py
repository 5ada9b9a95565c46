"""Graphs that belong to the method and not to a model: no weights, any sizes.

`python -m dragonnx_export.drag_graphs` writes the files, which also says what each computes.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Literal

from dragonnx.runtime import Device, Graph

DragGraphName = Literal["take_windows", "put_windows", "mask_penalty"]


def drag_graph(name: DragGraphName, device: Device, threads: int | None) -> Graph:
    """A graph, loaded.

    Raises:
        DeviceError: It cannot run on the device.
    """
    with as_file(files(__name__) / f"{name}.onnx") as path:
        return Graph(path, device, threads)
