"""The command `dragonnx info`: a model's facts."""

from __future__ import annotations

from typing import Annotated

import typer

from dragonnx.cli.console import show
from dragonnx.model.manifest import DEFAULT_MODEL


def info(model: Annotated[str, typer.Argument(help="Name or folder.")] = DEFAULT_MODEL) -> None:
    """Show a model's facts and how far its graphs are from torch."""
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
    settings = ", ".join(f"{name} {value:g}" for name, value in m.drag_settings.items())
    show(f"drag settings: {settings or 'as the preset says'}; truncation_psi {m.truncation_psi:g}")
    show(f"weights: {m.source.format}, licence {m.source.licence}. {m.source.note}".rstrip())
    for r in m.parity:
        show(f"{r.graph} {r.output}: {r.max_relative:.1e} from {r.reference} "
               f"(bound {r.tolerance:.0e})")  # fmt: skip
