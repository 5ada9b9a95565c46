"""The command `dragonnx info`: a model's facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.console import show
from dragonnx.model.manifest import DEFAULT_MODEL

if TYPE_CHECKING:
    from dragonnx.drag.config import PresetName
    from dragonnx.model.manifest import Manifest

_SHOWN = ("step_size", "r1", "r2", "stop_distance", "max_steps", "trainable_layers")
"""Settings of a drag, by the names of its options."""


def info(model: Annotated[str, typer.Argument(help="Name or folder.")] = DEFAULT_MODEL) -> None:
    """Show a model's facts and how far its graphs are from torch."""
    from dragonnx.drag.config import DEFAULT_PRESET, PRESETS
    from dragonnx.model.library import open_bundle

    bundle = open_bundle(model)
    m = bundle.manifest
    show(f"{m.name}: {m.image_size[1]} x {m.image_size[0]} px, in {bundle.folder}")
    show(f"family: {m.family}")
    classes = (
        f"{m.label_dim} classes (--label 0 to {m.label_dim - 1})" if m.label_dim else "no classes"
    )
    show(f"latent: z {m.z_dim}, w {m.w_dim}, {m.num_ws} w's, {classes}")
    height, width = m.feature_map.size
    show(f"feature map: {m.feature_map.channels} channels of {width} x {height}")
    show(f"truncation_psi: {m.truncation_psi:g}")
    for preset in sorted(PRESETS, key=lambda name: name != DEFAULT_PRESET):
        show(f"a drag with --preset {preset}: {_settings(m, preset)}")
    show(f"weights: {m.source.format}, licence {m.source.licence}. {m.source.note}".rstrip())
    for r in m.parity:
        show(f"{r.graph} {r.output}: {r.max_relative:.1e} from {r.reference} "
               f"(bound {r.tolerance:.0e})")  # fmt: skip


def _settings(m: Manifest, preset: PresetName) -> str:
    """What a drag of one point runs with where its user chooses nothing but the preset."""
    from dragonnx.drag.config import DragConfig

    alone, masked = (
        asdict(
            DragConfig(preset=preset).settings(
                image_height=m.image_size[0],
                point_count=1,
                trainable_layers=m.trainable_layers,
                recommended=m.drag_settings,
                masked=has_mask,
            )
        )
        for has_mask in (False, True)
    )
    told = [f"{name} {alone[name]:g}" for name in _SHOWN]
    others = [f"{name} {masked[name]:g}" for name in _SHOWN if masked[name] != alone[name]]
    others.append(f"lambda_mask {masked['lambda_mask']:g}")
    return f"{', '.join(told)}; with a mask {', '.join(others)}"
