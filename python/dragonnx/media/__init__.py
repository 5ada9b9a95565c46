"""Pictures that leave the program, and what they say of themselves: files, animations, drawings."""

from dragonnx.media.animation import ANIMATION_SUFFIXES, check_animation, save_animation
from dragonnx.media.drawing import grid_size, in_grid, side_by_side, with_points
from dragonnx.media.picture import (
    LOSSLESS,
    PICTURE_SUFFIXES,
    QUALITY,
    check_quality,
    check_size,
    format_of,
    read_recipe,
    save_image,
    save_json,
)
from dragonnx.media.xmp import PROVENANCE

__all__ = [
    "ANIMATION_SUFFIXES",
    "LOSSLESS",
    "PICTURE_SUFFIXES",
    "PROVENANCE",
    "QUALITY",
    "check_animation",
    "check_quality",
    "check_size",
    "format_of",
    "grid_size",
    "in_grid",
    "read_recipe",
    "save_animation",
    "save_image",
    "save_json",
    "side_by_side",
    "with_points",
]
