"""Types that several rooms share, by name.

Letters in shapes: N samples, n points, C channels, h and w a feature map's size, H and W the image's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # names of types cost no import: the command line starts without NumPy
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
Float32: TypeAlias = "NDArray[np.float32]"
Float64: TypeAlias = "NDArray[np.float64]"
UInt8: TypeAlias = "NDArray[np.uint8]"

Point: TypeAlias = tuple[float, float]
"""(x, y) in image pixels, pixel centres at integers."""
Points: TypeAlias = "NDArray[np.float64]"
"""[n, 2], each (x, y) as in `Point`."""
Mask: TypeAlias = "NDArray[np.bool_]"
"""[H, W], True where pixels may move, as the paper's M."""
Picture: TypeAlias = "NDArray[np.uint8]"
"""[H, W, 3], sRGB."""

Space = Literal["w+", "w"]
"""Whether every layer has a w of its own, or one w moves them all."""
DeviceName: TypeAlias = str
"""Where to compute: "cpu", "cuda", "cuda:1" for the second GPU, or "auto" for CUDA where it works."""
Precision = Literal["auto", "float32", "tf32"]
"""Of convolutions and matrix products: TF32 keeps ten bits of mantissa, float32 has 23; "auto" takes
TF32 on CUDA, as PyTorch does for convolutions, and float32 elsewhere."""
DevicePrecision = Literal["float32", "tf32"]
"""What a device computes in."""
Fit = Literal["crop", "pad"]
"""What to do with a photo of another shape: cut it, or show all of it."""
Align = Literal["none", "face"]
"""Whether a photo is turned and cut by the landmarks of a face."""
