"""The settings of a drag: what a user may choose, and every default with its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from dragonnx.errors import InputError
from dragonnx.model.drag_settings import DRAG_SETTINGS, LARGEST_DISTANCE, checked_setting
from dragonnx.reading.values import flag, one_of, positive, set_fields
from dragonnx.types import Space

PresetName = Literal["paper", "released", "best"]
TrackingDistance = Literal["l1", "l2"]
Coordinates = Literal["w", "principal", "even"]

REFERENCE_SIZE = 512
"""Image height in pixels at which radii are given; they scale with the image (paper, section 4)."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A complete set of defaults.

    Attributes:
        step_size: Adam's learning rate.
        lambda_mask: Weight of the mask penalty.
        r1: Radius of the motion supervision patch, in pixels of a 512 px image.
        r2: Reach of the point tracking window, likewise.
        max_steps: Steps after which a drag gives up.
        trainable_layers: How many of the first w's are optimised.
        tracking_distance: Norm in which point tracking compares features.
        inclusive_window: Whether the tracking window holds its border, |dx| <= r2.
        stop_distance: From image height and number of points to the distance, in pixels, within
            which every handle must lie of its target.
        coordinates: What Adam descends in: "w" is the numbers of w, "principal" the directions in
            which w's differ, each in units of how much they do; "even" the same directions, all in
            units of the largest spread.
        shared_moment: Whether Adam's second moment is one number for all coordinates.
        described_tracking: Whether features are compared after a map that makes them vary alike in all
            directions over the first picture, and after what was learned where the bundle has that.
        subpixel_tracking: Whether handles are looked for between pixels too.
        slow_within: Distance from the targets, in pixels of a 512 px image, below which steps are shorter,
            so that handles do not run past them; 0 for nowhere.
        stall_steps: Steps without progress after which a drag ends as stalled; None lets it go on to
            its limit.
    """

    step_size: float
    lambda_mask: float
    r1: float
    r2: float
    max_steps: int
    trainable_layers: int
    tracking_distance: TrackingDistance
    inclusive_window: bool
    stop_distance: Callable[[int, int], float]
    coordinates: Coordinates = "w"
    shared_moment: bool = False
    described_tracking: bool = False
    subpixel_tracking: bool = False
    slow_within: float = 0.0
    stall_steps: int | None = None


PAPER = Preset(
    step_size=2e-3,  # section 4: faces, cats and cars; 1e-3 for the other models
    lambda_mask=20.0,  # section 4
    r1=3.0,  # section 4 and the ablation of r1
    r2=12.0,  # section 4
    max_steps=300,  # section 4: the cap of the landmark experiment
    trainable_layers=6,  # section 3.2: the first six layers hold the spatial attributes
    tracking_distance="l1",  # equation 2
    inclusive_window=False,  # section 3.3: |x - x_p| < r2
    stop_distance=lambda _height, points: 1.0 if points <= 5 else 2.0,  # section 4
)

RELEASED = Preset(
    step_size=1e-3,  # both released user interfaces
    lambda_mask=20.0,  # both released user interfaces; the function below them says 10
    r1=3.0,
    r2=12.0,
    max_steps=300,  # the released code has no limit
    trainable_layers=6,
    tracking_distance="l2",
    inclusive_window=True,
    stop_distance=lambda height, _points: max(2.0 * height / REFERENCE_SIZE, 2.0),
)

BEST = Preset(
    step_size=0.004,  # of a spread; docs/quality.md has what was tried
    lambda_mask=20.0,
    r1=3.0,
    r2=12.0,
    max_steps=300,
    trainable_layers=6,
    tracking_distance="l2",
    inclusive_window=False,
    # Several points seldom end all within a pixel: of five, the last pixel took longer than the way.
    stop_distance=lambda _height, points: 1.0 if points == 1 else 2.0,
    coordinates="principal",
    shared_moment=True,
    described_tracking=True,
    subpixel_tracking=True,
    slow_within=8.0,
    stall_steps=40,  # most drags with this preset take fewer in all
)

BEST_WITH_MASK = replace(
    BEST,
    # What is to stay depends on small directions of w too: each needs a step, and a moment, of its own.
    coordinates="even",
    shared_moment=False,
    step_size=0.0012,  # of the largest spread; docs/quality.md has what was tried
    stop_distance=lambda _height, _points: 2.0,  # the last pixel changes the rest most
    stall_steps=60,  # steps are shorter
)

DEFAULT_PRESET: PresetName = "best"
"""What a drag runs with where nobody chose: docs/quality.md has what it was measured against."""
PRESETS: Mapping[PresetName, Preset] = {"paper": PAPER, "released": RELEASED, "best": BEST}
_WITH_MASK: Mapping[PresetName, Preset] = {**PRESETS, "best": BEST_WITH_MASK}
"""What holds in their place where a mask fixes something."""


@dataclass(frozen=True, kw_only=True)
class DragSettings:
    """What a drag runs with: every value known. Distances are in pixels of the image.

    `r1` and `r2` are as given, at 512 px; `r1_pixels`, `r2_pixels` and `slow_within` as scaled to the image.
    """

    preset: PresetName
    space: Space
    step_size: float
    lambda_mask: float
    r1: float
    r2: float
    r1_pixels: int
    r2_pixels: int
    stop_distance: float
    max_steps: int
    trainable_layers: int
    tracking_distance: TrackingDistance
    inclusive_window: bool
    coordinates: Coordinates
    shared_moment: bool
    described_tracking: bool
    subpixel_tracking: bool
    slow_within: float
    stall_steps: int | None
    windows: bool

    @property
    def search_pixels(self) -> float:
        """How far from a handle features are compared with it."""
        # Between pixels it is looked for from those beside the one that was found.
        return self.r2_pixels + int(self.subpixel_tracking)

    def to_dict(self) -> dict[str, Any]:
        """These settings as plain data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class DragConfig:
    """What a user asks for. None means: what suits the model, or else what the preset says.

    Attributes:
        preset: "best", the paper's idea with what was measured to end nearer to the targets, in fewer
            steps; "paper" for the method as published; "released" for what its authors' code does.
        space: "w+" optimises each layer's w, "w" moves them all by the same amount.
        step_size: Adam's learning rate: in the numbers of w, or with "best" in how much w's differ
            (with a mask: in how much they do in the direction in which they do most).
        lambda_mask: Weight of the mask penalty; 0 or more.
        r1: Radius of the motion supervision patch, in pixels of a 512 px image.
        r2: Reach of the point tracking window, likewise.
        stop_distance: In pixels of the image; None is the preset's rule.
        max_steps: Steps after which a drag gives up.
        trainable_layers: How many of the first w's are optimised.
        windows: Whether features may be computed in windows around the handles, which gives the
            same result for less; False computes whole maps always.

    Raises:
        InputError: A value is out of range, or of another type.
    """

    preset: PresetName = DEFAULT_PRESET
    space: Space = "w+"
    step_size: float | None = None
    lambda_mask: float | None = None
    r1: float | None = None
    r2: float | None = None
    stop_distance: float | None = None
    max_steps: int | None = None
    trainable_layers: int | None = None
    windows: bool = True

    def __post_init__(self) -> None:
        chosen = {
            name: checked_setting(name, value)
            for name in DRAG_SETTINGS
            if (value := getattr(self, name)) is not None
        }
        if self.stop_distance is not None:
            chosen["stop_distance"] = positive(
                self.stop_distance, "stop_distance", LARGEST_DISTANCE
            )
        set_fields(
            self,
            preset=one_of(self.preset, "preset", tuple(PRESETS)),
            space=one_of(self.space, "space", get_args(Space)),
            windows=flag(self.windows, "windows"),
            **chosen,
        )

    def settings(
        self,
        *,
        image_height: int,
        point_count: int,
        trainable_layers: int,
        recommended: Mapping[str, float],
        masked: bool = False,
    ) -> DragSettings:
        """Fill in what was left open, and scale the radii to the image.

        Args:
            image_height: In pixels.
            point_count: Number of handle points.
            trainable_layers: For how many layers the model gives a gradient.
            recommended: The values that suit the model, by the setting's name; by PRESET.NAME those for
                one preset alone.
            masked: Whether a mask fixes something.

        Raises:
            InputError: More layers were asked for than the model can train.
        """
        unmasked = PRESETS[self.preset]
        preset = _WITH_MASK[self.preset] if masked else unmasked

        def value(name: str) -> Any:
            if (asked := getattr(self, name)) is not None:
                return asked
            names = [f"{self.preset}.{name}", name]
            if name == "step_size":
                # In the preset's coordinates without a mask, and in the numbers of w.
                has_unit = preset.coordinates == unmasked.coordinates, preset.coordinates == "w"
                names = [each for each, fits in zip(names, has_unit, strict=True) if fits]
            found = (recommended[each] for each in names if each in recommended)
            return next(found, getattr(preset, name))

        layers = int(value("trainable_layers"))
        if layers > trainable_layers:
            if self.trainable_layers is not None:
                raise InputError(
                    f"trainable_layers must be at most {trainable_layers} for this model, "
                    f"not {layers}"
                )
            layers = trainable_layers
        r1, r2 = float(value("r1")), float(value("r2"))
        return DragSettings(
            preset=self.preset,
            space=self.space,
            step_size=float(value("step_size")),
            lambda_mask=float(value("lambda_mask")),
            r1=r1,
            r2=r2,
            r1_pixels=scaled_radius(r1, image_height),
            r2_pixels=scaled_radius(r2, image_height),
            stop_distance=self.stop_distance or preset.stop_distance(image_height, point_count),
            max_steps=int(value("max_steps")),
            trainable_layers=layers,
            tracking_distance=preset.tracking_distance,
            inclusive_window=preset.inclusive_window,
            coordinates=preset.coordinates,
            shared_moment=preset.shared_moment,
            described_tracking=preset.described_tracking,
            subpixel_tracking=preset.subpixel_tracking,
            slow_within=preset.slow_within * image_height / REFERENCE_SIZE,
            stall_steps=preset.stall_steps,
            windows=self.windows,
        )


def scaled_radius(radius: float, image_height: int) -> int:
    """A radius given at 512 px, in whole pixels of an image of another height; at least one."""
    return max(round(radius * image_height / REFERENCE_SIZE), 1)
