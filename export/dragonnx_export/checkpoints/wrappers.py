"""Parts of arrays' names that say how a network was wrapped for training, and nothing of what it is.

torch.compile, sharding and recomputation put theirs before a network or before any part of it, and
DataParallel before each half of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

WRAPPERS = frozenset(
    {
        "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_fpw_module",
        "_forward_module",
    }
)  # fmt: skip
"""Names of what lies within a wrapper."""

_ANYWHERE = "|".join(sorted(WRAPPERS - {"module"}))
# A `module` before the whole network is kept: what lies beside it says whether it is an average.
_INNER = re.compile(rf"(?<![^.])(?:{_ANYWHERE})\.|(?<=mapping\.)module\.|(?<=synthesis\.)module\.")

_Value = TypeVar("_Value")


def unwrapped(entries: Mapping[str, _Value]) -> Mapping[str, _Value]:
    """Entries under the names that they would have without wrappers.

    Args:
        entries: By name. They stay as they are where two would have one name.
    """
    if not any("_" in name or "module." in name for name in entries):
        return entries
    names = {name: _INNER.sub("", name) for name in entries}
    if len(set(names.values())) < len(names):
        return entries
    return {names[name]: value for name, value in entries.items()}
