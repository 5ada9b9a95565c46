"""The gradient of an inversion: the image of a place, compared with the photo, pulled back to w."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dragonnx.errors import InputError
from dragonnx.inversion.coarse import RENEWAL, CoarseLoss
from dragonnx.inversion.image_loss import ImageLoss, psnr
from dragonnx.inversion.progress import Progress
from dragonnx.model.generator import Generator
from dragonnx.model.passes import BoundPass, of_all_layers
from dragonnx.types import Float32, Float64


class ImageGradient:
    """Compares images of a generator with a photo, whole or small. For one thread at a time.

    Args:
        generator: The model.
        target: The photo, [1, 3, H, W], -1 to 1.
        weights: [H, W], how much each pixel counts, 0 to 1; None is 1 for all.
        loss: How images are compared.
        pull: What the mean square of a place's coordinates adds to its loss.
    """

    def __init__(
        self,
        generator: Generator,
        target: Float32,
        weights: Float32 | None,
        loss: ImageLoss,
        pull: float,
    ) -> None:
        self._generator = generator
        self._target = target
        self._weights = weights
        self._loss = loss
        self._pull = pull
        self._coarse: CoarseLoss | None = None
        self._passes: dict[bool, BoundPass] = {}
        """By whether they give the small image; made when first needed."""

    def begin(self) -> None:
        """Tell the loss what images are compared with."""
        self._loss.set_target(self._target)

    def of_whole(
        self, progress: Progress, place: Float64, latent: Float32
    ) -> tuple[Progress, Float32]:
        """dL/dw [num_ws, w_dim] of the whole image.

        Args:
            progress: Before the step.
            place: The latent's coordinates, as in `latent_space`.
            latent: [1, num_ws, w_dim].

        Returns:
            The progress, which knows then how that image compares with the photo; the gradient.
        """
        image = self._image_of(latent, preview=False)
        progress, grad_image = self._compared(progress, place, image)
        return progress, self._pulled_back(grad_image, preview=False)

    def of_small(
        self, progress: Progress, place: Float64, latent: Float32
    ) -> tuple[Progress, Float32]:
        """dL/dw [num_ws, w_dim] of the small image, 0 in layers that it does not show.

        Args:
            progress: As in `of_whole`.
            place: As in `of_whole`.
            latent: As in `of_whole`.

        Returns:
            The progress, whose correction of the small image is renewed now and then; the gradient.

        Raises:
            InputError: The correction is of another size.
        """
        small = self._image_of(latent, preview=True)
        if self._coarse is None:
            height, width = small.shape[-2:]
            target = self._target_like(small)
            self._coarse = CoarseLoss(target, self._weights, (height, width))
        if progress.steps % RENEWAL == 0:
            image = self._image_of(latent, preview=False)
            progress, _ = self._compared(progress, place, image)
            progress = replace(progress, correction=self._coarse.correction(image, small))
        if progress.correction.shape != small.shape:
            raise InputError(
                "the progress file of this inversion holds a correction of another size: begin anew"
            )
        grad_small = self._coarse(small, progress.correction)[1]
        return progress, self._pulled_back(grad_small, preview=True)

    def _image_of(self, latent: Float32, *, preview: bool) -> Float32:
        """The image [1, image_channels, H, W] of a latent, whole or small."""
        bound = self._passes.get(preview)
        if bound is None:
            bound = self._passes[preview] = self._generator.bound_image(latent, preview=preview)
        else:
            bound.run({"w_plus": latent})
        return bound.result.read()

    def _pulled_back(self, grad_image: Float32, *, preview: bool) -> Float32:
        """dL/dw [num_ws, w_dim] from the gradient of the last such image."""
        bound = self._passes[preview]
        bound.gradient.write(grad_image)
        gradient: Float32 = of_all_layers(bound.pull_back(), self._generator.manifest.num_ws)[0]
        return gradient

    def _compared(
        self, progress: Progress, place: Float64, image: Float32
    ) -> tuple[Progress, Float32]:
        """The progress that knows how the whole image of a place compares with the photo; dL/dimage."""
        target = self._target_like(image)
        distance, grad_image = self._loss(image)
        loss = distance + self._pull * float(np.mean(place**2))
        likeness = psnr(image, target, self._weights)
        return progress.compared(place, image, loss, likeness), grad_image

    def _target_like(self, image: Float32) -> Float32:
        """The photo, from here on in as many channels as an image has."""
        if image.shape[1] != self._target.shape[1]:  # a model of grey pictures
            self._target = self._target.mean(axis=1, keepdims=True)
            self._loss.set_target(self._target)
        return self._target
