"""A file of jobs: what it may say, and that each wrong line is told of in one sentence."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.batches import PAIR, SIDE, SMALL, job, write_jobs
from support.face_models import yunet

from dragonnx import (
    Document,
    DragConfig,
    DragonnxError,
    InputError,
    LatentStart,
    PointPair,
    save_document,
    save_latent,
)
from dragonnx.batch import Job, JobFileError, read_jobs, schema
from dragonnx.batch.fields import COLUMNS, FIELDS, SETTINGS
from dragonnx.batch.making import JobMaker
from dragonnx.batch.photo import FaceSource
from dragonnx.document.outputs import output
from dragonnx.model.generator import Generator
from dragonnx.model.labels import checked_label
from dragonnx.model.library import open_bundle

EDIT = Document(
    model=str(SMALL),
    start=LatentStart(3, 0.6),
    pairs=(PointPair((9.0, 9.0), (20.0, 20.0)),),
    config=DragConfig(max_steps=7, r1=20),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With every kind of file that a job may name."""
    save_document(EDIT.with_mask(np.eye(SIDE, dtype=bool)), tmp_path / "edit.dragonnx")
    with Generator.open(SMALL, "cpu", 1) as generator:
        output("picture").write(EDIT, generator, tmp_path / "edit.png")
        save_latent(generator.w_plus(5), tmp_path / "start.npz")
    save_latent(np.zeros((1, 2, 3)), tmp_path / "other.npz")
    for name, size in (("mask.png", SIDE), ("large.png", SIDE * 2)):
        mask = Image.new("L", (size, size))
        mask.paste(255, (0, 0, size, size // 2))
        mask.save(tmp_path / name)
    Image.new("L", (SIDE, SIDE)).save(tmp_path / "black.png")
    Image.new("RGB", (60, 40), "tan").save(tmp_path / "photo.jpg")
    for name, by in (("five.json", 1), ("far.json", 100), ("dot.json", 0)):
        face = [[20, 15], [40, 15], [30, 22], [23, 30], [37, 30]]
        (tmp_path / name).write_text(json.dumps([[x * by, y * by] for x, y in face]), "utf-8")
    (tmp_path / "faces.onnx").write_bytes(yunet())
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes()[:200])
    (tmp_path / "broken.dragonnx").write_bytes(b"PK\3\4")
    return tmp_path


def one(folder: Path, **fields: Any) -> Job:
    """The job of a file that lies in the folder."""
    (found,) = read_jobs(write_jobs(folder / "jobs.jsonl", [fields]))
    return found


def test_a_job_of_its_own(folder: Path) -> None:
    found = one(folder, **job(4, id="a", mask="mask.png", truncation_psi=0.5, video="gif"))
    assert (found.id, found.formats.video, found.photo) == ("a", "gif", None)
    document = found.document
    assert (document.start.seed, document.start.truncation_psi) == (4, 0.5)
    assert document.pairs == (PointPair((9, 9), (20, 20)),)
    assert document.config == DragConfig(max_steps=2)
    assert document.mask is not None
    assert document.mask[: SIDE // 2].all()
    assert not document.mask[SIDE // 2 :].any()


@pytest.mark.parametrize("name", ["edit.dragonnx", "edit.png"])
def test_a_document_is_the_edit_and_fields_beside_it_override_it(folder: Path, name: str) -> None:
    as_it_is = one(folder, document=name).document
    assert (as_it_is.start.seed, as_it_is.pairs, as_it_is.config) == (3, EDIT.pairs, EDIT.config)
    other = one(folder, document=name, seed=8, config={"max_steps": 9}).document
    assert (other.start.seed, other.start.truncation_psi) == (8, 0.6)
    assert other.pairs == EDIT.pairs
    assert other.config == DragConfig(max_steps=9, r1=20)
    assert (other.mask is None) == (name == "edit.png")
    assert one(folder, document=name, points=[]).document.pairs == ()


def test_starts(folder: Path) -> None:
    latent = one(folder, document="edit.png", latent="start.npz").document
    assert latent.start.w_plus is not None
    assert latent.start.name == "start.npz"
    several = np.arange(2 * 8 * 6, dtype=np.float32).reshape(2, 8, 6)
    np.save(folder / "several.npy", several)
    second = one(folder, document="edit.png", latent="several.npy", index=1).document
    np.testing.assert_array_equal(second.start.w_plus, several[1:])
    photo = one(folder, document="edit.png", photo="photo.jpg", inversion_steps=3)
    assert photo.photo == folder / "photo.jpg"
    assert photo.inversion_steps == 3
    assert photo.document.pairs == EDIT.pairs


def test_faces_of_photos(folder: Path) -> None:
    start = {"model": str(SMALL), "photo": "photo.jpg"}
    written = one(folder, **start, align="face", landmarks="five.json")
    assert written.face == FaceSource(folder / "five.json", None, None)
    found = one(folder, **start, align="face", face_model="faces.onnx", face=2)
    assert found.face == FaceSource(None, folder / "faces.onnx", 2)
    assert one(folder, **start, align="none").face is None
    assert one(folder, **start, align="none").key == one(folder, **start).key
    largest = {**start, "align": "face", "face_model": "faces.onnx"}
    assert one(folder, **largest, face=1).key == one(folder, **largest).key
    (folder / "jobs.csv").write_text(
        f"model,photo,align,face_model,face\n{SMALL},photo.jpg,face,faces.onnx,2\n", "utf-8"
    )
    assert read_jobs(folder / "jobs.csv")[0].key == found.key


def test_a_photo_may_be_as_small_as_the_models_pictures(folder: Path) -> None:
    model = open_bundle(str(SMALL)).manifest
    for side, fits in ((16, True), (15, False)):
        Image.new("RGB", (side, side), "tan").save(folder / "tiny.png")
        maker = JobMaker(folder)
        facts = {"model": str(SMALL), "photo": "tiny.png"}
        with pytest.MonkeyPatch.context() as patch:
            bundle = replace(open_bundle(str(SMALL)), manifest=replace(model, image_size=(16, 16)))
            patch.setattr(maker, "_bundle", lambda _model, bundle=bundle: bundle)
            if fits:
                assert maker.make(facts, "a").photo == folder / "tiny.png"
                continue
            with pytest.raises(InputError, match="at least 16 x 16"):
                maker.make(facts, "a")


def test_paths_are_relative_to_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "models").symlink_to(SMALL.parent, target_is_directory=True)
    (folder / "inside").mkdir()
    path = write_jobs(
        folder / "inside" / "jobs.jsonl",
        [{"model": f"../models/{SMALL.name}", "latent": "../start.npz"}],
    )
    monkeypatch.chdir(folder)
    (found,) = read_jobs(Path("inside/jobs.jsonl"))
    assert found.bundle.manifest.image_size == (SIDE, SIDE)
    assert path.exists()


def test_csv_says_the_same(folder: Path) -> None:
    table = (
        "id,model,seed,points,mask,config.max_steps,config.windows,truncation_psi\n"
        f'a,{SMALL},4,"9,9:20,20",mask.png,2,FALSE,0.5\n'
        "\n"
        f'b,{SMALL},5,"9,9:20,20; 1,2:3,4.5",,,,\n'
    )
    (folder / "jobs.csv").write_text(f"\ufeff{table}", "utf-8")
    first, second = read_jobs(folder / "jobs.csv")
    points = [PAIR, {"handle": [1, 2], "target": [3, 4.5]}]
    config = {"max_steps": 2, "windows": False}
    lines = [
        job(4, id="a", mask="mask.png", truncation_psi=0.5) | {"config": config},
        {"id": "b", "model": str(SMALL), "seed": 5, "points": points},
    ]
    expected = read_jobs(write_jobs(folder / "jobs.jsonl", lines))
    assert [each.key for each in (first, second)] == [each.key for each in expected]


def test_classes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = open_bundle(str(SMALL))
    bundle = replace(bundle, manifest=replace(bundle.manifest, label_dim=4))
    monkeypatch.setattr("dragonnx.batch.making.open_bundle", lambda _model: bundle)
    weights = {0: 0.7, 3: 0.3}
    labels = [3, [0, 3], weights]
    lines = [job(1, id=f"a{n}", label=label) for n, label in enumerate(labels)]
    found = read_jobs(write_jobs(folder / "jobs.jsonl", lines))
    assert [each.document.start.label for each in found] == list(map(checked_label, labels))
    assert len({each.key for each in found}) == 3
    points = "9,9:20,20"
    rows = [
        f'a{n},{SMALL},1,"{cell}","{points}"' for n, cell in enumerate(("3", "0,3", "0:0.7,3:0.3"))
    ]
    (folder / "jobs.csv").write_text("\n".join(["id,model,seed,label,points", *rows]), "utf-8")
    assert [e.document.start.label for e in read_jobs(folder / "jobs.csv")] == [
        each.document.start.label for each in found
    ]
    for said, words in (
        ({}, "has 4 classes and needs a label from 0 to 3"),
        ({"label": 4}, "from 0 to 3, not 4"),
        ({"label": [0, 0]}, "names class 0 twice"),
        ({"label": {"0": 70}}, "a number from 0 to 1, not 70"),
        ({"label": "0,3"}, "must be a whole number"),
    ):
        with pytest.raises(JobFileError) as caught:
            one(folder, **job(1) | said)
        assert words in caught.value.lines[0]


def test_the_weight_of_a_mask_is_for_a_job_that_has_one(folder: Path) -> None:
    weighed = {"config": {"lambda_mask": 5}}
    one(folder, **job(1, mask="mask.png") | weighed)
    one(folder, **job(1) | {"config": {"lambda_mask": None}})
    with pytest.raises(JobFileError) as caught:
        one(folder, **job(1) | weighed)
    assert (
        "config.lambda_mask is the weight of a mask, which the job does not have"
        in (caught.value.lines[0])
    )
    document = one(folder, **job(1, mask="mask.png") | weighed).document
    save_document(document, folder / "masked.dragonnx")
    save_document(document.with_mask(None), folder / "bare.dragonnx")
    one(folder, document="masked.dragonnx", **weighed)
    assert one(folder, document="bare.dragonnx").document.config.lambda_mask == 5, (
        "as it carries it"
    )


def test_formats_of_a_job_go_before_those_of_all(folder: Path) -> None:
    fields = [
        {"points": []}, {}, {"format": "png"}, {"quality": 80}, {"format": "jpeg", "video": "webp"},
    ]  # fmt: skip
    path = write_jobs(folder / "jobs.jsonl", [job(1, id=f"a{n}") | f for n, f in enumerate(fields)])
    found = read_jobs(path, format="webp", quality=100, video="gif")
    assert [each.formats.files_of(each.id) for each in found] == [
        ["a0.webp"], ["a1.webp", "a1.gif"], ["a2.png", "a2.gif"], ["a3.webp", "a3.gif"],
        ["a4.jpg", "a4.webp"],
    ]  # fmt: skip
    assert [each.formats.quality for each in found] == [100, 100, None, 80, 100]
    assert one(folder, **job(1, format="png")).key == one(folder, **job(1)).key
    same = one(folder, **job(1, format="jpeg", quality=95)).key
    assert one(folder, **job(1, format="jpeg")).key == same


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"format": "jpg"}, "format must be png, jpeg or webp"),
        ({"quality": 90}, "a quality is for pictures that end in .jpg or .webp"),
        ({"format": "jpeg", "quality": 0}, "the quality must be"),
        ({"format": "webp", "video": "webp"}, "would have one name"),
    ],
)
def test_formats_of_all_that_cannot_be_are_refused(
    folder: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_jobs(write_jobs(folder / "jobs.jsonl", [job(1)]), **settings)


def test_names_come_from_the_line(folder: Path) -> None:
    path = folder / "jobs.jsonl"
    path.write_text(f"\n{json.dumps(job(1))}\r\n\n{json.dumps(job(2, id='mine'))}\n", "utf-8")
    assert [each.id for each in read_jobs(path)] == ["000002", "mine"]


def test_the_key_is_of_all_that_the_result_depends_on(folder: Path) -> None:
    base = job(1, id="a", mask="mask.png")
    keys = [
        one(folder, **fields).key
        for fields in (
            base,
            base | {"seed": 2},
            base | {"points": []},
            base | {"video": "gif"},
            base | {"format": "jpeg"},
            base | {"format": "jpeg", "quality": 80},
            base | {"format": "webp", "quality": 100},
            base | {"config": {"max_steps": 3}},
            base | {"mask": None},
            {"model": str(SMALL), "photo": "photo.jpg"},
            {"model": str(SMALL), "photo": "photo.jpg", "inversion_steps": 9},
            {"model": str(SMALL), "photo": "photo.jpg", "align": "face", "landmarks": "five.json"},
            {
                "model": str(SMALL),
                "photo": "photo.jpg",
                "align": "face",
                "face_model": "faces.onnx",
            },
            {
                "model": str(SMALL),
                "photo": "photo.jpg",
                "align": "face",
                "face_model": "faces.onnx",
                "face": 2,
            },
        )
    ]
    assert len(set(keys)) == len(keys)
    assert one(folder, **base | {"id": "b"}).key == keys[0]
    Image.new("L", (SIDE, SIDE), 255).save(folder / "mask.png")
    assert one(folder, **base).key != keys[0]


_NUMBERS = ("seed", "truncation_psi", "label", "inversion_steps")
_HUGE = 10**19
WRONG: list[Any] = [
    # no job
    "", "{", "[]", "7", "null", '"x"', "{} {}", '{"seed": 1,}', '{"seed": 1, "seed": 2}', "{'seed': 1}",
    b"\xff\xfe", "[" * 100, '{"seed": NaN}', '{"seed": 1e999}', '{"seed": ' + "9" * 30 + "}",
    {}, {"points": [PAIR]}, {"id": "a"}, {"seed": None}, job(1, seeds=2), job(1, **{"": 1}),
    job(1, outcome="done"),
    # ids
    *(job(1, id=name) for name in (
        "", ".", "..", "../x", "a/b", "a\\b", "/x", "C:x", "~", ".hidden", "-x", "a b", "é", "a.",
        "x" * 65, "con", "NUL.txt", "com1", "lpt9.x", "summary", "Contact-Sheet", "a\0", "a\n", 7, True,
        ["a"], {"a": 1},
    )),
    # the model
    *(job(1, model=name) for name in (
        "", "no-such-model", "./nowhere", "../", "edit.png", "https://example.org/model", 7, ["critters"],
        "x" * 5000, "a\0",
    )),
    # numbers
    *(job(1) | {name: value} for name in _NUMBERS for value in (
        "1", True, [1], {"a": 1}, -1e30, _HUGE, "1e3", "",
    )),
    *(job(value) for value in (1.5, -1, 2**32)),
    job(1, label=0),  # the model has no classes
    job(1, inversion_steps=5),  # it has no photo
    # one start
    *({"model": str(SMALL), **two} for two in (
        {"seed": 1, "latent": "start.npz"}, {"seed": 1, "photo": "photo.jpg"},
        {"latent": "start.npz", "photo": "photo.jpg"},
        {"latent": "start.npz", "index": 1}, {"seed": 1, "index": 0},
        {"latent": "start.npz", "index": "0"}, {"latent": "start.npz", "index": [0]},
        {"latent": "start.npz", "truncation_psi": 0.5}, {"latent": "start.npz", "label": 0},
        {"photo": "photo.jpg", "truncation_psi": 0.5}, {"photo": "photo.jpg", "inversion_steps": 0},
        {"photo": "photo.jpg", "inversion_steps": 1.5},
    )),
    # faces
    *(job(1) | said for said in ({"align": "face"}, {"landmarks": "five.json"}, {"face": 1})),
    *({"model": str(SMALL), "photo": "photo.jpg", **said} for said in (
        {"align": "face"}, {"align": "faces"}, {"align": True}, {"align": ["face"]},
        {"landmarks": "five.json"}, {"align": "none", "face_model": "faces.onnx"}, {"face": 1},
        {"align": "face", "landmarks": "five.json", "face_model": "faces.onnx"},
        {"align": "face", "landmarks": "five.json", "face": 1},
    )),
    *({"model": str(SMALL), "photo": "photo.jpg", "align": "face", "landmarks": value} for value in (
        "missing", "", ".", 7, ["five.json"], "a\0b", "photo.jpg", "far.json", "dot.json",
    )),
    *({"model": str(SMALL), "photo": "photo.jpg", "align": "face", "face_model": value} for value in (
        "missing", "", ".", 7, ["faces.onnx"], "a\0b", "photo.jpg", "five.json",
    )),
    *(
        {"model": str(SMALL), "photo": "photo.jpg", "align": "face", "face_model": "faces.onnx",
         "face": value} for value in (0, -1, 1.5, "1", True, _HUGE)
    ),
    # files
    *({"model": str(SMALL), name: value} for name in ("latent", "photo", "document") for value in (
        "missing", "", ".", "jobs.jsonl", 7, ["start.npz"], {"path": "x"}, "a\0b", "x" * 300, "x" * 5000,
        "broken.jpg", "broken.dragonnx", "other.npz", "mask.png" if name != "photo" else "black.npz",
    )),
    *(job(1, mask=value) for value in (
        "missing", "", ".", "jobs.jsonl", 7, ["mask.png"], "a\0b", "large.png", "black.png", "broken.jpg",
        "start.npz",
    )),
    # points
    *(job(1) | {"points": value} for value in (
        7, "9,9:20,20", {"handle": [1, 1]}, [7], [[1, 2]], [None], [{}], [{"handle": [1, 1]}],
        [{"target": [1, 1]}], [PAIR] * 1001,
    )),
    *(job(1) | {"points": [PAIR | {name: value}]} for name in ("handle", "target") for value in (
        None, 7, "1,2", [], [1], [1, 2, 3], [1, "2"], [True, 1], [1, None], [[1], 2], {"x": 1, "y": 2},
        [-1, 1], [1, -0.5], [SIDE, 1], [1, SIDE + 5], [1e300, 1], [_HUGE, 1],
    )),
    job(1) | {"points": [PAIR | {"origin": [1, 1]}]},
    # settings
    *(job(1) | {"config": value} for value in (7, [], "max_steps=1", {"steps": 1}, {"": 1})),
    *(job(1) | {"config": {name: value}} for name in SETTINGS for value in (
        "x", [1], {"a": 1}, -1, _HUGE * 10**20 if name == "step_size" else _HUGE,
    )),
    *(job(1) | {"config": {name: 0}} for name in ("step_size", "r1", "r2", "max_steps")),
    job(1) | {"config": {"trainable_layers": 900}},
    # formats
    *(job(1, format=value) for value in ("gif", "jpg", ".png", "PNG", "", 7, ["png"], {"a": 1}, True)),
    *(job(1, format=kind, quality=value) for kind in ("jpeg", "webp") for value in (
        0, 101, -1, 1.5, "90", True, [90], {"a": 1}, _HUGE,
    )),
    job(1, quality=90), job(1, format="png", quality=90), job(1, format="webp", video="webp"),
    # videos
    *(job(1, video=value) for value in ("avi", ".gif", "", 7, ["gif"], True)),
    {"model": str(SMALL), "seed": 1, "video": "gif"},
    # no field takes these
    *(job(1) | {name: value} for name in FIELDS for value in (
        True, [[]], [None], {"a": {}}, math.nan, math.inf, -math.inf,
    )),
    *(job(1) | {"config": {name: value}} for name in SETTINGS for value in (
        [[]], {"a": {}}, math.nan, math.inf, -math.inf,
    )),
    *(job(1) | {"points": [PAIR | {"target": [1, value]}]} for value in (math.nan, math.inf)),
]  # fmt: skip


def test_every_wrong_line_is_told_of_in_one_sentence(folder: Path) -> None:
    good = json.dumps(job(1)).encode()
    lines = []
    for wrong in WRONG:
        if wrong == "":
            continue  # an empty line is none
        line = json.dumps(wrong) if isinstance(wrong, dict) else wrong
        lines += [line if isinstance(line, bytes) else line.encode(), good]
    path = folder / "jobs.jsonl"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(JobFileError) as caught:
        read_jobs(path)
    told = caught.value.lines
    numbers = [int(line.removeprefix(f"{path}:").partition(":")[0]) for line in told]
    expected = list(range(1, len(lines), 2))
    assert sorted(set(expected) - set(numbers)) == [], [
        lines[n - 1] for n in set(expected) - set(numbers)
    ]
    assert numbers == expected
    for line in told:
        assert "\n" not in line
        assert "Traceback" not in line
    assert len(expected) >= 500
    assert f"{len(expected)} of {len(lines)} jobs" in str(caught.value)


def test_ids_that_clash_are_refused(folder: Path) -> None:
    path = write_jobs(folder / "jobs.jsonl", [job(1, id="Nose"), job(2, id="nose"), job(3)])
    with pytest.raises(JobFileError) as caught:
        read_jobs(path)
    assert caught.value.lines == [
        f"{path}:2: its id nose is that of line 1 too, or differs in capitals alone"
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("jobs.txt", b"{}", "ends in .jsonl or .ndjson or .csv"),
        ("jobs.jsonl", b"\n \n", "holds no job"),
        ("jobs.csv", b"", "names its columns"),
        ("jobs.csv", b"seed,colour\n1,red\n", "'colour' is none"),
        ("jobs.csv", b"seed,seed\n1,1\n", "names a column twice"),
        ("jobs.csv", b"seed\n\xff\n", "look at line 2"),
        ("jobs.csv", b"seed,model\n1\n", "2: it has 1 cells, and the first line names 2"),
        ("jobs.csv", b"seed\nnan\n", "2: seed must be a whole number"),
        ("jobs.csv", b"seed,config.r1\n1,1_0\n", "2: config.r1 must be a positive number"),
        ("jobs.csv", b"seed,points\n1,\"1,2\"\n", "2: a point is given as HANDLE:TARGET"),
        ("jobs.csv", b'seed\n"1"2\n', "2: "),
        ("jobs.csv", b'id,seed\n"a\nb",1\n', "2: id must be"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_jobs(tmp_path / name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), _values, max_size=5))
def test_whatever_a_program_says_is_taken_or_refused(said: dict[str, Any]) -> None:
    try:
        found = JobMaker(Path()).make({"model": str(SMALL), "seed": 1} | said, "000001")
    except DragonnxError as error:
        sentence = str(error)
    else:
        sentence = found.bundle.manifest.name
    assert sentence
    assert "\n" not in sentence


def test_the_schema_knows_what_jobs_may_say() -> None:
    """It is what editors go by; whether it says the right thing of each field is seen above."""
    found = schema()
    assert set(found["properties"]) == set(FIELDS)
    assert set(found["properties"]["config"]["properties"]) == set(SETTINGS)
    assert set(SETTINGS) == set(DragConfig.__dataclass_fields__)
    assert set(COLUMNS) == {*FIELDS, *(f"config.{name}" for name in SETTINGS)} - {"config"}
    assert json.loads(json.dumps(found)) == found
