"""Latents as people have them are read by one reader, whatever the file is; nothing in one runs."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import gzip
import io
import json
import pickle
import shutil
import tracemalloc
import types
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bundled import NUM_WS, SEED, W_DIM, Z_DIM
from support.pickle_files import Call, dumps, npy, torch_legacy, torch_zip, zipped

from dragonnx import (
    Document,
    DragonnxError,
    Generator,
    InputError,
    LatentStart,
    load_latent,
    save_document,
    save_latent,
)
from dragonnx.document.latent_file import read_latent
from dragonnx.document.outputs import output
from dragonnx.drag.mask import load_mask
from dragonnx.model.library import find_bundle

FIELD = Path(__file__).parents[1] / "fixtures" / "field" / "latents"
W_PLUS = np.random.default_rng(0).standard_normal((1, NUM_WS, W_DIM)).astype(np.float32)
W = W_PLUS[:, 0]
THREE = np.concatenate([W_PLUS, W_PLUS + 1, W_PLUS + 2])


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def read(generator: Generator, folder: Path, content: bytes, file: str = "file", index: int = 0):
    path = folder / file
    path.write_bytes(content)
    return load_latent(path, index=index, generator=generator)


def numbers_in(path: Path) -> np.ndarray:
    """The numbers of a file of the field, read in another way than by the program."""
    if path.suffix == ".pt":
        with zipfile.ZipFile(path) as archive:
            sizes = {m.filename: m.file_size for m in archive.infolist() if "/data/" in m.filename}
            largest = max(sizes, key=lambda member: sizes[member])
            return np.frombuffer(archive.read(largest), np.float32).reshape(-1, NUM_WS, W_DIM)
    loaded = np.load(path)
    return loaded if path.suffix == ".npy" else loaded[loaded.files[0]]


@pytest.mark.parametrize("path", sorted(FIELD.iterdir()), ids=lambda path: path.name)
def test_files_of_the_field(generator: Generator, path: Path) -> None:
    expected = numbers_in(path)
    for index in range(len(expected)):
        np.testing.assert_array_equal(
            load_latent(path, index=index, generator=generator)[0], expected[index]
        )
    with pytest.raises(InputError, match=f"there is no number {len(expected)}"):
        load_latent(path, index=len(expected), generator=generator)
    found = read_latent(path, generator=generator)
    assert bool(found.notes) == (len(expected) > 1)
    assert all(f"holds {len(expected)} latents" in note for note in found.notes)


ARRANGED: dict[str, Callable[[], Any]] = {
    "a tensor": lambda: W_PLUS,
    "without the first axis": lambda: W_PLUS[0],
    "four axes": lambda: W_PLUS[None],
    "PTI, JoJoGAN": lambda: {"latent": W_PLUS[0]},
    "rosinality's projector": lambda: {"p.png": {"img": np.ones((3, 8, 8)), "latent": W_PLUS[0]}},
    "an encoder's dict of pictures": lambda: {"image.png": W_PLUS[0]},
    "a list of tensors": lambda: {"latents": [W_PLUS]},
    "numbers in lists": lambda: {"w": W_PLUS.astype(float).tolist()},
    "Lightning": lambda: {
        "epoch": 3,
        "state_dict": {"model.latent": W_PLUS, "model.latent_avg": W_PLUS * 0},
        "hyper_parameters": Call("pytorch_lightning.utilities.parsing", "AttributeDict", ()),
        "optimizer_states": [{"state": {0: {"step": 1, "exp_avg": W_PLUS * 0}}}],
    },
    "double": lambda: W_PLUS.astype(np.float64),
}


@pytest.mark.parametrize("arranged", ARRANGED)
@pytest.mark.parametrize("save", [torch_zip, torch_legacy])
def test_what_other_tools_save(
    generator: Generator, tmp_path: Path, save: Callable[[Any], bytes], arranged: str
) -> None:
    np.testing.assert_array_equal(read(generator, tmp_path, save(ARRANGED[arranged]())), W_PLUS)


@pytest.mark.parametrize(
    "kept",
    [
        {"mean_girl.png": W_PLUS[0], "b.png": W_PLUS[0] + 1},
        {"z_01.png": W_PLUS[0], "b.png": W_PLUS[0] + 1},
        {"a.JPG": W_PLUS[0], "w_girl.jpg": W_PLUS[0] + 1},
        {"latents": {"avg_joe.webp": W_PLUS[0], "b.webp": W_PLUS[0] + 1}},
    ],
)
def test_the_name_of_a_picture_says_nothing_of_what_lies_there(
    generator: Generator, tmp_path: Path, kept: Any
) -> None:
    for index in range(2):
        found = read(generator, tmp_path, torch_zip(kept), index=index)
        np.testing.assert_array_equal(found, W_PLUS + index)


@pytest.mark.parametrize("above", [None, "latents"])
def test_a_w_of_each_picture(generator: Generator, tmp_path: Path, above: str | None) -> None:
    kept: Any = {"a.png": W_PLUS[:, 0], "b.png": W_PLUS[:, 1]}
    content = torch_zip(kept if above is None else {above: kept})
    expected = np.broadcast_to(W_PLUS[:, 1:2], W_PLUS.shape)
    np.testing.assert_array_equal(read(generator, tmp_path, content, index=1), expected)


BESIDE = {
    "dates": [datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), datetime.timedelta(3)],
    "counts": [collections.Counter("aab"), collections.deque([1, 2], 5)],
    "defaults": collections.defaultdict(list, a=[1]),
    "settings": types.SimpleNamespace(rate=0.1),
    "numbers": [decimal.Decimal("0.1"), fractions.Fraction(1, 3), 1j, range(3), bytearray(b"a")],
    "an id": uuid.UUID(int=7),
    "texts": np.array(["a.png", "b.png"]),
    "bytes": np.array([b"a"]),
    "times": np.array(["2020-01-02"], "M8[D]"),
    "a text": np.str_("a"),
}


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_values_that_are_no_latents_may_lie_beside_it(
    generator: Generator, tmp_path: Path, beside: str, protocol: int
) -> None:
    content = pickle.dumps({"latent": W_PLUS, "beside": BESIDE[beside]}, protocol)
    np.testing.assert_array_equal(read(generator, tmp_path, content), W_PLUS)


def test_a_pickle_of_numpy(generator: Generator, tmp_path: Path) -> None:
    for protocol in range(6):
        for kept in ({"dlatents": W_PLUS, "z": W_PLUS}, W_PLUS):
            content = pickle.dumps(kept, protocol)
            np.testing.assert_array_equal(read(generator, tmp_path, content), W_PLUS)


def test_numpys_file_of_a_dict(generator: Generator, tmp_path: Path) -> None:
    stream = io.BytesIO()
    kept = {"a.jpg": [W_PLUS[0], W_PLUS[0] + 1], "b.jpg": [W_PLUS[0] + 2]}
    np.save(stream, kept, allow_pickle=True)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read(generator, tmp_path, stream.getvalue(), index=1), W_PLUS + 1)
    np.testing.assert_array_equal(read(generator, tmp_path, npz(latents=kept), index=2), W_PLUS + 2)


def test_fewer_bits(generator: Generator, tmp_path: Path) -> None:
    half = W_PLUS.astype(np.float16)
    for content in (npy(half), npz(w=half), torch_zip(half)):
        np.testing.assert_array_equal(read(generator, tmp_path, content), half.astype(np.float32))
    upper = (W_PLUS.view(np.uint32) >> 16).astype(np.uint16)  # bfloat16, cut and not rounded
    expected = (upper.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(read(generator, tmp_path, torch_zip(upper)), expected)


@pytest.mark.parametrize("shape", [(W_DIM,), (1, W_DIM), (1, 1, W_DIM), (1, 1, 1, W_DIM)])
def test_one_w_goes_into_every_layer(generator: Generator, tmp_path: Path, shape: Any) -> None:
    expected = np.repeat(W[:, None], NUM_WS, axis=1)
    for content in (npy(W.reshape(shape)), npz(w=W.reshape(shape)), torch_zip(W.reshape(shape))):
        np.testing.assert_array_equal(read(generator, tmp_path, content), expected)


def test_rows_that_no_model_has_are_latents_of_one_w(generator: Generator, tmp_path: Path) -> None:
    for content in (npz(w=THREE[:, 0]), npy(THREE[:, 0]), npy(THREE[:, :1])):
        found = read(generator, tmp_path, content, index=1)
        np.testing.assert_array_equal(found[0], np.repeat(THREE[1, :1], NUM_WS, axis=0))
        with pytest.raises(InputError, match="holds 3 latents"):
            read(generator, tmp_path, content, index=3)


def test_a_vector_without_a_name_is_told(generator: Generator, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(npy(W))
    assert "taken as w, not as z" in read_latent(tmp_path / "a.npy", generator=generator).notes[0]
    (tmp_path / "a.npz").write_bytes(npz(w=W))
    assert read_latent(tmp_path / "a.npz", generator=generator).notes == ()


def test_of_several_names_the_one_that_says_most(generator: Generator, tmp_path: Path) -> None:
    content = npz(z=np.ones((1, Z_DIM)), latents=W_PLUS + 3, w=W, w_plus=W_PLUS, w_avg=W[0])
    np.testing.assert_array_equal(read(generator, tmp_path, content), W_PLUS)
    content = npz(w_plus=np.ones((1, 18, 512)), w=W)  # one w fits every model
    np.testing.assert_array_equal(read(generator, tmp_path, content)[0, 3], W[0])


@pytest.mark.parametrize(
    "shape", [(3, NUM_WS, W_DIM), (1, 3, NUM_WS, W_DIM), (3, 1, NUM_WS, W_DIM)]
)
def test_of_several_latents_one(
    generator: Generator, tmp_path: Path, shape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    content = torch_zip({"w": THREE.reshape(shape)})
    assert "holds 3 latents" not in caplog.text
    np.testing.assert_array_equal(read(generator, tmp_path, content, index=2), W_PLUS + 2)
    assert "holds 3 latents" in caplog.text
    for index in (3, -1, True, 1.5, "0"):
        with pytest.raises(InputError, match=r"there is no number 3|index must be a whole number"):
            read(generator, tmp_path, content, index=index)


def test_a_suffix_says_nothing(generator: Generator, tmp_path: Path) -> None:
    for file in ("a.png", "a.dragonnx", "a", "a.pt"):
        np.testing.assert_array_equal(read(generator, tmp_path, npy(W_PLUS), file), W_PLUS)


def test_a_picture_of_another_model_is_told_with_the_models_name(
    generator: Generator, tmp_path: Path
) -> None:
    start = LatentStart(w_plus=np.ones((1, 18, 512), np.float32))
    save_document(Document(model="/models/faces", start=start), tmp_path / "a.dragonnx")
    with pytest.raises(InputError, match="another model; it was made with the model /models/faces"):
        load_latent(tmp_path / "a.dragonnx", generator=generator)


def test_without_a_model_any_size_will_do(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(torch_zip({"latent": np.ones((18, 512), np.float32)}))
    assert load_latent(tmp_path / "a.pt").shape == (1, 18, 512)
    assert load_latent(tmp_path / "a.pt", 18, 512).shape == (1, 18, 512)
    with pytest.raises(InputError, match="18 w's of 512 numbers"):
        load_latent(tmp_path / "a.pt", 14, 512)
    (tmp_path / "w.npz").write_bytes(npz(w=W))
    assert load_latent(tmp_path / "w.npz").shape == (1, 1, W_DIM)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "of 1024 px": (
        lambda: torch_zip(np.ones((1, 18, W_DIM), np.float32)),
        r"w_plus of 18 w's of 192 numbers \(as one of 1024 px has\), and this model takes 14 w's of "
        r"192 \(as one of 256 px has\): it is of another model",
    ),
    "longer w's": (lambda: npy(np.ones((1, 512))), "a w of 512 numbers, and a w of this model has 192"),
    "w's in a row": (lambda: npy(np.ones((18, W_DIM))), r"shaped \[18, 1, 192\]"),
    "five axes": (lambda: npy(np.ones((1, 1, 1, NUM_WS, W_DIM))), "is expected"),
    "empty": (lambda: npy(np.ones((0, NUM_WS, W_DIM))), r"an array \[0, 14, 192\]"),
    "one number": (lambda: npy(np.array(1.0)), "is expected"),
    "z by its name": (lambda: npz(z=np.ones((1, W_DIM))), r"it holds z \(z\), and no w"),
    "z in a dict": (lambda: torch_zip({"z": np.ones((1, W_DIM))}), "holds z"),
    "z by its length": (lambda: npy(np.ones((1, Z_DIM))), "as this model's z has"),
    "NaN": (lambda: npy(np.full((1, NUM_WS, W_DIM), np.nan)), "not finite"),
    "beyond float32": (lambda: torch_zip(np.full((1, NUM_WS, W_DIM), 1e300)), "not finite"),
    "complex": (lambda: npy(W_PLUS + 1j), "type that cannot be used"),
    "texts": (lambda: npz(w=np.full((1, NUM_WS, W_DIM), "a")), "type that cannot be used"),
    "true and false": (lambda: npy(W_PLUS > 0), "type that cannot be used"),
    "no array": (lambda: torch_zip({"latent": None}), "no array of numbers"),
    "lists of other lengths": (
        lambda: dumps({"w": [[0.5] * W_DIM] * 13 + [[0.5]]}),
        "differ in length",
    ),
    "texts in lists": (lambda: dumps({"w": [[0.5] * (W_DIM - 1) + ["a"]]}), "something else"),
    "a checkpoint": (
        lambda: torch_zip({f"conv{n}.weight": np.ones((3, 3)) for n in range(20)}),
        "dragonnx-export",
    ),
    "an average": (lambda: npz(w_avg=W[0]), "holds no latent under a name"),
    "an archive of other things": (lambda: zipped({"a.txt": b"x"}), "no array of numbers"),
    "cut short": (lambda: torch_zip(W_PLUS)[:-700], "truncated or damaged"),
    "an archive cut short": (lambda: npz(w=W)[:-20], r"\.npz file that is cut short"),
    "the old form cut short": (lambda: torch_legacy(W_PLUS)[:-9], "end early"),
    "an array cut short": (lambda: npy(W_PLUS)[:-9], "another size than its shape takes: it is cut short"),
    "a lie of its size": (lambda: npy(np.ones(4)).replace(b"(4,)", b"(9e)"), "no array"),
    "nothing": (lambda: b"", "it is empty"),
    "text": (lambda: b"a latent", "unknown kind"),
    "a web page": (lambda: b"<!DOCTYPE html><html>", "a web page, .*from its direct address"),
    "a pointer": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "gzip": (lambda: gzip.compress(npy(W)), "a gzip archive, .*unpack it first"),
    "JSON": (lambda: json.dumps(W.tolist()).encode(), "a JSON document, and a latent comes as"),
    "a table of long rows": (
        lambda: b",".join([b"-1.234567890123456789e-01"] * 192) + b"\n",
        "a table of numbers as text, and a latent",
    ),
    "a table": (lambda: b"0.5,-1e-3,2\n1,2,3\n", "a table of numbers as text, and a latent"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, and a latent comes as"),
    "safetensors": (lambda: b"\x08\0\0\0\0\0\0\0{}      ", "a safetensors file, and a latent"),
    "ONNX": (lambda: b"\x08\x08\x12\x07pytorch" + bytes(99), "an ONNX model, and a latent"),
    "the oldest pickle, cut short": (lambda: pickle.dumps(W, 0)[:-40] + b".", "damaged"),
    "a program": (
        lambda: torch_zip({"latent": Call("os", "system", ("touch sprung",))}),
        r"it names 'os\.system', which plain data never need; nothing was run",
    ),
    "a program in an array": (
        lambda: npy(np.zeros(1)).replace(b"'<f8'", b"'|O' ")[:128]
        + dumps(Call("builtins", "eval", ("1",))),
        r"builtins\.eval",
    ),
    "a method of an object": (
        lambda: dumps(Call("torch.storage", "_load_from_bytes", (b"\x80\x02.",))) ,
        "no array of numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_latent_is_one_sentence(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make, expected = REFUSED[case]
    with pytest.raises(InputError, match=expected) as raised:
        read(generator, tmp_path, make())
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400
    assert "file" in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_says_z_holds_z(generator: Generator, tmp_path: Path) -> None:
    for file in ("z.npy", "seed40-z.pt", "Z_0.npz"):
        with pytest.raises(InputError, match="its name says that it holds z"):
            read(generator, tmp_path, npy(W), file)
    np.testing.assert_array_equal(read(generator, tmp_path, npy(W_PLUS), "w_of_z.npy"), W_PLUS)


def test_addresses_are_no_files(generator: Generator) -> None:
    with pytest.raises(InputError, match=r"^https://a\.b/c\.npy is an address, .*download it"):
        load_latent("https://a.b/c.npy", generator=generator)
    with pytest.raises(InputError, match=r"^the mask s3://a/b\.png is an address"):
        load_mask(Path("s3://a/b.png"), (256, 256))


@pytest.mark.parametrize("save", [torch_zip, torch_legacy])
def test_lists_of_single_ws(
    generator: Generator, tmp_path: Path, save: Callable[[Any], bytes]
) -> None:
    """Each is a latent; as many as the model has layers are one, as they are in one array."""
    ws = [W_PLUS[0, row] for row in range(NUM_WS)]
    for few in (ws[:3], {"w": ws[:3]}, [w[None] for w in ws[:3]], {0: ws[0], 1: ws[1], 2: ws[2]}):
        found = read(generator, tmp_path, save(few), index=2)
        np.testing.assert_array_equal(found, np.broadcast_to(ws[2], W_PLUS.shape))
        with pytest.raises(InputError, match="holds 3 latents"):
            read(generator, tmp_path, save(few), index=3)
    for whole in (ws, tuple(ws), {"latent": ws}):
        np.testing.assert_array_equal(read(generator, tmp_path, save(whole)), W_PLUS)


def test_files_that_cannot_be_read(generator: Generator, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_latent(tmp_path / "none.npz", generator=generator)
    with pytest.raises(InputError, match="it is a folder"):
        load_latent(tmp_path, generator=generator)


def test_memory_is_bounded_by_what_headers_say(generator: Generator, tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999), }"
    bare = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    large = Call(
        "torch._utils", "_rebuild_tensor_v2",
        (Call("torch.storage", "_load_from_bytes", (torch_zip(np.ones(1)),)), 0, (2**20, W_DIM), (0, 0),
         False, None),
    )  # fmt: skip
    tracemalloc.start()
    for content in (bare, zipped({"w.npy": bare}), dumps({"w": large}), dumps([large] * 5000)):
        with pytest.raises(DragonnxError):
            read(generator, tmp_path, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 2**20, "a few copies of a file of 1.5 MB, and what stands for its parts"


def test_a_large_file_is_refused_unread(generator: Generator, tmp_path: Path) -> None:
    with (tmp_path / "a.pt").open("wb") as file:
        file.write(torch_zip(W_PLUS))
        file.truncate(300 * 2**20)  # takes no room on the disk
    with pytest.raises(InputError, match="at most 256 MiB are read"):
        load_latent(tmp_path / "a.pt", generator=generator)


# --- what dragonnx wrote itself -------------------------------------------------------------------


def test_a_latent_survives_its_file(generator: Generator, tmp_path: Path) -> None:
    save_latent(W_PLUS, tmp_path / "latent.npz")
    np.testing.assert_array_equal(load_latent(tmp_path / "latent.npz", generator=generator), W_PLUS)
    assert [path.name for path in tmp_path.iterdir()] == ["latent.npz"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_with_its_recipe(
    generator: Generator, tmp_path: Path, dragged: Document, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    output("picture").write(dragged, generator, path)
    assert dragged.result is not None
    np.testing.assert_array_equal(load_latent(path, generator=generator), dragged.result.w_plus)
    np.testing.assert_array_equal(load_latent(path), dragged.result.w_plus)
    with pytest.raises(InputError, match="one latent, numbered from 0"):
        load_latent(path, index=1, generator=generator)


def test_a_document(generator: Generator, tmp_path: Path, dragged: Document) -> None:
    path = tmp_path / "a.dragonnx"
    seed = Document(start=LatentStart(seed=SEED, truncation_psi=0.4))
    for document, expected in (
        (dragged, dragged.result.w_plus if dragged.result else None),
        (seed, generator.w_plus(SEED, truncation_psi=0.4)),
        (seed.with_start(LatentStart(w_plus=W_PLUS)), W_PLUS),
    ):
        save_document(document, path)
        np.testing.assert_array_equal(load_latent(path, generator=generator), expected)
        np.testing.assert_array_equal(load_latent(path), expected)


def test_a_document_of_another_model(tmp_path: Path, dragged: Document) -> None:
    small = Generator.open(Path(__file__).parents[1] / "fixtures" / "bundle-v2", "cpu", threads=1)
    save_document(dragged, tmp_path / "a.dragonnx")
    with pytest.raises(InputError, match=r"14 w's of 192 .* this model takes 8 w's of 6"):
        load_latent(tmp_path / "a.dragonnx", generator=small)
    save_document(replace(dragged.at_start(), mask=None), tmp_path / "seed.dragonnx")
    with pytest.raises(InputError, match=f"seed {SEED} of the model critters and no latent"):
        load_latent(tmp_path / "seed.dragonnx", generator=small)


def test_a_seed_is_used_with_a_copy_of_its_model(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(find_bundle("critters"), copy)
    seed = Document(start=LatentStart(seed=SEED))
    save_document(seed, tmp_path / "seed.dragonnx")
    other = Generator.open(copy, "cpu", threads=1)
    found = load_latent(tmp_path / "seed.dragonnx", generator=other)
    np.testing.assert_array_equal(found, other.w_plus(SEED))


def test_a_picture_without_a_recipe(generator: Generator) -> None:
    with pytest.raises(InputError, match="without a recipe; `dragonnx invert`"):
        load_latent(Path(__file__).parents[2] / "docs" / "drag.png", generator=generator)
