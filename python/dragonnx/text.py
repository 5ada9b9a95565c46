"""Text that others wrote, as it may be shown: nothing in it commands the terminal or hides."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of what commands or hides: controls, formats (among them those that turn the
reading direction, and marks without width), halves of characters that stand for undecodable bytes
of a name, and separators of lines and paragraphs."""


def visible(text: str) -> str:
    r"""A text in one line, with escapes such as `\n`, `\x1b` and `\u202e` for what would not show.

    Names, paths, licences and the words of an error may come from a stranger's file. All of them
    pass through here wherever a user reads them; what passes twice stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if is_hidden(c) else c for c in text)


def is_hidden(character: str) -> bool:
    """Whether a character commands the terminal, or takes part in a text without being seen."""
    return unicodedata.category(character) in _HIDDEN
