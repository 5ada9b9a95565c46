"""What a term of the loss is: on the feature map, or on the latent itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, TypeAlias

from dragonnx.drag.problem import DragProblem
from dragonnx.drag.windows import FeatureWindows
from dragonnx.runtime import Buffer, Device
from dragonnx.types import Float32, Points


class FeatureTerm(ABC):
    """A loss of the feature map F.

    It is made once for a drag, from the features before the first step.

    Args:
        problem: The drag.
        features: The features of the latent that it starts from.
    """

    name: ClassVar[str]
    """What `DragStep.losses` calls it."""
    needs_whole_map: ClassVar[bool] = False
    """Whether it reads the feature map everywhere, so that windows will not do."""
    device_term: ClassVar[type[DeviceTerm] | None] = None
    """The same loss where the map stays on the device, for a term that needs the whole map. Without
    it the map comes to the host."""

    @classmethod
    def applies(cls, problem: DragProblem) -> bool:
        """Whether a drag has this term."""
        del problem
        return True

    @abstractmethod
    def __init__(self, problem: DragProblem, features: FeatureWindows) -> None: ...

    @abstractmethod
    def add_to(
        self, grad_features: Float32, features: FeatureWindows, handle_points: Points
    ) -> float:
        """The loss, its weight included; adds dL/dF to `grad_features`, shaped as the values.

        Args:
            grad_features: [N, C, h, w], added to in place.
            features: F in windows.
            handle_points: Where the handles are, [n, 2].
        """


class DeviceTerm(ABC):
    """A loss of the whole feature map F, which stays on the device.

    It is made once for a drag, from the features before the first step.

    Args:
        problem: The drag.
        device: Where the map lies.
        threads: Threads on the CPU; None leaves it to ONNX Runtime.
        features: Where F lies, [1, C, h, w]; now that of the latent that the drag starts from.
        grad_features: Where dL/dF is added up, likewise.
    """

    name: ClassVar[str]
    """What `DragStep.losses` calls it."""

    @abstractmethod
    def __init__(
        self, problem: DragProblem, device: Device, threads: int | None, features: Buffer,
        grad_features: Buffer,
    ) -> None: ...  # fmt: skip

    @abstractmethod
    def add(self) -> float:
        """The loss of what F is now, its weight included; adds its gradient."""


class LatentTerm(ABC):
    """A loss of the latent w_plus.

    It is made once for a drag.

    Args:
        problem: The drag.
        w_plus: The latent that it starts from, [1, num_ws, w_dim].
    """

    name: ClassVar[str]
    """What `DragStep.losses` calls it."""

    @classmethod
    def applies(cls, problem: DragProblem) -> bool:
        """Whether a drag has this term."""
        del problem
        return True

    @abstractmethod
    def __init__(self, problem: DragProblem, w_plus: Float32) -> None: ...

    @abstractmethod
    def add_to(self, grad_w_plus: Float32, w_plus: Float32) -> float:
        """The loss, its weight included; adds dL/dw_plus to `grad_w_plus`.

        Args:
            grad_w_plus: [1, trainable_layers, w_dim], added to in place.
            w_plus: The latent, [1, num_ws, w_dim].
        """


Term: TypeAlias = FeatureTerm | LatentTerm
