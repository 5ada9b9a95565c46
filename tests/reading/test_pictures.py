"""Opening pictures: which formats, which files, how large; every failure is one sentence."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.pictures import file_of, jpeg_of_scans, photograph, png, png_rows, tiff

from dragonnx.drag.mask import is_mask, load_mask, mask_of_png
from dragonnx.errors import InputError
from dragonnx.inversion.photo import load_photo
from dragonnx.media import read_recipe
from dragonnx.reading.pictures import FORMATS, read_picture

ROOT = Path(__file__).parents[2]
LIMIT = "DRAGONNX_MAX_MEGAPIXELS"
LOSSLESS = {
    "PNG": {},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
    "PPM": {},
    "WEBP": {"lossless": True},
}
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n%%EndComments\nshowpage\n%%EOF\n"


def refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        read_picture(content, "the photo")
    assert "\n" not in str(refusal.value)


# --- formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_told_by_its_content(tmp_path: Path, kind: str) -> None:
    (tmp_path / "p.txt").write_bytes(file_of(photograph(), kind, **LOSSLESS.get(kind, {})))
    picture = read_picture(tmp_path / "p.txt", "the photo")
    assert picture.format == kind
    difference = np.asarray(picture.convert("RGB"), float) - np.asarray(photograph(), float)
    # What AVIF, GIF and JPEG leave out of this smooth picture is a few levels.
    assert np.abs(difference).mean() <= (0 if kind in LOSSLESS else 5)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (EPS, "is a PostScript program"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), "is a PostScript program"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"8BPS\0\x01" + bytes(30), "is a Photoshop document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG drawing"),
        (file_of(photograph(), "JPEG2000"), "is a JPEG 2000 picture"),
        (file_of(photograph(32, 32), "ICO"), "is no picture"),
        (file_of(photograph(), "TGA"), "is no picture"),
        (file_of(photograph(), "DDS"), "is no picture"),
        (b"P7 332\nplain text", "is no picture"),
        (b"", "is no picture"),
    ],
)
def test_other_formats_are_named_and_refused(content: bytes, found: str) -> None:
    refused(content, f"the photo {found}.* that can be read: save it as PNG, JPEG, ")


@pytest.mark.parametrize(
    "read",
    [
        load_photo,
        lambda path: load_mask(path, (90, 90)),
        read_recipe,
        is_mask,
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the program that would be started is a shell's")
def test_no_picture_starts_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object]
) -> None:
    from PIL import EpsImagePlugin

    (tmp_path / "holiday.jpg").write_bytes(EPS)
    for name in ("gs", "gswin64c"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # where an earlier test looked for it
    try:
        read(tmp_path / "holiday.jpg")
    except InputError as error:
        assert "PostScript" in str(error)  # noqa: PT017 one of the readers only says no
    assert not (tmp_path / "started").exists()
    with Image.open(tmp_path / "holiday.jpg") as picture, pytest.raises(OSError, match=r"."):
        picture.load()
    assert (tmp_path / "started").exists(), "Pillow itself would have"


def test_nothing_else_opens_pictures() -> None:
    """`ruff` refuses the name `PIL.Image.open`; this also finds it under other names."""
    for path in [*(ROOT / "python").rglob("*.py"), *(ROOT / "export").rglob("*.py")]:
        code = path.read_text()
        for node in ast.walk(ast.parse(code)) if "PIL" in code else ():
            if isinstance(node, ast.Attribute) and node.attr == "open":
                assert ast.unparse(node.value) not in ("Image", "PIL.Image"), path
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PIL"):
                names = {alias.name for alias in node.names}
                assert "open" not in names, path
                assert not any("ImagePlugin" in name for name in names), path


def test_the_preview_of_a_raw_photo_is_no_photo() -> None:
    """Cameras' raw files are TIFFs, whose first picture may be a preview of 160 x 120 pixels."""
    content = file_of(photograph(), "TIFF", tiffinfo={254: 1})
    for source in (content, Image.open(BytesIO(content))):
        with pytest.raises(
            InputError, match="is a camera's raw file, of which only a small preview"
        ):
            read_picture(source, "the photo")


# --- files ------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="there are no such files there")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "p.png"
    os.mkfifo(pipe)
    for read in (load_photo, read_recipe, lambda path: load_mask(path, (9, 9))):
        with pytest.raises(InputError, match="it is no file but a pipe"):
            read(pipe)
    assert not is_mask(pipe)
    with pytest.raises(InputError, match="it is no file but a pipe, a device"):
        load_photo("/dev/zero")


def test_a_file_without_end_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "p.png").open("wb") as file:
        file.write(file_of(photograph(), "PNG"))
        file.truncate(2**40)
    with pytest.raises(InputError, match="too large: it has 1048576"):
        load_photo(tmp_path / "p.png")


