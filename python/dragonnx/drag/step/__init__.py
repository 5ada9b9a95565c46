"""One step of a drag: state in, state out."""

from dragonnx.drag.step.base import DragState, StepMethod
from dragonnx.drag.step.host import HostStep

__all__ = ["DragState", "HostStep", "StepMethod"]
