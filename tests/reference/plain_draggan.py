"""DragGAN in plain torch, as the released code does it: the yardstick, and a test's oracle.

Each step synthesises the whole image, resizes the whole feature map to the image's size, and lets
autograd find the gradient. Written from the paper and the description of the released code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from dragonnx_export.families.stylegan2.networks import Generator, State


@dataclass
class PlainDrag:
    """A drag in progress. Points are (x, y) in pixels, float64, [n, 2].

    It runs where its tensors lie, which is one device for all of them.

    Attributes:
        generator: In float32 or float64.
        w_plus: [1, num_ws, w_dim].
        handles: Where the handles are.
        targets: Where they are to go.
        feature_resolution: Number of the block whose output is dragged.
        r1: Radius of the motion supervision patch, in pixels of the image.
        r2: Reach of the tracking window, likewise.
        step_size: Adam's.
        trainable_layers: How many of the first w's are optimised.
        distance: 1 for L1 tracking, 2 for L2.
        inclusive: Whether the tracking window holds its border.
        mask: bool [H, W], True where pixels may move, or None.
        lambda_mask: Weight of the mask penalty.
    """

    generator: Generator
    w_plus: Tensor
    handles: Tensor
    targets: Tensor
    feature_resolution: int
    r1: float
    r2: float
    step_size: float
    trainable_layers: int = 6
    distance: int = 2
    inclusive: bool = True
    mask: Tensor | None = None
    lambda_mask: float = 20.0
    _reference: Tensor | None = field(default=None, init=False)
    _first: Tensor | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._trained = self.w_plus[:, : self.trainable_layers].detach().clone().requires_grad_()
        self._fixed = self.w_plus[:, self.trainable_layers :].detach()
        self._adam = torch.optim.Adam([self._trained], lr=self.step_size)

    def latent(self) -> Tensor:
        """The latent as far as it got, [1, num_ws, w_dim]."""
        return torch.cat([self._trained, self._fixed], dim=1)

    def step(self) -> float:
        """Track, then descend the loss once; gives the loss."""
        w_plus = self.latent()
        features, _ = self._synthesise(w_plus)
        resized = self._resized(features)
        if self._reference is None:
            self._reference = self._at(resized, self.handles).detach()
            self._first = resized.detach()
        else:
            self.handles = self._track(resized.detach())
        loss = self._loss(resized)
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        return float(loss.detach())

    def _resized(self, features: Tensor) -> Tensor:
        """The whole feature map, resized to the size of the image."""
        size = self.generator.architecture.image_size
        return F.interpolate(features, size=size, mode="bilinear", align_corners=False)

    def _synthesise(self, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        """The feature map, and the image that the released code shows after every step."""
        network = self.generator.synthesis
        features: Tensor | None = None
        height = self.generator.architecture.block_size(self.feature_resolution)[0]
        state = State()
        for _, stage in network.stages():
            state = stage(state, w_plus)
            # The block's last convolution is what leaves its feature map, before any colours.
            if state.x is not None and state.x.shape[-2] == height:
                features = state.x
        image = state.image
        assert features is not None
        assert image is not None
        return features, image

    def _track(self, resized: Tensor) -> Tensor:
        """The pixel of each window whose features are nearest to the handle's first ones."""
        assert self._reference is not None
        pixels = self._pixels(resized)
        found = []
        for handle, reference in zip(self.handles, self._reference, strict=True):
            offset = (pixels - handle).abs().amax(dim=1)
            near = pixels[offset <= self.r2 if self.inclusive else offset < self.r2]
            values = resized[0, :, near[:, 1].long(), near[:, 0].long()].T
            distances = torch.linalg.vector_norm(values - reference, ord=self.distance, dim=1)
            found.append(near[distances.argmin()])
        return torch.stack(found)

    def _loss(self, resized: Tensor) -> Tensor:
        """Equation 1 of the paper, with means as in the released code."""
        pixels = self._pixels(resized)
        loss = resized.new_zeros(())
        for handle, target in zip(self.handles, self.targets, strict=True):
            away = target - handle
            if away.norm() < 1:
                continue
            patch = pixels[(pixels - handle).norm(dim=1) < self.r1]
            before = self._at(resized, patch).detach()
            after = self._at(resized, patch + away / away.norm())
            loss = loss + (before - after).abs().mean()
        if self.mask is not None:
            assert self._first is not None
            moved = (resized - self._first) * (~self.mask).to(resized.dtype)
            loss = loss + self.lambda_mask * moved.abs().mean()
        return loss

    @staticmethod
    def _pixels(resized: Tensor) -> Tensor:
        """Every pixel (x, y) of the image, [H * W, 2]."""
        height, width = resized.shape[2:]
        rows, columns = (torch.arange(n, device=resized.device) for n in (height, width))
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        return torch.stack([x, y], dim=-1).reshape(-1, 2).double()

    @staticmethod
    def _at(resized: Tensor, points: Tensor) -> Tensor:
        """The resized features at points, bilinear, the border repeated: [n, C]."""
        size = points.new_tensor(resized.shape[:1:-1])
        grid = (2 * points / (size - 1) - 1).to(resized.dtype)[None, None]
        values = F.grid_sample(resized, grid, padding_mode="border", align_corners=True)
        return values[0, :, 0].T
