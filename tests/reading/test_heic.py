"""HEIC photos: read where pillow-heif is installed, and else refused with what to install."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from support.pictures import photograph

from dragonnx.document import Document
from dragonnx.document.opening import read_file
from dragonnx.errors import InputError
from dragonnx.inversion.photo import load_photo
from dragonnx.reading.pictures import read_picture

HINT = r"a HEIC photo, which takes pip install 'dragonnx\[heic\]'"


def box(*brands: bytes) -> bytes:
    content = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(content) + 4).to_bytes(4, "big") + content + bytes(80)


def heic_of(picture: Image.Image, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    file = BytesIO()
    pillow_heif.from_pillow(picture).save(file, format="HEIF", quality=90, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [box(b"heic"), box(b"hevx"), box(b"mif1", b"mif1", b"heic"), box(b"msf1", b"miaf", b"heix")],
)
def test_without_the_library_it_is_said_what_to_install(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)  # as one that is not there
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"the photo .*photo\.jpg is {HINT}, or save it as JPEG$"):
        load_photo(path)
    with pytest.raises(InputError, match=rf"photo\.jpg cannot be opened: it is {HINT}; choose"):
        read_file(path, Document(), None)  # type: ignore[arg-type]  # no model is asked


@pytest.mark.parametrize("content", [box(b"avif", b"mif1"), box(b"mp42", b"isom"), box(b"mif1")])
def test_what_is_stored_alike_is_no_heic(content: bytes) -> None:
    with pytest.raises(InputError) as refusal:
        read_picture(content, "the photo")
    assert "HEIC" not in str(refusal.value)


def test_other_pictures_do_not_load_the_library(tmp_path: Path) -> None:
    photograph().save(tmp_path / "p.jpg")
    code = (
        "import sys; from dragonnx import load_photo; load_photo(sys.argv[1]);"
        "assert 'pillow_heif' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "p.jpg"], check=True)


def test_a_photo_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.dat"
    path.write_bytes(heic_of(photograph()))
    found = load_photo(path).picture
    assert found.size == (80, 60)
    # What a lossy codec leaves out of this smooth picture is a level or two.
    assert np.abs(np.asarray(found, float) - np.asarray(photograph(), float)).mean() < 3
    pillow_heif = pytest.importorskip("pillow_heif")
    assert pillow_heif.HeifImageFile.format not in Image.OPEN, "Pillow's own formats stay"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(orientation: int) -> None:
    """A telephone says it in the container and again in EXIF: it is turned once."""
    stored = photograph(64, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = BytesIO()
    stored.save(turned, "PNG", exif=exif)
    upright = load_photo(turned.getvalue()).picture
    found = load_photo(heic_of(stored, exif=exif.tobytes())).picture
    assert found.size == upright.size
    assert np.abs(np.asarray(found, float) - np.asarray(upright, float)).mean() < 3


def test_transparency_and_profile_count() -> None:
    clear = photograph(64, 64).convert("RGBA")
    alpha = Image.new("L", clear.size, 255)
    alpha.paste(0, (0, 0, 32, 64))
    clear.putalpha(alpha)
    weights = load_photo(heic_of(clear)).weights
    assert weights is not None
    assert abs(weights.getpixel((5, 30)) - 0) < 20
    assert weights.getpixel((60, 30)) > 235
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert load_photo(heic_of(photograph(), icc_profile=profile)).picture.size == (80, 60)


def test_the_size_is_asked_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = heic_of(photograph(200, 100))
    plugin = pytest.importorskip("pillow_heif.as_plugin")
    monkeypatch.setattr(plugin.HeifImageFile, "load", lambda _: pytest.fail("it was decoded"))
    monkeypatch.setenv("DRAGONNX_MAX_MEGAPIXELS", "0.01")
    with pytest.raises(InputError, match=r"more pixels than .*200 x 100"):
        load_photo(content)
    # 20 bytes a pixel are counted, and 8 times the limit are allowed.
    monkeypatch.setenv("DRAGONNX_MAX_MEGAPIXELS", "0.04")
    with pytest.raises(InputError, match=r"takes more memory to read .*200 x 100"):
        load_photo(content)
    monkeypatch.delenv("DRAGONNX_MAX_MEGAPIXELS")
    with pytest.raises(InputError, match="at least 32 x 32"):
        load_photo(heic_of(photograph(20, 100)))


@pytest.mark.filterwarnings("default:::PIL")
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_broken_one_is_a_picture_or_one_sentence(seed: int) -> None:
    random, content = Random(seed), bytearray(heic_of(photograph(64, 64)))  # noqa: S311
    for _ in range(random.choice((1, 2, 8))):
        content[random.randrange(min(len(content), 800))] = random.randrange(256)
    if random.random() < 0.3:
        del content[random.randrange(len(content)) :]
    try:
        load_photo(bytes(content))
    except InputError as error:
        told = str(error)
    else:
        return  # many are still pictures
    assert "\n" not in told
