"""The generator among what a file holds: the one that the user names, or the averaged one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.torch_storage import Storage
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.averages import is_average, is_in_training
from dragonnx_export.checkpoints.candidates import Candidate, candidates, distinct
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.contents import Contents
from dragonnx_export.checkpoints.contents_walk import DISCRIMINATOR, is_array, walk
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_foreign
from dragonnx_export.checkpoints.shadows import with_shadows
from dragonnx_export.checkpoints.tensorflow import is_tensorflow, tensorflow_candidates

_MAX_SHOWN = 8


def read_generator(content: object, max_elements: int, choices: Choices) -> Contents:
    """Read the generator in what a file holds, the averaged one where there are several.

    Args:
        content: Plain data, arrays and inert objects.
        max_elements: How many elements the weights may have together.
        choices: What the user says.

    Raises:
        CheckpointError: There is no StyleGAN2 generator of a kind that is supported, or none shows
            which of several is meant.
        ArchitectureError: Its facts contradict each other.
    """
    if is_tensorflow(content):
        listed = tensorflow_candidates(content)
    else:
        found = walk(content)
        listed = with_shadows(candidates(found), found)
        if not listed:
            refuse_foreign([name for state in found.dicts for name in state.entries])
            _refuse(content)
    chosen, reason = _chosen(listed, choices.network)
    contents = chosen.read(max_elements, choices)
    if len(listed) > 1:
        contents = replace(contents, network=f"{_shown(chosen)} of {_names(listed)}: {reason}")
    if choices.network is not None:
        return replace(contents, notes=(*contents.notes, f"--network {choices.network} was given"))
    others_trained = any(each.average is False for each in listed if each is not chosen)
    if not chosen.average and not others_trained and is_in_training(chosen.place):
        note = f"no network is named as an average, so {_shown(chosen)} was taken"
        return replace(contents, notes=(*contents.notes, note))
    return contents


def _chosen(listed: Sequence[Candidate], name: str | None) -> tuple[Candidate, str]:
    """The generator to take, and why."""
    if name is not None:
        return _named(listed, name), "it was asked for"
    if len(listed) == 1:
        return listed[0], "it is the only one"
    averaged = distinct([candidate for candidate in listed if candidate.average])
    if len(distinct(listed)) == 1:
        return (averaged or listed)[0], "they are one and the same network"
    if len(averaged) == 1:
        return averaged[0], "it alone is marked as an average; --network NAME takes another"
    left = distinct([candidate for candidate in listed if candidate.average is not False])
    if len(left) == 1:
        return left[0], "the others are named as those in training; --network NAME takes another"
    # What to do comes before the names, of which a long list is cut.
    raise CheckpointError(
        f"it holds {len(averaged)} generators that are marked as averages; choose with --network "
        f"NAME: {_names(averaged)}"
        if averaged
        else f"it holds {len(listed)} generators, none of them marked as the average; choose with "
        f"--network NAME: {_names(listed)}"
    )


def _named(listed: Sequence[Candidate], name: str) -> Candidate:
    """The generator of that name: the whole name, or a part of it that only one has.

    Raises:
        CheckpointError: None has it, or several do.
    """
    exact = [c for c in listed if name in (c.name, ".".join(c.place))]
    partly = [c for c in listed if f".{name}." in f".{c.name}."]
    fitting = distinct(exact or partly)
    if len(fitting) != 1:
        what = "several generators" if fitting else "no generator"
        raise CheckpointError(
            f"it has {what} of the name {quoted(name)}; name one of {_names(listed)}"
        )
    return fitting[0]


def _shown(candidate: Candidate) -> str:
    return quoted(candidate.name) if candidate.name else "'' (without a name)"


def _names(listed: Sequence[Candidate]) -> str:
    shown = [_shown(candidate) for candidate in listed[:_MAX_SHOWN]]
    if len(listed) > _MAX_SHOWN:
        return f"{', '.join(shown)} and {len(listed) - _MAX_SHOWN} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _refuse(content: object) -> None:
    """Say what the file holds in place of a generator.

    Raises:
        CheckpointError: Always.
    """
    if is_array(content) or isinstance(content, Storage):
        raise CheckpointError(
            "it holds a single array, perhaps a latent code, and no network; give the checkpoint "
            "of the generator"
        )
    if isinstance(content, InertObject) and content.class_name == DISCRIMINATOR:
        raise CheckpointError(
            "it holds a discriminator only, which makes no images; give a generator"
        )
    if isinstance(content, dict) and "G_ema" not in content:
        held = ", ".join(quoted(str(key)[:20]) for key in list(content)[:5]) or "nothing"
        named = any(is_average((str(key),)) for key in content)
        raise CheckpointError(
            f"what it holds under {held} is no StyleGAN2 generator; give the checkpoint that training "
            "wrote"
            if named
            else f"it has no StyleGAN2 generator such as 'G_ema' or 'g_ema' but {held}; give the "
            "checkpoint that training wrote"
        )
    raise CheckpointError(
        "it is a file of something else than a StyleGAN2 generator; give the checkpoint"
    )
