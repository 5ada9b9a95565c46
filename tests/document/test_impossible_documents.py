"""Documents that cannot be: each is refused in one sentence that names the field."""

from __future__ import annotations

import base64
import copy
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.documents import NUM_WS, W_DIM

from dragonnx.document import (
    Document,
    DragResult,
    LatentStart,
    PointPair,
    open_document,
    save_document,
)
from dragonnx.document.facts import facts_of, members_of
from dragonnx.document.paused import PausedDrag
from dragonnx.document.recipe import document_of, recipe_of
from dragonnx.document.start import Along
from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError

STEPS = 2
RESULT = DragResult(
    latents=np.zeros((STEPS + 1, NUM_WS, W_DIM), np.float32),
    trace=np.ones((STEPS + 1, 1, 2)),
    targets=np.ones((1, 2)),
    loss=np.zeros(STEPS),
    seconds=1.5,
    outcome="paused",
    settings={"preset": "paper", "r1": 3.0},
    masked=True,
    device="cpu",
    precision="float32",
    paused=PausedDrag(
        key="ab",
        terms=("motion",),
        computed_on="cpu",
        mean=np.zeros((1, 1, W_DIM)),
        square=np.zeros((1, 1, W_DIM)),
        losses=np.zeros((STEPS, 1)),
        seconds=np.zeros(STEPS),
    ),
)
WHOLE = Document(
    start=LatentStart(
        seed=3,
        truncation_psi=0.7,
        label=1,
        name="mine.npz",
        directions=(Along("d.npy", 1.5, np.ones(RESULT.w_plus.shape, np.float32)),),
    ),
    pairs=(PointPair((1, 2), (3, 4), (1, 1)),),
    config=DragConfig(r1=5.0, max_steps=7),
    mask=np.eye(8, dtype=bool),
    result=RESULT,
)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def written(path: Path, facts: object, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("document.json", json.dumps(facts))
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def changed(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The facts of a whole document with another value at a place."""
    facts: Any = copy.deepcopy(facts_of(WHOLE))
    holder = facts
    for key in place[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return facts


IMPOSSIBLE: list[tuple[tuple[str | int, ...], object, str]] = [
    (("format_version",), 2, "it has format version 2, this dragonnx reads version 1"),
    (("format_version",), ..., "format_version is missing"),
    (("model",), 3, "model must be a text, not 3"),
    (("model",), "", "model must be a name or a path, not nothing"),
    (("model",), "m" * 5000, "model must have at most 4096 characters, not 5000"),
    (("model",), "a\0b", "model holds a character that is none"),
    (("start",), [], "start must hold values by name, not []"),
    (("start", "seed"), 1.5, "start.seed must be a whole number from 0 to 4294967295, not 1.5"),
    (("start", "seed"), 2**40, "start.seed must be a whole number from 0 to 4294967295, not"),
    (("start", "seed"), True, "start.seed must be a whole number from 0 to 4294967295, not True"),
    (("start", "seed"), ..., "seed is missing"),
    (("start", "truncation_psi"), 1e300, "start.truncation_psi must be a number from -100 to 100"),
    (("start", "truncation_psi"), "1", "start.truncation_psi must be a number from -100 to 100"),
    (("start", "directions"), 3, "start.directions must be a list, not 3"),
    (("start", "directions"), [3], "start.directions[0] must hold values by name, not 3"),
    (("start", "directions", 0, "amount"), 1e6, "start.directions[0].amount must be a number from"),
    (("start", "directions", 0, "name"), ..., "start.directions[0].name is missing"),
    (("start", "motion"), 3, "start.motion must hold values by name, not 3"),
    (("start", "motion"), {"translation": [0, 0]}, "start.motion.rotation is missing"),
    (("start", "motion"), {"rotation": 1e3, "translation": [0, 0]}, "start.motion.rotation must be a number from"),
    (("start", "motion"), {"rotation": 0, "translation": [0, "1"]}, "start.motion.translation must be a point"),
    (("start", "directions"), [], "directions.npy holds directions that start.directions does not name"),
    (("start", "label"), -1, "start.label must be a whole number from 0 to 999999, not -1"),
    (("start", "name"), ["a"], "start.name must be a text, not ['a']"),
    (("start", "name"), "n" * 1001, "start.name must have at most 1000 characters, not 1001"),
    (("pairs",), {}, "pairs must be a list, not {}"),
    (("pairs",), [{"handle": [1, 2]}] * 1001, "pairs must have at most 1000 entries, not 1001"),
    (("pairs", 0), 3, "pairs[0] must hold values by name, not 3"),
    (("pairs", 0, "handle"), ..., "pairs[0].handle is missing"),
    (("pairs", 0, "handle"), None, "pairs[0].handle must be a point (x, y)"),
    (("pairs", 0, "target"), [1, 2, 3], "pairs[0].target must be a point (x, y)"),
    (("pairs", 0, "origin"), [1, 1e9], "pairs[0].origin must be a point (x, y) of numbers from"),
    (("config",), 3, "config must hold values by name, not 3"),
    (("config", "r3"), 3, "config holds 'r3', which is no setting of a drag"),
    (("config", "r1"), 1e308, "config.r1 must be a positive number, at most 1e+06, not 1e+308"),
    (("config", "max_steps"), 1.5, "config.max_steps must be a whole number from 1 to 1000000"),
    (("config", "space"), "z", "config.space must be w+ or w, not 'z'"),
    (("config", "windows"), 1, "config.windows must be true or false, not 1"),
    (("result",), [], "result must hold values by name, not []"),
    (("result", "seconds"), -1, "result.seconds must be a number from 0 to 1e+09, not -1"),
    (("result", "outcome"), "won", "result.outcome must be reached, stalled, max_steps, cancelled or paused"),
    (("result", "settings"), 3, "result.settings must hold values by name, not 3"),
    (("result", "settings", "r1"), [3], "result.settings.r1 must be a number from"),
    (("result", "settings", "preset"), "p" * 1001, "result.settings.preset must have at most 1000"),
    (("result", "masked"), 1, "result.masked must be true or false, not 1"),
    (("result", "device"), "d" * 65, "result.device must have at most 64 characters, not 65"),
    (("result", "outcome"), "reached", "result.paused is of a drag that ended, and outcome is reached"),
    (("result", "paused"), 3, "result.paused must hold values by name, not 3"),
    (("result", "paused", "key"), ..., "result.paused.key is missing"),
    (("result", "paused", "key"), "k" * 201, "result.paused.key must have at most 200 characters"),
    (("result", "paused", "terms"), ["motion", "mask"], "result.paused.losses must be an array [steps, 2]"),
    (("result", "paused", "terms"), [3], "result.paused.terms must be a text, not 3"),
    (("result", "paused", "computed_on"), None, "result.paused.computed_on must be a text, not None"),
    (("result", "precision"), None, "result.precision must be a text, not None"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value", "sentence"), IMPOSSIBLE)
def test_an_impossible_fact_is_refused_by_its_name(
    tmp_path: Path, place: tuple[str | int, ...], value: object, sentence: str
) -> None:
    facts, members = changed(place, value), members_of(WHOLE)
    path = written(tmp_path / "a.dragonnx", facts, members)
    with pytest.raises(InputError) as refused:
        open_document(path)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)
    if place == ("format_version",) and value is ...:
        return  # a recipe of 0.1.0 has none
    encoded = {name: base64.b64encode(content).decode() for name, content in members.items()}
    with pytest.raises(InputError) as refused:
        document_of({**facts, "members": encoded})
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("the picture's recipe cannot be used: ")


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("start_w_plus.npy", np.zeros((NUM_WS, W_DIM)), r"start.w_plus must be an array [1, num_ws"),
        ("start_w_plus.npy", np.zeros((2, NUM_WS, W_DIM)), "start.w_plus must be an array [1, num"),
        ("start_w_plus.npy", np.full((1, 2, 3), 1e300), "start.w_plus holds numbers that are not f"),
        ("latents.npy", np.zeros((4, NUM_WS, W_DIM)), "result.latents must be 3 for 2 steps, or 2"),
        ("latents.npy", np.full((3, 2, 2), np.nan), "result.latents holds numbers that are not fin"),
        ("latents.npy", np.zeros((3, 2, 2), int), "latents.npy holds values of a type that cannot"),
        ("trace.npy", np.zeros((3, 2, 2)), "result.trace must be an array [3, 1, 2] of numbers"),
        ("trace.npy", np.full((3, 1, 2), 1e9), "result.trace holds a point more than 16384 pixels"),
        ("targets.npy", np.zeros((1, 3)), "result.targets must be an array [points, 2] of numbers"),
        ("targets.npy", np.full((1, 2), np.inf), "result.targets holds numbers that are not finite"),
        ("directions.npy", np.zeros((2, 2, 2)), "directions.npy must hold an array [1, num_ws, w_dim]"),
        ("directions.npy", np.full((1, 2, 2), np.inf), "start.directions[0].vector holds numbers that"),
        ("directions.npy", np.zeros((1, 2, 3)), "directions must have the shape of the result's w_plus"),
        ("loss.npy", np.zeros((2, 1)), "result.loss must be an array [steps] of numbers, not [2, 1]"),
        ("paused_mean.npy", np.zeros((2, 1, 4)), "result.paused.mean must be an array [1, layers, w_dim]"),
        ("paused_mean.npy", np.full((1, 1, 4), np.nan), "result.paused.mean holds numbers that are not"),
        ("paused_square.npy", np.zeros((1, 2, 4)), "result.paused.square must have the shape of mean"),
        ("paused_square.npy", np.full((1, 1, 4), -1.0), "result.paused.square holds numbers below 0"),
        ("paused_losses.npy", np.zeros((0, 1)), "result.paused.losses must be of one step at least"),
        ("paused_losses.npy", np.zeros((3, 1)), "result.paused.seconds must be an array [3] of numbers"),
        ("loss.npy", np.array([1, np.nan]), "result.loss holds numbers that are not finite"),
    ],
)  # fmt: skip
def test_an_impossible_array_is_refused_by_its_name(
    tmp_path: Path, name: str, array: np.ndarray, sentence: str
) -> None:
    members = members_of(WHOLE) | {name: npy(array)}
    with pytest.raises(InputError) as refused:
        open_document(written(tmp_path / "a.dragonnx", facts_of(WHOLE), members))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("member", "content", "sentence"),
    [
        ("latents.npy", None, "latents.npy is missing"),
        ("paused_mean.npy", None, "paused_mean.npy is missing"),
        ("latents.npy", b"\x93NUMPY\x01\x00", "latents.npy is no array that can be read"),
        ("trace.npy", npy(np.zeros((3, 1, 2)))[:-1], "trace.npy has another size than its shape"),
        ("mask.png", b"", "mask"),
        ("mask.png", b"%!PS-Adobe-3.0 EPSF-3.0\n", "mask"),
    ],
)
def test_a_damaged_member_is_refused_by_its_name(
    tmp_path: Path, member: str, content: bytes | None, sentence: str
) -> None:
    members = members_of(WHOLE)
    del members[member]
    if content is not None:
        members[member] = content
    with pytest.raises(InputError, match=sentence):
        open_document(written(tmp_path / "a.dragonnx", facts_of(WHOLE), members))


@pytest.mark.parametrize(
    "facts", ["[" * 100_000, "[]", "NaN", '{"format_version": 1, "format_version": 1}', "9" * 5000]
)
def test_facts_that_are_no_facts(tmp_path: Path, facts: str) -> None:
    path = tmp_path / "a.dragonnx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("document.json", facts)
    with pytest.raises(InputError, match=r"document\.json"):
        open_document(path)


def test_an_array_that_says_it_is_huge_takes_no_memory(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999, 18, 512), }"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    members = members_of(WHOLE) | {"latents.npy": content}
    path = written(tmp_path / "a.dragonnx", facts_of(WHOLE), members)
    tracemalloc.start()
    refused = ""
    try:
        open_document(path)
    except InputError as error:
        refused = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "latents.npy has" in refused
    assert peak < 2**20


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=1), inner,
                                                                max_size=2),
    max_leaves=4,
)  # fmt: skip
PLACES = [place for place, _, _ in IMPOSSIBLE]


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(PLACES), value=ODD)
def test_any_value_anywhere_is_taken_or_refused(
    place: tuple[str | int, ...], value: object
) -> None:
    members = {name: base64.b64encode(content).decode() for name, content in
               members_of(WHOLE).items()}  # fmt: skip
    try:
        document = document_of({**changed(place, value), "members": members})
    except InputError:
        return
    json.dumps(recipe_of(document), allow_nan=False)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("documents") / "sound.dragonnx"
    save_document(WHOLE, path)
    return path


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
       cut=st.none() | st.integers(0, 5000))  # fmt: skip
def test_a_mutated_file_is_opened_or_refused(
    sound: Path, changes: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(sound.read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    mutated = sound.with_name("mutated.dragonnx")
    mutated.write_bytes(content[:cut])
    try:
        open_document(mutated)
    except InputError as error:
        assert str(mutated) in str(error)  # noqa: PT017 most are refused, some are not


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LatentStart(seed=1.5), "seed must be a whole number"),
        (lambda: LatentStart(w_plus=[[1, 2], [3]]), "w_plus must be an array, not [[1, 2], [3]]"),
        (lambda: LatentStart(w_plus="abc"), "w_plus must be an array [1, num_ws, w_dim] of numbers"),
        (lambda: PointPair("ab"), "handle must be a point (x, y)"),
        (lambda: PointPair((1, float("nan"))), "handle must be a point (x, y)"),
        (lambda: Document(start=3), "start must be a LatentStart, not 3"),
        (lambda: Document(config={}), "config must be a DragConfig, not {}"),
        (lambda: Document(pairs=((1, 2),)), "pairs[0] must be a PointPair, not (1, 2)"),
        (lambda: Document(result=3), "result must be a DragResult, not 3"),
        (lambda: Document(mask=np.eye(3)), "mask must be an array [height, width] of true and false"),
        (lambda: Document().with_mask(np.ones((9000, 1), bool)), "mask must have 1 to 8192 pixels"),
        (lambda: Document().with_mask(np.ones((0, 3), bool)), "mask must have 1 to 8192 pixels"),
        (lambda: Document().with_mask(3), "mask must be an array [height, width] of true and false"),
        (lambda: replace(RESULT, outcome="won"), "outcome must be reached, stalled, max_steps, cancelled or"),
        (lambda: replace(RESULT, loss=np.zeros(3)), "latents must be 4 for 3 steps, or 2 where only"),
        (lambda: replace(RESULT, settings={1: 2}), "settings must hold values by name, not {1: 2}"),
    ],
)  # fmt: skip
def test_nonsense_in_python_is_refused_alike(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert sentence in str(refused.value)


def test_numpys_numbers_can_be_saved(tmp_path: Path) -> None:
    document = Document(
        start=LatentStart(seed=np.int64(3), truncation_psi=np.float32(0.5)),
        pairs=(PointPair(np.array([1, 2]), np.array([3.5, 4])),),
    )
    save_document(document, tmp_path / "a.dragonnx")
    opened = open_document(tmp_path / "a.dragonnx")
    assert (opened.start.seed, opened.start.truncation_psi) == (3, 0.5)
    assert opened.pairs == (PointPair((1.0, 2.0), (3.5, 4.0)),)
