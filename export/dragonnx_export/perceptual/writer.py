"""From a perceptual network to a verified folder, all or nothing."""

from __future__ import annotations

from pathlib import Path

from dragonnx.inversion.perceptual_bundle import PerceptualManifest, open_perceptual
from dragonnx.model.facts import MANIFEST_NAME, Source
from dragonnx_export.folder_writer import (
    check_target,
    library_versions,
    serialised,
    staged,
    write_files,
)
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.perceptual.graphs import distance_graph, features_graph
from dragonnx_export.perceptual.network import PerceptualNetwork
from dragonnx_export.perceptual.parity import check_parity

_FORMAT = "VGG16 state dict in torchvision's names"


def write_perceptual(
    network: PerceptualNetwork,
    folder: Path,
    *,
    licence: str,
    note: str = "",
    overwrite: bool = False,
) -> PerceptualManifest:
    """Author the graphs, prove them against torch, and put the finished folder in its place.

    Args:
        network: The convolutions and heads.
        folder: Where to.
        licence: Of the weights.
        note: Anything else about them.
        overwrite: Whether a folder that is already there may be replaced.

    Raises:
        BundleError: What was made is not within what such folders may be; nothing is written.
        ExportError: The folder is taken or cannot be written.
        ParityError: A graph does not equal the network; nothing is written.
    """
    check_target(folder, overwrite=overwrite)
    weights = WeightFile()
    graphs = (features_graph(network, weights), distance_graph(network, weights))
    contents = {f"{model.graph.name}.onnx": serialised(model) for model in graphs}
    with staged(folder) as staging:
        files = write_files(staging, contents, weights)
        manifest = PerceptualManifest(
            name=network.name,
            files=files,
            source=Source(format=_FORMAT, sha256=network.sha256, licence=licence, note=note),
            heads_sha256=network.heads_sha256,
            versions=library_versions(),
            parity=check_parity(network, staging),
        )
        (staging / MANIFEST_NAME).write_text(manifest.to_json(), "utf-8", newline="\n")
        open_perceptual(staging)  # what nobody could open is not written
        check_target(folder, overwrite=overwrite)  # nor what came there meanwhile replaced
    return manifest
