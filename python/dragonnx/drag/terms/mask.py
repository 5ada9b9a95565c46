"""The mask penalty (paper, section 3.2, the second term of equation 1)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from dragonnx import _core
from dragonnx.drag.graphs import drag_graph
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.terms.base import DeviceTerm, FeatureTerm
from dragonnx.drag.windows import FeatureWindows
from dragonnx.runtime import HOST, Buffer, BufferPack, Device
from dragonnx.types import Float32, Points

_SCRATCH = 192 << 20
"""Bytes that the device may use for resized features at a time."""
_RESIZED_MAPS = 3
"""How many resized maps the graph has in memory at once, at most."""


class DeviceMaskPenalty(DeviceTerm):
    """See `DeviceTerm`: `MaskPenalty` as a graph, some channels at a time."""

    name: ClassVar[str] = "mask"

    def __init__(
        self, problem: DragProblem, device: Device, threads: int | None, features: Buffer,
        grad_features: Buffer,
    ) -> None:  # fmt: skip
        assert problem.mask is not None, "it applies"  # noqa: S101
        height, width = problem.mask.shape
        _, channels, rows, columns = features.shape
        rows_taps, columns_taps = _resize(height, rows), _resize(width, columns)
        constants = {
            "fixed": (~problem.mask[None, None]).astype(np.float32),
            "adjoint_rows": np.ascontiguousarray(rows_taps.T),
            "adjoint_columns": columns_taps,
            "weight": np.array(
                [problem.settings.lambda_mask / (channels * height * width)], np.float32
            ),
        }
        reference = Buffer.empty(device, features.shape)
        reference.write(features.read())
        together = max(1, _SCRATCH // (_RESIZED_MAPS * height * width * 4))
        firsts = range(0, channels, together)
        self._losses = Buffer.empty(device, (1, len(firsts)))
        self._constants = BufferPack(device, constants)
        graph = drag_graph("mask_penalty", device, threads)
        self._bound = []
        for number, first in enumerate(firsts):
            part = first, min(first + together, channels)
            gradient = grad_features.part(*part)
            size = Buffer.empty(HOST, (4,), np.int64)  # a shape is read on the host
            size.write(np.array([1, part[1] - first, height, width]))
            self._bound.append(
                graph.bound(
                    {
                        **self._constants.buffers,
                        "size": size,
                        "features": features.part(*part),
                        "reference": reference.part(*part),
                        "grad_before": gradient,
                        "grad_features": gradient,
                        "loss": self._losses.part(number, number + 1).reshaped((1,)),
                    }
                )
            )

    def add(self) -> float:
        """See `DeviceTerm`."""
        for bound in self._bound:
            bound.run()
        return float(self._losses.read().sum(dtype=np.float64))


def _resize(pixels: int, cells: int) -> Float32:
    """The matrix [pixels, cells] that resizes an axis, bilinear with half-pixel centres."""
    at = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    near = np.floor(at).astype(np.int64)
    far = np.minimum(near + 1, cells - 1)
    matrix = np.zeros((pixels, cells))
    np.add.at(matrix, (np.arange(pixels), near), 1 - (at - near))
    np.add.at(matrix, (np.arange(pixels), far), at - near)
    return matrix.astype(np.float32)


class MaskPenalty(FeatureTerm):
    """Holds what a painted mask fixes as it was before the first step."""

    name: ClassVar[str] = "mask"
    needs_whole_map: ClassVar[bool] = True
    device_term: ClassVar[type[DeviceTerm] | None] = DeviceMaskPenalty

    @classmethod
    def applies(cls, problem: DragProblem) -> bool:
        """See `FeatureTerm`: where a mask was painted."""
        return problem.mask is not None

    def __init__(self, problem: DragProblem, features: FeatureWindows) -> None:
        assert problem.mask is not None, "it applies"  # noqa: S101
        plan = features.plan
        self._plan = _core.MaskPlan(problem.mask, plan.feature_size, plan.margin)
        self._reference = features.values[0].copy()
        self._weight = problem.settings.lambda_mask
        self._threads = problem.threads

    def add_to(
        self, grad_features: Float32, features: FeatureWindows, handle_points: Points
    ) -> float:
        """See `FeatureTerm`."""
        del handle_points
        return _core.mask_penalty(
            features.values[0],
            self._reference,
            self._plan,
            self._weight,
            grad_features[0],
            self._threads,
        )
