"""An inversion as an iterator: each step brings the generator's image closer to a photo."""

from __future__ import annotations

import math
import os
import threading
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from dragonnx.drag.adam import Adam
from dragonnx.drag.one_thread import OneThread
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.inversion.image_gradient import ImageGradient
from dragonnx.inversion.image_loss import ImageLoss, PyramidLoss, checked_loss
from dragonnx.inversion.latent_space import LatentSpace
from dragonnx.inversion.photo import Photo, align, photo_of, target_of, weights_of
from dragonnx.inversion.progress import Progress, key_of
from dragonnx.inversion.start import best_candidate, random_codes
from dragonnx.log import timed, took
from dragonnx.model.generator import Generator
from dragonnx.model.given import checked_generator
from dragonnx.model.labels import Label, fitting_label
from dragonnx.model.picture import picture_of
from dragonnx.reading.pictures import PictureSource
from dragonnx.reading.values import instance
from dragonnx.types import Float32, Float64

_SPACE_SAMPLES = 2000
"""Latents that tell how w varies: enough for a covariance of 512 x 512, at a fraction of a second."""


@dataclass(frozen=True)
class InversionStep:
    """What one step found.

    Attributes:
        number: From 1.
        loss: Of the latent that this step looked at, the pull to w_avg included. While small images
            are compared, of the last latent of which the whole image was.
        psnr: Of that latent's image against the photo, in dB, over the pixels that count.
        seconds: How long the step took.
    """

    number: int
    loss: float
    psnr: float
    seconds: float


