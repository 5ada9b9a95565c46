"""What readers return, of whichever family the generator is."""

from __future__ import annotations

from dragonnx.errors import InputError
from dragonnx_export.families.stylegan2 import checkpoint as stylegan2
from dragonnx_export.families.stylegan3 import checkpoint as stylegan3

Contents = stylegan2.Contents | stylegan3.Contents
"""A generator, before it is said which file it came from."""

Checkpoint = stylegan2.Checkpoint | stylegan3.Checkpoint
"""A generator read from a file."""


def of_file(found: Contents, sha256: str) -> Checkpoint:
    """A generator with the hash of the file that it was read from."""
    if isinstance(found, stylegan3.Contents):
        return stylegan3.Checkpoint(**vars(found), sha256=sha256)
    return stylegan2.Checkpoint(**vars(found), sha256=sha256)


def of_stylegan2(checkpoint: Checkpoint) -> stylegan2.Checkpoint:
    """A checkpoint where only one of StyleGAN2 is of use.

    Raises:
        InputError: It is one of StyleGAN3.
    """
    if isinstance(checkpoint, stylegan2.Checkpoint):
        return checkpoint
    raise InputError(
        "the checkpoint is one of StyleGAN3, and only generators of StyleGAN2 can be trained or tuned "
        "here; give one of these"
    )
