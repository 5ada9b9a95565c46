"""The point arithmetic of a drag, in Rust, on a feature map that is never resized in memory.

Points are float64 `[n, 2]`, (x, y) in image pixels, pixel centres at integers. A size is a pair of
integers (height, width), each from 1 to 16384: in pixels for the image, in cells for a feature map
or a window of one.

F^ is the feature map resized to the image, bilinear with half-pixel centres, read bilinearly
between pixels; outside the image it repeats the border.

What stays the same from call to call is a plan: made and checked once, immutable, for any number of
threads. A kernel takes features that fit its plan: float32 `[N, C, h, w]`, N windows of C channels.

Every array must be C-contiguous and of the given type. A function that takes `grad_features` adds
to it, in place. A wrong argument raises TypeError or ValueError (OverflowError where an integer has
more than 64 bits) and leaves it untouched. All functions let other Python threads run meanwhile.

Work goes in the vectors that the processor has; which ones does not change a bit of the results.
"""

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Distance",
    "MaskPlan",
    "Threads",
    "WindowPlan",
    "mask_penalty",
    "motion_supervision",
    "point_tracking",
    "sample",
]

@final
class Distance:
    """How far apart two feature vectors are: L1 as in the paper, L2 as in the released code."""

    L1: ClassVar[Distance]
    L2: ClassVar[Distance]
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __reduce__(self, /) -> tuple[Any, tuple[type[Distance], str]]: ...

@final
class WindowPlan:
    """Which cells of the whole feature map N windows hold, and which window each point reads.

    All windows have one size. What a point reads must lie in its window; at the border of the whole
    map F^ repeats, so nothing beyond it is needed.
    """

    def __new__(
        cls,
        origins: NDArray[np.int64],
        window_size: tuple[int, int],
        feature_size: tuple[int, int],
        image_size: tuple[int, int],
        window_index: NDArray[np.int64],
        margin: int = 0,
    ) -> WindowPlan:
        """Plans N windows for n points.

        Args:
            origins: (x, y) of each window's first cell in the whole map, `[N, 2]`.
            window_size: (height, width) of every window, in cells.
            feature_size: (height, width) of the whole map, in cells.
            image_size: (height, width) of the image, in pixels.
            window_index: The window that each point reads, from 0 to N - 1, `[n]`.
            margin: Cells on each side of the whole map that lie beyond the image.

        Raises:
            ValueError: A window leaves the whole map, a point names no window, or a size is below 1
                or above 16384, or the margin leaves no cell.
        """

    @staticmethod
    def whole(
        feature_size: tuple[int, int], image_size: tuple[int, int], points: int, margin: int = 0
    ) -> WindowPlan:
        """The whole map as one window that every point reads: features are `[1, C, fh, fw]`.

        Args:
            feature_size: (height, width) of the map, in cells.
            image_size: (height, width) of the image, in pixels.
            points: How many points there are.
            margin: Cells on each side of the map that lie beyond the image.

        Raises:
            ValueError: A size is below 1 or above 16384, `points` below 0, or the margin leaves no cell.
        """

    @property
    def origins(self) -> NDArray[np.int64]:
        """(x, y) of each window's first cell in the whole map, `[N, 2]`; a copy."""

    @property
    def window_size(self) -> tuple[int, int]:
        """(height, width) of every window, in cells."""

    @property
    def feature_size(self) -> tuple[int, int]:
        """(height, width) of the whole map, in cells."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the image, in pixels."""

    @property
    def margin(self) -> int:
        """Cells on each side of the whole map that lie beyond the image."""

    @property
    def points(self) -> int:
        """How many points read the windows."""

@final
class MaskPlan:
    """Where a mask fixes the image, as `mask_penalty` reads it on a feature map of one size."""

    def __new__(
        cls, mask: NDArray[np.bool_], feature_size: tuple[int, int], margin: int = 0
    ) -> MaskPlan:
        """Reads the mask, which may be changed afterwards.

        Args:
            mask: M, bool `[H, W]`, True where the image may move. Its size is the image's.
            feature_size: (height, width) of the whole feature map, in cells.
            margin: Cells on each side of the whole map that lie beyond the image.

        Raises:
            ValueError: A size is below 1 or above 16384, or the margin leaves no cell.
        """

    @property
    def feature_size(self) -> tuple[int, int]:
        """(height, width) of the whole feature map, in cells."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the mask and the image, in pixels."""