class InversionSession:
    """Looks for the latent of a photo. Iterate over it for the steps.

    One thread at a time makes steps; others may read and save what was reached, and cancel.

    Args:
        generator: The model.
        photo: A photo, aligned or not, or what `load_photo` reads; where its size is not the model's,
            its middle is taken.
        config: What a user chose.
        loss: How images are compared; None is the pyramid loss over the pixels that count.
        w_plus: Where to start from; None looks for a good place.
        label: The class, for a conditional model; several, or weights by class.

    Raises:
        InputError: A value does not fit the model, or nothing of the photo counts.
    """

    def __init__(
        self,
        generator: Generator,
        photo: Photo | PictureSource,
        config: InversionConfig | None = None,
        *,
        loss: ImageLoss | None = None,
        w_plus: ArrayLike | None = None,
        label: Label | None = None,
    ) -> None:
        m = checked_generator(generator).manifest
        height, width = m.image_size
        photo = photo_of(photo, m.image_size)
        if photo.picture.size != (width, height):
            photo = align(photo, (height, width))
        self.config = (
            InversionConfig() if config is None else instance(config, "config", InversionConfig)
        )
        self.photo = photo
        self._generator = generator
        target, weights = target_of(photo), weights_of(photo)
        if weights is not None and not weights.any():
            raise InputError(
                "nothing of the photo's part that is looked for counts: it is transparent, masked out "
                "or beyond the photo"
            )
        self._loss = PyramidLoss(weights) if loss is None else checked_loss(loss, "loss")
        self._gradient = ImageGradient(generator, target, weights, self._loss, self.config.pull)
        self._label = fitting_label(label, m.name, m.label_dim)
        self._key = key_of(target, self.config, m.source.sha256, self._loss.name, self._label)
        self._given = None if w_plus is None else generator.checked_w_plus(w_plus)
        self._cancelled = threading.Event()
        self._one_thread = OneThread("inversion")
        has_small = generator.manifest.has_preview
        self._coarse_steps = int(self.config.coarse * self.config.steps) if has_small else 0
        self._space: LatentSpace | None = None
        # What was reached is one value, so that an interrupt at any moment leaves a whole step.
        self._progress: Progress | None = None

    def __repr__(self) -> str:
        like = f", {self.psnr:.1f} dB" if self.steps else ""
        return f"<InversionSession: {self.steps} of {self.config.steps} steps{like}>"

    @property
    def w_plus(self) -> Float32:
        """The best latent so far, [1, num_ws, w_dim].

        Raises:
            InputError: No step was done yet.
        """
        return self._latent(self._done().best)

    @property
    def picture(self) -> Image.Image:
        """The best latent's picture, which its step made anyway.

        Raises:
            InputError: No step was done yet.
        """
        progress = self._done()
        if progress.best_image is None:  # that step was done before `resume`
            return self._generator.image(self._latent(progress.best))
        return picture_of(progress.best_image)

    @property
    def psnr(self) -> float:
        """Of the best latent's image against the photo, in dB; minus infinity before any step."""
        progress = self._progress
        return -math.inf if progress is None else progress.best_psnr

    @property
    def steps(self) -> int:
        """How many steps were done, those before `resume` included."""
        progress = self._progress
        return 0 if progress is None else progress.steps

    @property
    def loss(self) -> ImageLoss:
        """How images are compared."""
        return self._loss

    @property
    def target(self) -> Float32:
        """The photo as an image [1, 3, H, W], -1 to 1."""
        return target_of(self.photo)

    def cancel(self) -> None:
        """End the inversion before its next step. May be called from any thread."""
        self._cancelled.set()

    def __iter__(self) -> InversionSession:
        return self

    def __next__(self) -> InversionStep:
        """Do one step.

        Raises:
            StopIteration: All steps are done, or it was cancelled.
            InputError: The descent left the range of numbers: the step size is too large.
            StateError: Another thread is at work on this session, or the generator was closed.
        """
        with self._one_thread:
            if self._cancelled.is_set() or self.steps >= self.config.steps:
                raise StopIteration
            return self._do_step()

    def _do_step(self) -> InversionStep:
        began = time.perf_counter()
        if self._progress is None:
            with timed("looking for a place to start from"):
                self._progress = self._start()
        progress, space = self._progress, self._known_space()
        coarse = progress.steps < self._coarse_steps
        if progress.steps == self._coarse_steps:
            # Another gradient, of more layers.
            progress = replace(progress, adam=Adam(self.config.step_size))
        noise = np.random.default_rng((self.config.seed, progress.steps)).standard_normal(
            progress.coordinates.shape
        )
        noisy = progress.coordinates + self.config.noise_at(progress.steps) * noise
        find = self._gradient.of_small if coarse else self._gradient.of_whole
        progress, gradient = find(progress, noisy, self._latent(noisy))
        pulled = 2 * self.config.pull / noisy.size * noisy
        if self.config.space == "w":
            # One w behind all layers: its gradient is the sum of theirs.
            gradient = gradient.sum(axis=0, keepdims=True)
        elif coarse:
            # Layers that the small image does not show stay where they are.
            pulled[~gradient.any(axis=1)] = 0
        descent = (space.gradient(gradient) + pulled).astype(np.float32)
        update, adam = progress.adam.update(descent)
        rate = self.config.rate(progress.steps, 0 if coarse else self._coarse_steps)
        coordinates = progress.coordinates + rate * update
        if not (math.isfinite(progress.loss) and np.isfinite(coordinates).all()):
            raise InputError(
                f"the inversion diverged after {progress.steps} steps: take a smaller step size "
                f"than {self.config.step_size:g}"
            )
        progress = replace(progress, coordinates=coordinates, adam=adam, steps=progress.steps + 1)
        self._progress = progress
        seconds = time.perf_counter() - began
        took(f"inversion step {progress.steps}", seconds)
        return InversionStep(progress.steps, progress.loss, progress.psnr, seconds)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that going on later takes to an .npz file, all or nothing.

        May be called from any thread, also while another one makes a step, which is not in it yet.

        Raises:
            InputError: No step was done yet, or the file cannot be written.
        """
        self._done().save(path, self._key)

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go on where `save` was called, in place of what this session did.

        Photo, settings, model and loss must be those of the session that was saved.

        Raises:
            InputError: The file cannot be read, or belongs to another photo or other settings.
            StateError: Another thread is at work on this session.
        """
        with self._one_thread:
            progress = Progress.load(path, self._key, self.config.step_size)
            m = self._generator.manifest
            expected = (1 if self.config.space == "w" else m.num_ws, m.w_dim)
            if progress.coordinates.shape != expected:
                raise InputError(
                    f"{path}: coordinates must have the shape {list(expected)}, not "
                    f"{list(progress.coordinates.shape)}"
                )
            self._gradient.begin()
            self._progress = progress

    def _done(self) -> Progress:
        progress = self._progress
        if progress is None or progress.steps == 0:
            raise InputError("no step of the inversion was done yet: iterate over the session")
        return progress

    def _start(self) -> Progress:
        self._gradient.begin()
        space = self._known_space()
        w_plus = self._given
        if w_plus is None:
            w_plus = best_candidate(self._generator, self.photo, self.config, self._label)
        coordinates = space.coordinates(w_plus[0])
        if self.config.space == "w":
            coordinates = coordinates.mean(axis=0, keepdims=True)
        return Progress(coordinates, Adam(self.config.step_size))

    def _known_space(self) -> LatentSpace:
        if self._space is None:
            codes = random_codes(self._generator, self.config.seed, _SPACE_SAMPLES)
            samples = self._generator.w_plus(z=codes, label=self._label, truncation_psi=1.0)[:, 0]
            self._space = LatentSpace.of(samples, self._generator.w_avg)
        return self._space

    def _latent(self, coordinates: Float64) -> Float32:
        """Coordinates [num_ws or 1, w_dim] as w_plus [1, num_ws, w_dim]."""
        m = self._generator.manifest
        w = self._known_space().w(coordinates)
        return np.ascontiguousarray(np.broadcast_to(w, (m.num_ws, m.w_dim)))[None]


def invert(
    generator: Generator,
    image: Photo | PictureSource,
    config: InversionConfig | None = None,
    *,
    label: Label | None = None,
) -> InversionSession:
    """Look for the latent [1, num_ws, w_dim] of a photo.

        session = invert(Generator.open("critters"), "photo.jpg")
        for step in session:
            print(step.number, step.psnr)
        w_plus = session.w_plus

    Args:
        generator: The model.
        image: A photo's path, a Pillow image, which gives what its file gives, or a photo with
            weights; its middle is taken.
        config: What a user chose.
        label: The class, for a conditional model; several, or weights by class.

    Raises:
        InputError: The photo cannot be read, or the label does not fit the model.
    """
    return InversionSession(generator, image, config, label=label)
