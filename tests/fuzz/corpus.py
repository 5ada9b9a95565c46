"""Valid files for every reader, made when they are asked for, and how each is changed."""

from __future__ import annotations

import functools
import io
import json
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from types import MappingProxyType

import numpy as np
from fuzz.cases import Case, mutated_file, mutated_folder, with_right_sums
from fuzz.mutate_zip import zipped
from fuzz.readers import FIXTURES, KEY, NUM_WS, SIDE, W_DIM, small_drag
from PIL import Image, ImageCms, features
from support.face_models import insightface, yunet
from support.pickle_files import dumps, tensor, torch_legacy, torch_zip

from dragonnx.document import Document, DragResult, LatentStart, save_document
from dragonnx.document.paused import PausedDrag
from dragonnx.document.recipe import recipe_of
from dragonnx.document.start import Along
from dragonnx.drag.adam import Adam
from dragonnx.inversion.progress import Progress
from dragonnx.media import save_image
from dragonnx.model.facts import FileRecord
from dragonnx.model.latent import save_latent
from dragonnx.model.motion import Motion
from dragonnx.tui.preferences import Preferences

Files = dict[str, bytes]
MakeCase = Callable[[Random], Case]

_OTHER_FORMATS = {
    "EPS": "RGB", "PDF": "RGB", "PPM": "RGB", "TGA": "RGB", "ICO": "RGB", "ICNS": "RGBA", "PCX": "RGB",
    "SGI": "RGB", "DDS": "RGB", "MSP": "1", "XBM": "1", "SPIDER": "F",
}  # fmt: skip
"""That Pillow can write, and in which mode; what no photo comes as is refused."""


def cases_of(reader: str) -> MakeCase:
    """What gives the cases of a reader, of random numbers."""
    return _MAKERS[reader]()


def valid_case(reader: str) -> Case:
    """A valid input of a reader, the one that needs most."""
    return _VALID[reader]()


def _single(files: Mapping[str, bytes]) -> MakeCase:
    names = sorted(files)

    def make(random: Random) -> Case:
        name = random.choice(names)
        return mutated_file(random, name, files[name])

    return make


def _folders(folders: list[Files]) -> MakeCase:
    return lambda random: mutated_folder(random, random.choice(folders), with_right_sums)


# --- pictures -----------------------------------------------------------------------------------


@functools.cache
def _colours(width: int = 48, height: int = 40) -> Image.Image:
    x, y = np.meshgrid(np.linspace(20, 230, width), np.linspace(20, 230, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], 2).astype(np.uint8))


def _saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **settings)
    return stream.getvalue()


def _heic(picture: Image.Image) -> Files:
    """A photo as telephones store it, where the library is installed."""
    try:
        import pillow_heif
    except ImportError:
        return {}
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, format="HEIF")
    return {"p.heic": stream.getvalue()}


