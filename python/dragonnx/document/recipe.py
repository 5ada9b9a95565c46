"""A recipe: how a picture was made, as JSON values. Recipes are written and read here alone.

A recipe holds a whole document, but of a drag's latents only the first and the last: a picture that
dragonnx saved opens as the document that made it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dragonnx.document.facts import (
    ARRAYS,
    MASK,
    decoded,
    document_of_facts,
    facts_of,
    members_of,
)
from dragonnx.document.recipe_v0 import document_of_v0
from dragonnx.document.state import Document
from dragonnx.errors import BundleError, InputError
from dragonnx.reading.npy_array import read_npy
from dragonnx.reading.values import entry, record

_MEMBERS = "members"


def recipe_of(document: Document) -> dict[str, Any]:
    """How the document's picture is made, as JSON values."""
    result = document.result
    kept = replace(document, result=None if result is None else result.with_ends_only())
    members = {
        name: base64.b64encode(content).decode() for name, content in members_of(kept).items()
    }
    return {**facts_of(kept), _MEMBERS: members}


def document_of(recipe: Mapping[str, Any]) -> Document:
    """The document that a recipe tells of; recipes of dragonnx 0.1.0 are read too.

    Raises:
        InputError: The recipe cannot be used.
    """
    try:
        recipe = record(recipe, "it")
        if "format_version" not in recipe:
            return document_of_v0(recipe)
        members = record(entry(recipe, _MEMBERS), _MEMBERS)
        contents = {
            name: decoded(members[name], f"{_MEMBERS}.{name}")
            for name in (*ARRAYS, MASK)
            if name in members
        }
        mask = contents.pop(MASK, None)
        arrays = {
            name: read_npy(io.BytesIO(content), len(content), name)
            for name, content in contents.items()
        }
        return document_of_facts(recipe, arrays, mask)
    except (InputError, BundleError) as error:
        raise InputError(f"the picture's recipe cannot be used: {error}") from error
