"""A loaded graph: run once as it comes, or bound to buffers and run again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from dragonnx.errors import BundleError, DeviceError, DragonnxError, StateError
from dragonnx.log import logger
from dragonnx.runtime.buffer import NUMPY_TYPES, Buffer, new_tensor
from dragonnx.runtime.ort import onnxruntime
from dragonnx.runtime.providers import CPU, Device
from dragonnx.runtime.recording import Recordings
from dragonnx.runtime.session import one_line, open_session
from dragonnx.runtime.turns import is_full, turn
from dragonnx.types import Array

CLOSED = "the generator was closed: open it again with Generator.open"
"""What is said of a graph that is gone."""

_RECORDING = "gpu_graph_id"
_SHRINKING = "memory.enable_memory_arena_shrinkage"


class DeviceTensor:
    """A tensor that stays where the graph left it, to be fed to the next graph."""

    def __init__(self, value: Any, device: Device) -> None:
        self._value = value
        self._device = device

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(self._value.shape())

    def numpy(self) -> Array:
        """A copy in host memory."""
        with turn(self._device):
            array: Array = self._value.numpy()
        return array


GraphInput: TypeAlias = "Array | DeviceTensor | Buffer"


class Graph:
    """One loaded graph. `run` and `close` may be called from any thread.

    Args:
        path: The .onnx file, its external data beside it.
        device: Where it runs.
        threads: Threads within an operator on the CPU; None leaves it to ONNX Runtime.
        windows: Whether it works on small windows of maps.
        replayed: Whether bound runs may be recorded, where the device can, and then be replayed in
            one launch. Of no use for a graph of few nodes.
        content: Of the file, where it was read already: it may have been replaced since.
        is_laid_out: Whether the file is one that `laid_out` made, to be taken as it is.
        gives_back: Whether a run on the CPU gives its memory back at its end, for some more time.
        once: Whether it is for one run on the CPU, or for some that may take more time, which is to take
            no more memory than it must. What it gives then holds on to nothing else.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
        DeviceError: The graph cannot run on the device.
    """

    def __init__(
        self, path: Path, device: Device, threads: int | None = None, *, windows: bool = False,
        replayed: bool = False, is_laid_out: bool = False, gives_back: bool = False,
        once: bool = False, content: bytes | None = None,
    ) -> None:  # fmt: skip
        self._path = path
        self.device = device
        options = onnxruntime().SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        if is_laid_out:
            options.graph_optimization_level = onnxruntime().GraphOptimizationLevel.ORT_DISABLE_ALL
        if once:
            options.enable_cpu_mem_arena = options.enable_mem_pattern = False
            # A buffer that a later tensor of its shape takes again is held until then.
            options.enable_mem_reuse = False
        self._giving_back: Any = None
        if gives_back and device.kind == CPU.name:
            # A planned block would come beside the pieces of the first run.
            options.enable_mem_pattern = False
            self._giving_back = onnxruntime().RunOptions()
            self._giving_back.add_run_config_entry(_SHRINKING, "cpu:0")
        self._recordings: Recordings | None = None
        if replayed and device.provider.replay_options:
            self._recordings = Recordings(self._forget)
        try:
            self._session = open_session(
                path, device, options, windows=windows, replayed=replayed, content=content
            )
        except BundleError:
            if self._recordings is None:
                raise
            # With a node that the device lacks, and the CPU runs, nothing can be recorded.
            logger.info("%s has nodes that run on the CPU, so its runs are not replayed", path.name)
            self._recordings = None
            self._session = open_session(path, device, options, windows=windows, content=content)
        self._run_options: dict[int, Any] = {}
        """Those of the last recording, by its number."""
        self.input_names: tuple[str, ...] = tuple(i.name for i in self._session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(o.name for o in self._session.get_outputs())

    def run(
        self, inputs: Mapping[str, GraphInput], keep: Sequence[str] = ()
    ) -> tuple[dict[str, Array], dict[str, DeviceTensor]]:
        """Run once.

        Args:
            inputs: A value for each input, others are ignored; what lies on the device is not copied.
            keep: Outputs that stay on the device.

        Returns:
            The other outputs as arrays, and the kept ones as they are, by name.

        Raises:
            StateError: The graph was closed.
        """
        binding = self._new_binding()
        for name in self.input_names:
            _bind_input(binding, name, inputs[name])
        for output in self._open_session().get_outputs():
            if self._giving_back is not None and _has_known_size(output):
                # A result that lies among a run's scratch memory would hold all of that back.
                own = new_tensor(self.device, tuple(output.shape), NUMPY_TYPES[output.type])
                binding.bind_ortvalue_output(output.name, own)
            elif output.name in keep:
                binding.bind_output(output.name, self.device.provider.memory, self.device.ordinal)
            else:
                binding.bind_output(output.name, "cpu")
        self._run(binding)
        arrays: dict[str, Array] = {}
        kept: dict[str, DeviceTensor] = {}
        for name, value in zip(self.output_names, binding.get_outputs(), strict=True):
            if name in keep:
                kept[name] = DeviceTensor(value, self.device)
            else:
                arrays[name] = value.numpy()
        return arrays, kept

    def outputs(self, inputs: Mapping[str, GraphInput]) -> dict[str, Buffer]:
        """Run once: all outputs, on the device, as buffers that later runs can be bound to."""
        _, kept = self.run(inputs, keep=self.output_names)
        return {name: Buffer.holding(self.device, kept[name]._value) for name in kept}

    def bound(self, buffers: Mapping[str, Buffer]) -> BoundGraph:
        """This graph on these buffers: one for each input and output, others are ignored.

        Raises:
            StateError: The graph was closed.
        """
        binding = self._new_binding()
        for name in self.input_names:
            _bind_input(binding, name, buffers[name])
        for name in self.output_names:
            binding.bind_output(name, *_place(buffers[name]))
        held = {name: buffers[name] for name in (*self.input_names, *self.output_names)}
        return BoundGraph(self, binding, held)

    def close(self) -> None:
        """Give its memory back, once runs that are under way have ended; later ones are refused."""
        with turn(self.device):
            self._session = None

    def _new_binding(self) -> Any:
        with turn(self.device):
            return self._open_session().io_binding()

    def _open_session(self) -> Any:
        session = self._session
        if session is None:
            raise StateError(CLOSED)
        return session

    def _run(self, binding: Any, bound: BoundGraph | None = None) -> None:
        try:
            self._run_session(binding, bound)
        except DragonnxError:
            raise
        except Exception as error:  # onnxruntime's exceptions share no narrower base class
            if is_full(error):
                raise DeviceError(
                    f"there is not enough memory to run {self._path.name}: close other programs"
                ) from error
            raise BundleError(
                f"{self._path} failed in a run ({one_line(error)}): export the bundle again"
            ) from error

    def _run_session(self, binding: Any, bound: BoundGraph | None) -> None:
        # Nothing but this call keeps the session, where another thread closes the graph meanwhile.
        with turn(self.device):
            if self._recordings is None:
                self._open_session().run_with_iobinding(binding, self._giving_back)
                return
            number = self._recordings.number_for(bound)
            if number not in self._run_options:
                options = onnxruntime().RunOptions()
                options.add_run_config_entry(_RECORDING, str(number))
                self._run_options = {number: options}
            self._open_session().run_with_iobinding(binding, self._run_options[number])

    def __del__(self) -> None:
        self.close()

    def _forget(self, number: int) -> None:
        # Older versions of ONNX Runtime keep a recording until the session ends.
        if hasattr(self._session, "release_captured_graph"):
            self._session.release_captured_graph(number)


class BoundGraph:
    """A graph on buffers that stay: inputs are written in place, outputs lie where they always do.

    Of several bindings each has its own buffers. One is for one thread at a time.

    `Graph.bound` makes it.
    """

    def __init__(self, graph: Graph, binding: Any, buffers: Mapping[str, Buffer]) -> None:
        self._graph = graph
        self._binding = binding
        self._buffers = buffers  # ONNX Runtime knows only their addresses

    def run(self) -> None:
        """Compute the outputs from what the inputs hold now.

        Raises:
            StateError: The graph was closed.
        """
        self._graph._run(self._binding, self)


def _bind_input(binding: Any, name: str, value: GraphInput) -> None:
    if isinstance(value, DeviceTensor):
        binding.bind_ortvalue_input(name, value._value)
    elif isinstance(value, Buffer):
        binding.bind_input(name, *_place(value))
    else:
        binding.bind_cpu_input(name, np.ascontiguousarray(value))


def _has_known_size(output: Any) -> bool:
    return output.type in NUMPY_TYPES and all(isinstance(axis, int) for axis in output.shape)


def _place(buffer: Buffer) -> tuple[str, int, type[np.generic], tuple[int, ...], int]:
    device = buffer.memory.device
    kind, ordinal = device.provider.memory, device.ordinal
    return kind, ordinal, buffer.dtype.type, buffer.shape, buffer.pointer