@final
class Threads:
    """How many threads a kernel may use, at most; several calls at once share them."""

    def __new__(cls, count: int | None = None) -> Threads:
        """Starts the threads, unless the calling one or the shared ones do.

        Args:
            count: 1 leaves all work to the thread that calls a kernel. More is a pool of so many,
                never above 256, which ends with this object; a forked process needs one of its own.
                None is all cores, in one pool that all such objects share.

        Raises:
            ValueError: `count` is below 1, or the system starts no more threads.
        """

    @property
    def count(self) -> int | None:
        """How many threads; None for all cores."""

def sample(
    features: NDArray[np.float32],
    plan: WindowPlan,
    points: NDArray[np.float64],
) -> NDArray[np.float32]:
    """F^ at each point, `[n, C]`."""

def motion_supervision(
    features: NDArray[np.float32],
    plan: WindowPlan,
    handle_points: NDArray[np.float64],
    target_points: NDArray[np.float64],
    r1: float,
    grad_features: NDArray[np.float32],
    threads: Threads,
) -> NDArray[np.float64]:
    """Each handle point's loss `[n]`; adds the gradient of their sum to `grad_features`.

    `loss_i = mean over (q, c) of |sg(F^(q)) - F^(q + d_i)|`, with d_i the unit vector to the target
    and q the integer pixels of the image nearer than r1 pixels to the handle (the nearest one where
    there is none). A handle nearer than 1 pixel to its target has loss 0 and no gradient.

    Args:
        features: F, `[N, C, h, w]` as the plan has it.
        plan: Which windows they are.
        handle_points: Where the n handles are, `[n, 2]`.
        target_points: Where each is to go, `[n, 2]`.
        r1: In image pixels, positive.
        grad_features: `[N, C, h, w]`.
        threads: How many it may use; the result is the same to the bit.

    Raises:
        ValueError: A shape, point or radius does not fit, or a point reads beyond its window.
    """

def point_tracking(
    features: NDArray[np.float32],
    plan: WindowPlan,
    handle_points: NDArray[np.float64],
    reference_features: NDArray[np.float32],
    r2: float,
    inclusive: bool,
    distance: Distance,
    threads: Threads,
) -> NDArray[np.float64]:
    """Where each handle point is now, `[n, 2]`: the pixel q that minimises `||F^(q) - f_i||`.

    q runs over the integer pixels of the image with |dx| < r2 and |dy| < r2 of the old position (<=
    where `inclusive`; the nearest pixel where there is none). A tie goes to the q nearest to the old
    position, then to the smallest y, then x.

    Args:
        features: F, `[N, C, h, w]` as the plan has it.
        plan: Which windows they are.
        handle_points: The old positions, `[n, 2]`.
        reference_features: The f_i, `[n, C]`.
        r2: In image pixels, positive.
        inclusive: Whether the search window contains its edge.
        distance: The norm.
        threads: How many it may use; the result is the same to the bit.

    Raises:
        ValueError: A shape, point or radius does not fit, or a point reads beyond its window.
    """

def mask_penalty(
    features: NDArray[np.float32],
    reference_features: NDArray[np.float32],
    plan: MaskPlan,
    weight: float,
    grad_features: NDArray[np.float32],
    threads: Threads,
) -> float:
    """The loss `weight * mean over (c, y, x) of |(F^ - F0^)(1 - M)|`; adds its gradient.

    The mean is over all pixels, fixed or not.

    Args:
        features: F, the whole map `[C, fh, fw]`.
        reference_features: F0, likewise.
        plan: What the mask M fixes.
        weight: Finite and not negative.
        grad_features: `[C, fh, fw]`.
        threads: How many it may use; the result is the same to the bit.

    Raises:
        ValueError: A shape or the weight does not fit.
    """
