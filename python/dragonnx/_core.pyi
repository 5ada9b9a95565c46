"""The point arithmetic of a drag, in Rust, on a feature map that is never resized in memory.

Shapes: `features` is the feature map, float32 `[N, C, h, w]`: the whole map (N = 1, `origins` zero,
`window_index` all zero) or N windows of it. `origins` is int64 `[N, 2]`, the (x, y) of each
window's first cell in the whole map, and `window_index` int64 `[n]`, the window that each of the n
points reads. `feature_size` is the whole map's and `image_size` the image's (height, width). Points
are float64 `[n, 2]`, (x, y) in image pixels, pixel centres at integers.

F^ is the feature map resized to the image, bilinear with half-pixel centres, read bilinearly
between pixels; outside the image it repeats the border.

Every array must be C-contiguous and of the given type. A function that takes `grad_features` adds
to it, in place. A wrong argument raises TypeError or ValueError and leaves it untouched. All
functions let other threads run meanwhile.
"""

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Distance",
    "mask_penalty",
    "motion_supervision",
    "point_tracking",
    "sample",
    "sample_adjoint",
]

@final
class Distance:
    """How far apart two feature vectors are: L1 as in the paper, L2 as in the released code."""

    L1: ClassVar[Distance]
    L2: ClassVar[Distance]
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __reduce__(self, /) -> tuple[Any, tuple[type[Distance], str]]: ...

def sample(
    features: NDArray[np.float32],
    origins: NDArray[np.int64],
    feature_size: tuple[int, int],
    image_size: tuple[int, int],
    window_index: NDArray[np.int64],
    points: NDArray[np.float64],
) -> NDArray[np.float32]:
    """F^ at each point, `[n, C]`."""

def sample_adjoint(
    grad_samples: NDArray[np.float32],
    origins: NDArray[np.int64],
    feature_size: tuple[int, int],
    image_size: tuple[int, int],
    window_index: NDArray[np.int64],
    points: NDArray[np.float64],
    grad_features: NDArray[np.float32],
) -> None:
    """Adds the adjoint of `sample`, applied to `grad_samples` `[n, C]`, to `grad_features`."""

def motion_supervision(
    features: NDArray[np.float32],
    origins: NDArray[np.int64],
    feature_size: tuple[int, int],
    image_size: tuple[int, int],
    window_index: NDArray[np.int64],
    handle_points: NDArray[np.float64],
    target_points: NDArray[np.float64],
    r1: float,
    grad_features: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Each handle point's loss `[n]`; adds the gradient of their sum to `grad_features`.

    `loss_i = mean over (q, c) of |sg(F^(q)) - F^(q + d_i)|`, with d_i the unit vector to the target
    and q the integer pixels of the image nearer than r1 pixels to the handle (the nearest one where
    there is none). A handle nearer than 1 pixel to its target has loss 0 and no gradient.
    """

def point_tracking(
    features: NDArray[np.float32],
    origins: NDArray[np.int64],
    feature_size: tuple[int, int],
    image_size: tuple[int, int],
    window_index: NDArray[np.int64],
    handle_points: NDArray[np.float64],
    reference_features: NDArray[np.float32],
    r2: float,
    inclusive: bool,
    distance: Distance,
) -> NDArray[np.float64]:
    """Where each handle point is now, `[n, 2]`: the pixel q that minimises `||F^(q) - f_i||`.

    `reference_features` `[n, C]` holds the f_i. q runs over the integer pixels of the image with
    |dx| < r2 and |dy| < r2 of the old position (<= where `inclusive`; the nearest pixel where there
    is none). A tie goes to the q nearest to the old position, then to the smallest y, then x.
    """

def mask_penalty(
    features: NDArray[np.float32],
    reference_features: NDArray[np.float32],
    image_size: tuple[int, int],
    mask: NDArray[np.bool_],
    weight: float,
    grad_features: NDArray[np.float32],
) -> float:
    """The loss `weight * mean over (c, y, x) of |(F^ - F0^)(1 - M)|`; adds its gradient.

    `features` (F), `reference_features` (F0) and `grad_features` are whole maps `[C, fh, fw]`;
    `mask` (M) is bool `[H, W]`, True where the image may move; the mean is over all pixels, fixed
    or not.
    """
