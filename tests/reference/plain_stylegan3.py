"""DragGAN of StyleGAN3 in plain torch: the yardstick, and a test's oracle."""

from __future__ import annotations

import torch
from reference.plain_draggan import PlainDrag
from torch import Tensor
from torch.nn import functional as F

from dragonnx_export.families.stylegan3.network import Generator


class PlainStyleGAN3Drag(PlainDrag):
    """See `PlainDrag`; `feature_resolution` is the number of the layer whose output is dragged."""

    generator: Generator

    def _synthesise(self, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        features = self.generator.features(w_plus, self.feature_resolution)
        x = features.detach()
        with torch.no_grad():  # the image is shown alone: no gradient goes through it
            for position in range(
                self.feature_resolution + 1, len(self.generator.architecture.layers)
            ):
                x = self.generator.layer(position, x, w_plus[:, position + 1])
        return features, x

    def _resized(self, features: Tensor) -> Tensor:
        """The map as large as it is beside the image, and of that the image's part."""
        a = self.generator.architecture
        layer = a.layers[self.feature_resolution]
        scale, margin = a.resolution // layer.out_rate, (layer.out_size - layer.out_rate) // 2
        size = layer.out_size * scale
        resized = F.interpolate(features, size=size, mode="bilinear", align_corners=False)
        end = margin * scale + a.resolution
        return resized[:, :, margin * scale : end, margin * scale : end]
