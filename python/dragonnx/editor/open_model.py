"""The one model that is open on the worker's thread, and going over to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dragonnx.document import Document
from dragonnx.document.latents import current_w_plus
from dragonnx.drag.mask import checked_mask
from dragonnx.editor.events import ModelOpened
from dragonnx.editor.pictures import Pictures
from dragonnx.errors import BundleError, DragonnxError
from dragonnx.model.manifest import DEFAULT_MODEL

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.types import DeviceName, Precision


def _is_gone(model: str) -> bool:
    """Whether a model is named by its folder, and there is none; a damaged bundle is one."""
    from dragonnx.model.library import find_bundle, is_path

    try:
        find_bundle(model)
    except BundleError:
        return is_path(model)
    return False


class OpenModel:
    """Opens models when they are first needed, and keeps the newest.

    Args:
        opened: Told of each model that is opened.
        device: Where to compute.
        precision: Of convolutions.
    """

    def __init__(
        self,
        opened: Callable[[ModelOpened], object],
        device: DeviceName = "auto",
        precision: Precision = "auto",
    ) -> None:
        self._announce = opened
        self._device: DeviceName = device
        self._precision: Precision = precision
        self._model: str | None = None
        self._generator: Generator | None = None
        self._pictures: Pictures | None = None

    def generator(self, model: str | None = None) -> Generator:
        """The generator of a model; without one, of the model that is open, else of the default.

        Raises:
            BundleError: There is no such model, or it is damaged.
        """
        if self._generator is None or (model is not None and model != self._model):
            model = model or DEFAULT_MODEL
            return self._use(model, self._opened(model))
        return self._generator

    def pictures(self, model: str) -> Pictures:
        """What makes a model's pictures, as `generator` opens it."""
        generator = self.generator(model)
        if self._pictures is None:
            self._pictures = Pictures(generator)
        return self._pictures

    def try_document(self, document: Document) -> None:
        """Go over to a document's model, but only if the document fits it and gives a picture.

        Raises:
            DragonnxError: The model cannot be opened, or the document does not fit it.
        """
        is_new = self._generator is None or document.model != self._model
        generator = self._opened(document.model) if is_new else self.generator()
        w_plus = current_w_plus(document, generator)
        if document.mask is not None and document.mask.any():
            checked_mask(document.mask, generator.manifest.image_size)
        if is_new:
            generator.image(w_plus)
            self._use(document.model, generator)

    def try_or_replace(self, document: Document) -> tuple[Document, tuple[str, ...]]:
        """As `try_document`, but a model whose folder is gone is replaced by the open one.

        The folder may have been moved. The open model must be one that was chosen, and the document fit it.

        Returns:
            The document with the model that was taken, and what the user should know of that.

        Raises:
            DragonnxError: As `try_document`.
        """
        try:
            self.try_document(document)
        except BundleError as error:
            if not _is_gone(document.model):
                raise
            if self._model in (None, DEFAULT_MODEL):
                raise BundleError(
                    f"{error}; where it was moved, choose it with m, and open this again"
                ) from error
            replaced = replace(document, model=str(self._model))
            try:
                self.try_document(replaced)
            except DragonnxError as misfit:
                raise BundleError(f"{error}, and {self._model} does not fit ({misfit})") from misfit
            return replaced, (f"{document.model} is gone, so {self._model} took its place",)
        return document, ()

    def _opened(self, model: str) -> Generator:
        from dragonnx.model.generator import Generator

        return Generator.open(model, self._device, precision=self._precision)

    def _use(self, model: str, generator: Generator) -> Generator:
        self._model, self._generator, self._pictures = model, generator, None
        self._announce(ModelOpened(model, generator.manifest, generator.device.kind))
        return generator
