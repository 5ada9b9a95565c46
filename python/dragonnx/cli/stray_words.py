"""Words that stand alone on a command line: what they may have been meant for."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from typing import Any

from typer.core import TyperCommand

from dragonnx.errors import InputError

_LONGEST = 200
"""Characters of a word that are repeated."""
_NUMBERS = re.compile(r"[\d.,:()\[\]+-]+", re.ASCII)


class Command(TyperCommand):
    """A command that says of a word too many what it may have been meant for."""

    allow_extra_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the options and arguments.

        Raises:
            InputError: Words are left over.
        """
        left = super().parse_args(ctx, args)
        if left and not ctx.resilient_parsing:
            options = {name for param in self.params for name in param.opts}
            raise InputError(refusal(left, options))
        return left


def refusal(words: Sequence[str], options: Collection[str]) -> str:
    """Why words that belong to no option are refused, and what to do: a sentence.

    Args:
        words: They, at least one.
        options: What the command knows, such as `--latent`.
    """
    head = f"nothing says what {quoted(' '.join(words))} is for: "
    if "--point" in options and all(map(_NUMBERS.fullmatch, words)):
        return (
            f"{head}a point is one word, HANDLE:TARGET, each x,y in pixels, and each has a --point of its "
            "own, such as --point 60,80:75,80"
        )
    if "--latent" in options and len(words) == 1 and _is_file(words[0]):
        return (
            f"{head}--latent starts from a picture or a latent, and -o names the picture to write"
            if "--output" in options
            else f"{head}--latent names a file to start from"
        )
    return f"{head}options begin with --, and a name with spaces needs quotes"


def quoted(word: str) -> str:
    """What was typed, as a message repeats it."""
    return repr(word) if len(word) <= _LONGEST else f"{word[:_LONGEST]!r}..."


def is_like_a_file(word: str) -> bool:
    """Whether a word looks like a file's name or path, which may be there or not."""
    return bool(os.path.splitext(word)[1].strip(".")) or os.path.basename(word) != word  # noqa: PTH119, PTH122 any text


def _is_file(word: str) -> bool:
    return os.path.isfile(word) or is_like_a_file(word)  # noqa: PTH113 it answers for any text
