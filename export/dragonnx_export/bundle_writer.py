"""From a checkpoint to a verified bundle folder, all or nothing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dragonnx.errors import InputError
from dragonnx.model.manifest import MANIFEST_NAME, W_AVG_NAME, Manifest, Source
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.features import features_graph
from dragonnx_export.families.stylegan2.image import (
    image_graph,
    image_layers_graph,
    preview_resolution,
)
from dragonnx_export.families.stylegan2.image_pullback import image_pullback_graph
from dragonnx_export.families.stylegan2.layers import SynthesisLayers
from dragonnx_export.families.stylegan2.mapping import mapping_graph
from dragonnx_export.families.stylegan2.pullback import pullback_graph
from dragonnx_export.folder_writer import (
    ExportError,
    check_target,
    library_versions,
    serialised,
    staged,
    write_files,
)
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.parity.check import Progress, check_parity

DEFAULT_FEATURE_RESOLUTION = 128
"""The released DragGAN drags the output of the sixth block, 128x128."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What a person may choose about a bundle.

    Attributes:
        name: A short name for people.
        licence: Of the weights.
        note: Anything else about them.
        feature_resolution: Block whose output is dragged; None is 128, or the last block.
        trainable_layers: For how many of the first w's the pullback gives a gradient.
        truncation_psi: The truncation that suits the model.
        drag_settings: `DragConfig` values that suit the model.
        overwrite: Whether a bundle that is already there may be replaced.
    """

    name: str
    licence: str = "not stated"
    note: str = ""
    feature_resolution: int | None = None
    trainable_layers: int = 6
    truncation_psi: float = 0.7
    drag_settings: Mapping[str, float] = field(default_factory=dict)
    overwrite: bool = False


def write_bundle(
    checkpoint: Checkpoint,
    folder: Path,
    options: ExportOptions,
    progress: Progress = lambda _line: None,
    further: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Author the graphs, prove them against torch, and put the finished folder in its place.

    Args:
        checkpoint: The generator.
        folder: The bundle's.
        options: What a person chose.
        progress: Is told what is being done, a line each.
        further: Files that belong to the bundle besides, by name.

    Raises:
        ExportError: The folder is taken or cannot be written, or an option does not fit.
        ParityError: A graph does not equal the checkpoint; nothing is written.
    """
    architecture = checkpoint.architecture
    resolution = _feature_resolution(checkpoint, options.feature_resolution)
    if not options.trainable_layers >= 1:
        raise ExportError(f"trainable layers must be at least 1, not {options.trainable_layers}")
    trainable_layers = min(options.trainable_layers, architecture.layers_up_to(resolution))
    check_target(folder, overwrite=options.overwrite)
    progress("writing the graphs ...")
    weights = WeightFile()
    contents = {**_contents(checkpoint, weights, resolution, trainable_layers), **(further or {})}
    with staged(folder) as staging:
        files = write_files(staging, contents, weights)
        del contents, weights  # the check needs the memory
        manifest = Manifest(
            name=options.name,
            image_size=architecture.image_size,
            feature_size=architecture.block_size(resolution),
            channels=tuple(c for r, c in architecture.channels.items() if r <= resolution),
            cuts=cuts_for(resolution),
            resample_filter=architecture.resample_filter,
            z_dim=architecture.z_dim,
            w_dim=architecture.w_dim,
            num_ws=architecture.num_ws,
            label_dim=architecture.label_dim,
            trainable_layers=trainable_layers,
            truncation_psi=options.truncation_psi,
            drag_settings=dict(options.drag_settings),
            files=files,
            source=Source(
                format=checkpoint.format,
                sha256=checkpoint.sha256,
                licence=options.licence,
                note=" ".join(filter(None, (options.note, *checkpoint.notes))),
            ),
            versions=library_versions(),
            parity=check_parity(
                checkpoint, staging, resolution, trainable_layers, cuts_for(resolution), progress
            ),
        )
        (staging / MANIFEST_NAME).write_text(manifest.to_json(), "utf-8", newline="\n")
    return manifest


def _contents(
    checkpoint: Checkpoint, weights: WeightFile, feature_resolution: int, trainable_layers: int
) -> dict[str, bytes]:
    """Every file of the bundle but the manifest and the weights, by name."""
    graphs = [mapping_graph(checkpoint, weights)]
    network = SynthesisLayers.of(checkpoint)
    preview = preview_resolution(checkpoint.architecture)
    for resolution in (None, preview) if preview else (None,):
        graphs += [
            image_graph(network, weights, resolution),
            image_layers_graph(network, weights, resolution),
            image_pullback_graph(network, weights, resolution),
        ]
    for cut in (None, *cuts_for(feature_resolution)):
        graphs += [
            features_graph(network, weights, feature_resolution, cut),
            pullback_graph(network, weights, feature_resolution, trainable_layers, cut),
        ]
    w_avg = io.BytesIO()
    np.save(w_avg, checkpoint.weights["mapping.w_avg"])
    return {
        **{f"{model.graph.name}.onnx": serialised(model) for model in graphs},
        W_AVG_NAME: w_avg.getvalue(),
    }


def cuts_for(feature_resolution: int) -> tuple[int, ...]:
    """The blocks from which on windows are worth having: in a coarser one they are the map."""
    return tuple(1 << k for k in range(4, feature_resolution.bit_length() - 1))


def _feature_resolution(checkpoint: Checkpoint, asked: int | None) -> int:
    blocks = checkpoint.architecture.block_resolutions
    if asked is None:
        return max(block for block in blocks if block <= DEFAULT_FEATURE_RESOLUTION)
    if asked not in blocks:
        listed = ", ".join(map(str, blocks))
        raise InputError(f"the feature resolution must be one of {listed}, not {asked}")
    return asked
