"""A bar that tells how many of so many are done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def counted(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The items, with a bar on standard error.

    Args:
        items: They are made one by one as they are taken.
        total: How many there are.
        what: They are, for users.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(),
               TextColumn("left"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(items, total)