def _pictures() -> Files:
    """Photos of every format and kind, and what only looks like one."""
    colours = _colours()
    grey16 = Image.fromarray(np.linspace(0, 65535, 48 * 40).reshape(40, 48).astype(np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    moving = {"save_all": True, "append_images": [colours.rotate(90), colours.rotate(180)]}
    clear = colours.convert("RGBA")
    clear.putalpha(128)
    files = {
        "colours.png": _saved(colours, "PNG", exif=exif),
        "grey16.png": _saved(grey16, "PNG"),
        "palette.png": _saved(colours.convert("P"), "PNG", transparency=3),
        "clear.png": _saved(clear, "PNG"),
        "moving.png": _saved(colours, "PNG", **moving),
        "p.jpg": _saved(colours, "JPEG", exif=exif, icc_profile=profile),
        "progressive.jpeg": _saved(colours, "JPEG", progressive=True),
        "ink.jpg": _saved(colours.convert("CMYK"), "JPEG"),
        "p.webp": _saved(colours, "WEBP", exif=exif),
        "lossless.webp": _saved(clear, "WEBP", lossless=True),
        "moving.webp": _saved(colours, "WEBP", **moving),
        "p.tif": _saved(colours, "TIFF", compression="tiff_lzw"),
        "pages.tiff": _saved(colours, "TIFF", compression="tiff_deflate", **moving),
        "grey16.tif": _saved(grey16, "TIFF"),
        "real.tif": _saved(grey16.convert("F"), "TIFF"),
        "fax.tif": _saved(colours.convert("1"), "TIFF", compression="group4"),
        "p.gif": _saved(colours, "GIF"),
        "moving.gif": _saved(colours, "GIF", **moving),
        "p.bmp": _saved(colours, "BMP"),
        "palette.bmp": _saved(colours.convert("P"), "BMP"),
        **({"p.avif": _saved(colours, "AVIF")} if features.check("avif") else {}),
        **_heic(colours),
    }
    others = {
        f"{kind.lower()}.jpg": _saved(colours.convert(mode), kind)
        for kind, mode in _OTHER_FORMATS.items()
    }
    return {**files, **others}


def _masks() -> Files:
    grey = np.zeros((SIDE, SIDE), np.uint8)
    grey[8:20] = 255
    mask = Image.fromarray(grey)
    return {
        "mask.png": _saved(mask, "PNG"),
        "bits.png": _saved(mask.convert("1"), "PNG"),
        "colours.png": _saved(mask.convert("RGB"), "PNG"),
        "mask.jpg": _saved(mask, "JPEG"),
        "mask.gif": _saved(mask, "GIF"),
        "mask.bmp": _saved(mask, "BMP"),
        "mask.tif": _saved(mask, "TIFF", compression="packbits"),
        "mask.webp": _saved(mask, "WEBP", lossless=True),
        "mask.pbm": _saved(mask.convert("1"), "PPM"),
    }


def _landmark_files() -> Files:
    points = [(10.5, 20.0), (50.25, 21.0), (30.0, 40.0), (15.0, 60.0), (45.0, 61.5)]
    many = [(float(n % 9), float(n)) for n in range(68)]
    lines = "".join(f"{x} {y}\n" for x, y in many)
    return {
        "five.json": json.dumps(points).encode(),
        "many.json": json.dumps(many).encode(),
        "five.csv": b"x,y\n" + "".join(f"{x},{y}\n" for x, y in points).encode(),
        "many.txt": lines.encode(),
        "many.pts": f"version: 1\nn_points: 68\n{{\n{lines}}}\n".encode(),
    }


def _face_models() -> Files:
    """Of small pictures, in which all that is red is a face."""
    return {
        "yunet.onnx": yunet((64, 96), strides=(8, 32)),
        "scrfd.onnx": insightface((64, 64)),
        "batch.onnx": insightface((64, 64), levels=3, batched=True),
    }


def _masks_of_photo() -> MakeCase:
    """A mask beside the photo that it belongs to."""
    picture = _colours(SIDE, SIDE)
    make = _single(_masks())

    def with_photo(random: Random) -> Case:
        case = make(random)
        return Case({**case.files, "photo.png": _saved(picture, "PNG")}, case.opened)

    return with_photo


# --- documents, latents, progress -----------------------------------------------------------------


@functools.cache
def _documents() -> tuple[Document, ...]:
    """A new one, one with all that a document may have, and one of a latent."""
    random = np.random.default_rng(0)
    latents = random.standard_normal((2, NUM_WS, W_DIM)).astype(np.float32)
    mask = np.ones((SIDE, SIDE), bool)
    mask[:8] = False
    plain = Document(start=LatentStart(seed=3, truncation_psi=0.5))
    way = Along("d.npy", 1.5, latents[1:])
    moved = LatentStart(seed=4, directions=(way,), motion=Motion(30, (2, -1)))
    pointed = replace(plain, start=moved).with_point((9.0, 9.5)).with_point((20.0, 12.0))
    moments = random.standard_normal((1, 2, W_DIM)) ** 2
    paused = PausedDrag(
        "ab", ("motion", "mask"), "cpu", moments, moments, np.full((1, 2), 0.25), np.ones(1)
    )
    trace = np.array([[[9.0, 9.5]], [[11.0, 10.0]]])
    result = DragResult(
        latents, trace, np.array([[20.0, 12.0]]), np.array([0.5]), 1.5, "paused",
        {"preset": "paper", "r1": 3.0}, True, "cpu", "float32", paused,
    )  # fmt: skip
    start = LatentStart(w_plus=latents[:1], name="latent.npz")
    pointed = pointed.with_mask(mask).with_result(result)
    return plain, pointed, Document(model="./models/cats", start=start)


def _written(name: str, write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _timeless(archive: bytes) -> bytes:
    """An archive without when it was made and what took how long: a seed gives the same files."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    if "seconds.npy" in members:
        seconds = io.BytesIO()
        np.save(seconds, np.ones_like(np.load(io.BytesIO(members["seconds.npy"]))))
        members["seconds.npy"] = seconds.getvalue()
    return zipped(list(members.items()))


def _document_files() -> Files:
    picture = _saved(_colours(), "PNG")
    files = {
        f"{number}.dragonnx": _timeless(
            _written("d.dragonnx", lambda path, d=document: save_document(d, path, picture))
        )
        for number, document in enumerate(_documents())
    }
    return {**files, "old.dragonnx": (FIXTURES / "v0" / "dragged.dragonnx").read_bytes()}


def _recipe_files() -> Files:
    recipes = [recipe_of(document) for document in _documents()]
    recipes += [json.loads(path.read_text()) for path in sorted((FIXTURES / "v0").glob("*.json"))]
    # The further segments of a JPEG are of interest, not what is in a long recipe.
    recipes.append({**recipes[0], "members": {"start_w_plus.npy": "QUJD" * 40_000}})
    return {
        f"{number}{suffix}": _written(
            f"p{suffix}", lambda path, r=recipe: save_image(_colours(), path, r)
        )
        for number, recipe in enumerate(recipes)
        for suffix in (".png", ".jpg", ".webp")
    }


def _latent_files() -> Files:
    w_plus = np.random.default_rng(0).standard_normal((1, NUM_WS, W_DIM)).astype(np.float32)
    projector, packed = io.BytesIO(), io.BytesIO()
    np.savez(projector, w=w_plus[:, 0])
    np.savez_compressed(packed, w_plus=w_plus.astype(np.float64), more=np.arange(3))
    several, bare, kept = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(several, dlatents=np.concatenate([w_plus, w_plus]), z=w_plus[0], name=np.array("a"))
    np.save(bare, w_plus)
    np.save(kept, {"a.png": [w_plus[0], w_plus[0]]}, allow_pickle=True)  # type: ignore[arg-type]
    projected = {"a.png": {"img": np.ones((3, 4, 4), np.float32), "latent": w_plus[0]}}
    trained = {"state_dict": {"latent": w_plus[:, :1]}, "epoch": 1, "latent_avg": w_plus[0, 0]}
    return {
        "latent.npz": _written("l.npz", lambda path: save_latent(w_plus, path)),
        "projector.npz": projector.getvalue(),
        "packed.npz": packed.getvalue(),
        "several.npz": several.getvalue(),
        "bare.npy": bare.getvalue(),
        "dict.npy": kept.getvalue(),
        "tensor.pt": torch_zip(w_plus.astype(np.float16)),
        "projected.pt": torch_zip(projected),
        "trained.ckpt": torch_legacy(trained),
        "lists.pkl": dumps({"w": w_plus[0].astype(float).tolist()}),
        "array.pkl": pickle.dumps({"ws": [w_plus, w_plus.astype(">f8")]}, 4),
        "oldest.pkl": pickle.dumps({"ws": w_plus}, 0),
        "rows.pkl": pickle.dumps([w_plus[0, 0], w_plus[0, 1], functools.partial(int)], 2),
        "nested.pkl": dumps([tensor(w_plus), tensor(w_plus[0].astype(np.float64))]),
    }


def _inversion_files() -> Files:
    values = np.random.default_rng(0).standard_normal((4, NUM_WS, W_DIM))
    progress = Progress(
        values[0], Adam(0.1, 5, values[1], np.abs(values[2])), 5, 0.5, 20.0, values[3], 0.4, 21.0,
        np.ones((1, 3, 8, 8), np.float32),
    )  # fmt: skip
    return {"inversion.npz": _written("p.npz", lambda path: progress.save(path, KEY))}


def _drag_files() -> Files:
    session = small_drag()
    files = {}
    for steps in range(3):
        if steps:
            next(session)
        files[f"{steps}.npz"] = _timeless(_written("d.npz", session.save))
    return dict(reversed(files.items()))


def _any_files() -> MakeCase:
    """Files of every kind, sometimes with the suffix of another."""
    kinds = [_pictures(), _masks(), _document_files(), _recipe_files(), _latent_files()]
    suffixes = (".png", ".jpg", ".dragonnx", ".npz", ".pt", ".tif", ".eps", ".gif", ".pdf", "")

    def make(random: Random) -> Case:
        files = random.choice(kinds)
        name = random.choice(sorted(files))
        other = name if random.random() < 0.7 else f"other{random.choice(suffixes)}"
        return mutated_file(random, other, files[name])

    return make


# --- folders --------------------------------------------------------------------------------------


def folder_files(folder: Path) -> Files:
    """The files of a folder by their names."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _bundles() -> list[Files]:
    newer, older = (folder_files(FIXTURES / f"bundle-v{version}") for version in (2, 1))
    return [newer, _tuned(newer), older]


def _tuned(files: Files) -> Files:
    """A bundle with a map by which points are followed, and settings for a preset."""
    facts = json.loads(files["manifest.json"])
    stream = io.BytesIO()
    np.save(stream, np.ones((2, facts["feature_map"]["channels"], 3, 3), np.float32))
    facts["files"]["tracking.npy"] = vars(FileRecord.of(stream.getvalue()))
    facts["drag_settings"]["best.r1"] = 10
    return {
        **files,
        "tracking.npy": stream.getvalue(),
        "manifest.json": json.dumps(facts).encode(),
    }


def _manifests() -> MakeCase:
    """Folders of which the manifest alone is changed."""
    bundles = _bundles()

    def make(random: Random) -> Case:
        files = random.choice(bundles)
        manifest = mutated_file(random, "manifest.json", files["manifest.json"])
        changed = {**files, "manifest.json": manifest.files.get("manifest.json", b"")}
        if random.random() < 0.7:
            with_right_sums(changed)
        return Case({f"model/{name}": content for name, content in changed.items()}, "model")

    return make


@functools.cache
def _job_files() -> Files:
    """Files of jobs that name no file but the small model's folder."""
    model = str(FIXTURES / "bundle-v2")
    points = [{"handle": [9, 9], "target": [20, 20.5]}]
    job = {"id": "a", "model": model, "seed": 1, "truncation_psi": 0.5, "points": points,
           "config": {"max_steps": 3, "r1": 4.5, "space": "w"}, "video": "gif"}  # fmt: skip
    table = f'id,model,seed,points,config.r1\na,{model},1,"9,9:20,20;1,1:2,2",3\nb,{model},2,,\n'
    return {
        "one.jsonl": json.dumps(job).encode(),
        "two.jsonl": b"".join(json.dumps(job | {"id": name}).encode() + b"\n" for name in "ab"),
        "table.csv": table.encode(),
    }


def _preferences_files() -> Files:
    chosen = Preferences({"drag": "space,g"}, "nord", "half", "float32", hint_seen=True)
    facts = {name: value for name, value in vars(chosen).items() if name != "is_whole"}
    return {"editor.json": json.dumps(facts).encode()}


def _recovery_folders() -> MakeCase:
    """The files of two editors that were killed, documents and notes."""
    files: Files = {}
    for number, content in enumerate(_document_files().values()):
        files[f"{number:032x}.dragonnx"] = content
        files[f"{number:032x}.json"] = json.dumps({"saved_as": "/somewhere/a.dragonnx"}).encode()
    return lambda random: mutated_folder(random, files, lambda changed: None)


def _fixture(name: str) -> Callable[[], Case]:
    def make() -> Case:
        files = folder_files(FIXTURES / name)
        return Case({f"model/{file}": content for file, content in files.items()}, "model")

    return make


def _first(files: Callable[[], Files]) -> Callable[[], Case]:
    """The first of the files, as a case."""

    def make() -> Case:
        name, content = next(iter(files().items()))
        return Case({name: content}, name)

    return make


def _valid_mask_of_photo() -> Case:
    return Case(
        {"mask.png": _masks()["mask.png"], "photo.png": _saved(_colours(SIDE, SIDE), "PNG")},
        "mask.png",
    )


def _valid_recovery() -> Case:
    content = next(iter(_document_files().values()))
    return Case({"state/a.dragonnx": content, "state/a.json": b'{"saved_as": null}'}, "state")


_MAKERS: Mapping[str, Callable[[], MakeCase]] = MappingProxyType(
    {
        "photo": lambda: _single(_pictures()),
        "mask-of-photo": _masks_of_photo,
        "mask": lambda: _single(_masks()),
        "landmarks": lambda: _single(_landmark_files()),
        "face-model": lambda: _single(_face_models()),
        "recipe": lambda: _single(_recipe_files()),
        "document": lambda: _single(_document_files()),
        "latent": lambda: _single(_latent_files()),
        "inversion": lambda: _single(_inversion_files()),
        "drag": lambda: _single(_drag_files()),
        "any-file": _any_files,
        "manifest": _manifests,
        "generator": lambda: _folders(_bundles()),
        "perceptual": lambda: _folders([folder_files(FIXTURES / "perceptual-v1")]),
        "preferences": lambda: _single(_preferences_files()),
        "jobs": lambda: _single(_job_files()),
        "recovery": _recovery_folders,
        "info": _manifests,
        "models": _manifests,
    }
)
_VALID: Mapping[str, Callable[[], Case]] = MappingProxyType(
    {
        "photo": _first(_pictures),
        "mask-of-photo": _valid_mask_of_photo,
        "mask": _first(_masks),
        "landmarks": _first(_landmark_files),
        "face-model": _first(_face_models),
        "recipe": _first(_recipe_files),
        "document": _first(_document_files),
        "latent": _first(_latent_files),
        "inversion": _first(_inversion_files),
        "drag": _first(_drag_files),
        "any-file": _first(_document_files),
        "manifest": _fixture("bundle-v2"),
        "generator": _fixture("bundle-v2"),
        "perceptual": _fixture("perceptual-v1"),
        "preferences": _first(_preferences_files),
        "jobs": _first(_job_files),
        "recovery": _valid_recovery,
        "info": _fixture("bundle-v2"),
        "models": _fixture("bundle-v2"),
    }
)
