"""The loss of a drag, one term a file with its gradient.

A term is a module of this package that holds one subclass of `Term`, with the setting that weighs it
in `DragConfig`; nothing else names it. A step adds up the terms that apply.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from dragonnx.drag.problem import DragProblem
from dragonnx.drag.terms.base import FeatureTerm, LatentTerm, Term


def terms_for(problem: DragProblem) -> tuple[type[Term], ...]:
    """The terms that apply to a drag, in the order in which they are added up."""
    return tuple(term for term in _all_terms() if term.applies(problem))


def _all_terms() -> Iterator[type[Term]]:
    """Every term: motion supervision, which a drag always has, then the others by name."""
    names = {module.name for module in pkgutil.iter_modules(__path__)} - {"base"}
    for name in sorted(names, key=lambda name: (name != "motion", name)):
        module = importlib.import_module(f"{__name__}.{name}")
        yield from (
            found
            for found in vars(module).values()
            if isinstance(found, type)
            and issubclass(found, FeatureTerm | LatentTerm)
            and found.__module__ == module.__name__
        )