# --- sizes ------------------------------------------------------------------------------------


def test_the_size_is_looked_at_before_memory_is_taken() -> None:
    advice = f"set {LIMIT}=10000 where it may take 80.0 GB of memory"
    refused(png(100_000, 100_000), f"more pixels than any camera's, 100000 x 100000: .*{advice}")
    huge = tiff({256: (70_000,), 257: (70_000,), 258: (8,), 259: (1,), 262: (1,), 273: (8,)})
    refused(huge, "more pixels than any camera's, 70000 x 70000")
    refused(png(2**31 - 1, 1), "2147483647 x 1 pixels; at most 1000000 are read of a side")
    refused(b"BM" + bytes(8) + bytes([54, 0, 0, 0, 40, 0, 0, 0]) + b"\xff\xff\0\0" * 2
            + b"\x01\0\x18\0" + bytes(24), "65535 x 65535")  # fmt: skip
    with pytest.raises(InputError, match="the mask is 8193 x 1 pixels, and no image is larger"):
        mask_of_png(png(8193, 1))


def test_the_limit_can_be_lowered_and_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(photograph(1000, 1000), "PNG")
    monkeypatch.setenv(LIMIT, "0.9")
    refused(
        content, f"more pixels than {LIMIT} allows, 1000 x 1000: .*{LIMIT}=1 where it may take 0.0"
    )
    monkeypatch.setenv(LIMIT, "1")
    read_picture(content, "the photo")
    monkeypatch.setenv(LIMIT, "11000")
    refused(png(100_000, 100_000), "cannot be read")
    for nonsense in ("many", "nan", "inf", "-3", "0"):
        monkeypatch.setenv(LIMIT, nonsense)
        refused(content, f"{LIMIT} must be a")


@pytest.mark.parametrize(
    ("content", "bytes_a_pixel"),
    [
        (file_of(photograph(1000, 1000), "WEBP"), 20),
        (file_of(photograph(1000, 1000), "AVIF"), 20),
        (file_of(photograph(1000, 1000), "JPEG", progressive=True, subsampling=0), 10),
        (file_of(photograph(1000, 1000).convert("CMYK"), "JPEG", progressive=True), 12),
        (tiff({256: (1000,), 257: (1000,), 258: (8,), 259: (5,), 262: (1,), 322: (2**12,), 323: (2**12,),
               324: (8,), 325: (9,)}, bytes(9)), 84),
    ],
    ids=["WebP", "AVIF", "progressive", "CMYK", "tiles beyond the picture"],
)  # fmt: skip
def test_decoders_that_take_more_memory_read_fewer_pixels(
    monkeypatch: pytest.MonkeyPatch, content: bytes, bytes_a_pixel: int
) -> None:
    monkeypatch.setenv(LIMIT, str(bytes_a_pixel / 8 * 0.95))
    refused(content, f"takes more memory to read than others of 1000 x 1000 .*{LIMIT}=")
    monkeypatch.setenv(LIMIT, str(bytes_a_pixel / 8 * 1.05))
    if bytes_a_pixel < 80:
        read_picture(content, "the photo")
    else:
        refused(content, "cannot be read")  # its tile is no picture, but it is tried


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"WEBP"}))
def test_pillows_own_limit_is_neither_used_nor_changed(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It is the process's, and tells by warnings. (The class for WebP looks at it all the same.)"""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_picture(file_of(photograph(), kind), "the photo")
    assert Image.MAX_IMAGE_PIXELS == 1000


# --- what a file holds beside its pixels --------------------------------------------------------


def test_what_lies_beside_the_pixels_is_bounded() -> None:
    large = bytes(12 * 2**20)
    for parts in ({"before": [(b"abCd", large)] * 3}, {"after": [(b"abCd", large)] * 3}):
        refused(png(64, 64, pixels=bytes(64 * 193), **parts), "more beside its pixels")
    read_picture(png(64, 64, pixels=bytes(64 * 193), after=[(b"abCd", large)]), "the photo")
    refused(png(64, 64, before=[(b"abCd", b"")] * 600_000), "more beside its pixels")
    webp = file_of(photograph(), "WEBP")
    more = b"XMP " + len(large).to_bytes(4, "little") + large
    refused(webp + more * 3, "more beside its pixels")
    read_picture(webp + more, "the photo")
    jpeg = file_of(photograph(), "JPEG")
    segment = b"\xff\xe5\xff\xff" + bytes(65533)
    refused(jpeg[:2] + segment * 600 + jpeg[2:], "more beside its pixels")
    refused(jpeg[:20] + bytes(2**20) + jpeg[20:], "more beside its pixels")  # read byte by byte


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_texts_and_profiles_do_not_explode(kind: bytes) -> None:
    bomb = zlib.compress(bytes(20 * 2**20), 1)
    name = b"k\0\x01\0\0\0" if kind == b"iTXt" else b"k\0\0"
    refused(png(64, 64, pixels=bytes(64 * 193), before=[(kind, name + bomb)]), "cannot be read")


def test_texts_named_like_facts_of_the_picture_are_texts() -> None:
    names = (b"transparency", b"icc_profile", b"exif", b"xmp", b"Raw profile type exif", b"gamma")
    texts = [(b"tEXt", name + b"\0nonsense") for name in names]
    content = png(80, 60, pixels=png_rows(np.asarray(photograph())), before=texts)
    photo = load_photo(content)
    assert photo.weights is None
    assert np.array_equal(photo.picture, photograph())


def test_a_list_of_a_tiff_is_bounded() -> None:
    tags = {256: (64,), 257: (64,), 258: (8,), 259: (1,), 262: (1,), 273: (8, 8)}
    refused(tiff(tags, bytes(4096), declared=2_000_000), "a list of 2000000 numbers")


def test_a_jpeg_that_goes_over_its_pixels_without_end_is_refused() -> None:
    began = time.process_time()
    refused(jpeg_of_scans(10_000, 3000), "more than 100 scans")
    assert time.process_time() - began < 2  # minutes where it is decoded
    read_picture(jpeg_of_scans(800, 90), "the photo")
    # A film behind a photo, as phones write it, may hold the bytes that begin a scan.
    read_picture(file_of(photograph(), "JPEG") + b"\xff\xda" * 5000, "the photo")
    progressive = file_of(photograph(), "JPEG", progressive=True)
    read_picture(progressive + b"\xff\xda" * 5000, "the photo")


@pytest.mark.parametrize(
    "content", [b"P3\n64 64\n255\n" + b"9 " * 12288, b"P6\n64 64\n99\n" + bytes(12288)]
)
def test_what_is_decoded_in_python_is_refused(content: bytes) -> None:
    refused(content, "is a PPM of a kind that takes long to read: save it as PNG")


# --- broken files -----------------------------------------------------------------------------


_WHOLE = {kind: file_of(photograph(), kind) for kind in FORMATS}
_WHOLE["progressive"] = file_of(photograph(), "JPEG", progressive=True)
_WHOLE["16 bits"] = file_of(Image.fromarray(np.full((64, 64), 40_000, np.uint16)), "PNG")
_WHOLE["palette"] = file_of(photograph().quantize(9), "PNG", transparency=b"\0\x80")
_WHOLE["CMYK"] = file_of(photograph().convert("CMYK"), "TIFF", compression="tiff_deflate")


@pytest.mark.filterwarnings("default:::PIL")
@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(sorted(_WHOLE)), seed=st.integers(0, 2**32 - 1))
def test_a_broken_file_is_a_picture_or_one_sentence(kind: str, seed: int) -> None:
    random, content = Random(seed), bytearray(_WHOLE[kind])  # noqa: S311 it hides nothing
    for _ in range(random.choice((1, 1, 2, 8))):
        # Most of what matters is at the start.
        at = random.randrange(min(len(content), random.choice((40, 200, 10**6))))
        content[at] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
    if random.random() < 0.3:
        del content[random.randrange(len(content)) :]
    try:
        load_photo(bytes(content))
    except InputError as error:
        told = str(error)
    else:
        return  # many are still pictures
    assert "\n" not in told
    assert len(told) < 500


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), AssertionError(), KeyError(4)]
)
def test_whatever_a_decoder_raises_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from PIL.PngImagePlugin import PngImageFile

    def load(_: Image.Image) -> None:
        raise error

    monkeypatch.setattr(PngImageFile, "load", load)
    refused(_WHOLE["PNG"], r"the photo cannot be read \(.+\)")


def test_an_interrupt_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL.PngImagePlugin import PngImageFile

    def load(_: Image.Image) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PngImageFile, "load", load)
    with pytest.raises(KeyboardInterrupt):
        read_picture(_WHOLE["PNG"], "the photo")


def test_broken_metadata_prints_nothing_in_a_users_terminal(tmp_path: Path) -> None:
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff\xff\0\0\0\0\0\0" * 9
    (tmp_path / "p.jpg").write_bytes(file_of(photograph(), "JPEG", exif=broken))
    done = subprocess.run(
        [sys.executable, "-m", "dragonnx.cli", "invert", "p.jpg", "-o", "a.npz", "--steps", "1",
         "--model", ROOT / "tests" / "fixtures" / "bundle-v2"],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert "Warning" not in done.stderr
