"""Pictures that leave the program: PNG, JPEG and WebP say how they were made, and open again."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dragonnx.errors import InputError
from dragonnx.media import PICTURE_SUFFIXES, PROVENANCE, check_quality, read_recipe, save_image
from dragonnx.media.xmp import jpeg_segments, packet, recipe_in

COLOURS = Image.effect_noise((48, 32), 90).convert("RGB")
RECIPE = {"name": "<&>'\"/é \\u003c", "of": [1, 2.5, None], "model": "critters"}
SMALL, LARGE = {"model": "critters"}, {"model": "x", "members": {"a": "QUJD" * 60_000}}
"""The large one needs four segments of a JPEG."""
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def saved(folder: Path, suffix: str, recipe: dict = RECIPE, quality: int | None = None) -> Path:
    path = folder / f"picture{suffix}"
    save_image(COLOURS, path, recipe, quality)
    return path


def xmp_of(path: Path) -> bytes:
    with Image.open(path) as picture:
        found = picture.info["xmp"]
    return found if isinstance(found, bytes) else found.encode()


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
@pytest.mark.parametrize("recipe", [RECIPE, SMALL, LARGE], ids=["marks", "small", "large"])
def test_a_picture_says_how_it_was_made(tmp_path, suffix, recipe):
    path = saved(tmp_path, suffix, recipe)
    assert read_recipe(path) == recipe
    assert read_recipe(path.read_bytes()) == recipe
    with Image.open(path) as picture:
        assert picture.size == COLOURS.size
        # A PNG alone is bound to keep pixels; of 8 bits, a mean of one is nothing to see.
        difference = np.asarray(picture, float) - np.asarray(COLOURS, float)
        assert np.abs(difference).mean() < (3 if suffix != ".png" else 1e-9)


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
def test_programs_can_read_that_a_model_made_it(tmp_path, suffix):
    tree = ElementTree.fromstring(xmp_of(saved(tmp_path, suffix)))  # noqa: S314
    texts = {element.tag.rpartition("}")[2]: element.text for element in tree.iter()}
    assert texts["DigitalSourceType"] == TRAINED
    assert texts["CreatorTool"].startswith("dragonnx ")
    assert texts["li"] == PROVENANCE


def test_an_animation_says_it_too(tmp_path):
    from dragonnx.media import save_animation

    save_animation(iter([COLOURS] * 2), tmp_path / "a.webp")
    assert TRAINED.encode() in xmp_of(tmp_path / "a.webp")


@given(st.dictionaries(_TEXTS, _TEXTS | st.integers(-9, 9) | st.lists(_TEXTS), max_size=4))
def test_any_recipe_survives_xml(recipe):
    whole = packet(recipe)
    ElementTree.fromstring(whole)  # noqa: S314
    found = recipe_in(whole)
    assert found is not None
    from dragonnx.reading.json_text import parse_json

    assert parse_json(found, "it") == recipe


def test_a_recipe_that_another_program_wrote_anew_is_found():
    """Adobe's programs write a simple property as an attribute, and name quotation marks."""
    element = re.search(rb"<dragonnx:recipe>([^<]*)</dragonnx:recipe>", packet(RECIPE))
    for mark in (b"&quot;", b"&#34;", b"&#x22;"):
        attribute = b'<a dragonnx:recipe="' + element[1].replace(b'"', mark) + b'"/>'
        assert recipe_in(attribute) == element[1].decode()
    assert recipe_in(b"<a dragonnx:recipe='" + element[1] + b"'/>") == element[1].decode()


def test_a_long_recipe_lies_in_segments_as_the_specification_has_them(tmp_path):
    with Image.open(saved(tmp_path, ".jpg", LARGE)) as picture:
        segments = [content for name, content in picture.applist if name == "APP1"]
    main, *further = segments
    name = re.search(rb"HasExtendedXMP>([0-9A-F]{32})<", main)[1]
    start = b"http://ns.adobe.com/xmp/extension/\0" + name
    places, pieces, lengths = [], [], set()
    for segment in further:
        assert segment.startswith(start)
        assert len(segment) <= 65_533
        length, place = np.frombuffer(segment[len(start) : len(start) + 8], ">u4")
        places.append(place)
        lengths.add(length)
        pieces.append(segment[len(start) + 8 :])
    whole = b"".join(pieces)
    assert lengths == {len(whole)}
    assert places == list(np.cumsum([0, *map(len, pieces)])[:-1])
    ElementTree.fromstring(whole)  # noqa: S314
    import hashlib

    assert hashlib.md5(whole).hexdigest().upper().encode() == name  # noqa: S324


def test_further_segments_may_come_in_any_order_and_a_lost_one_is_no_recipe():
    content = jpeg_segments(LARGE)
    segments = []
    while content:
        size = 2 + int.from_bytes(content[2:4], "big")
        segments.append(content[4:size])
        content = content[size:]
    main = segments[0].partition(b"\0")[2]
    assert recipe_in(main, reversed(segments)) == recipe_in(main, segments) is not None
    assert recipe_in(main, segments[:1] + segments[2:]) is None
    assert recipe_in(main, [s.replace(b"extension/\0", b"extension/\0X") for s in segments]) is None


def test_the_quality_decides(tmp_path):
    sizes = {
        quality: saved(tmp_path, ".jpg", SMALL, quality).stat().st_size
        for quality in (1, 50, None, 95, 100)
    }
    assert sizes[1] < sizes[50] < sizes[95] == sizes[None] < sizes[100]
    for quality, lossless in ((99, False), (100, True)):
        with Image.open(saved(tmp_path, ".webp", SMALL, quality)) as picture:
            assert np.array_equal(np.asarray(picture), np.asarray(COLOURS)) == lossless


@pytest.mark.parametrize("quality", [0, 101, -1, 2.5, True, "95"])
def test_a_quality_that_is_none(tmp_path, quality):
    with pytest.raises(InputError, match="the quality must be a whole number from 1 to 100"):
        saved(tmp_path, ".jpg", SMALL, quality)
    with pytest.raises(InputError, match="the quality must be a whole number from 1 to 100"):
        check_quality(quality, [Path("a.jpg")])


def test_a_quality_of_nothing():
    for names in (["a.png"], ["a.png", None], ["a.gif"], []):
        with pytest.raises(InputError, match="keeps every pixel"):
            check_quality(90, [None if name is None else Path(name) for name in names])
    check_quality(90, [Path("a.png"), Path("b.JPG")])
    check_quality(None, [Path("a.png")])


def test_a_picture_that_the_format_cannot_hold(tmp_path):
    wide = Image.new("RGB", (16_384, 2))
    with pytest.raises(InputError, match=r"16384 x 2 pixels: a WebP has at most 16383 on a side"):
        save_image(wide, tmp_path / "wide.webp", SMALL)
    save_image(wide, tmp_path / "wide.jpg", SMALL)
    assert read_recipe(tmp_path / "wide.jpg") == SMALL
    with pytest.raises(InputError, match=r"must end in \.png or \.jpg or \.jpeg or \.webp"):
        save_image(wide, tmp_path / "wide.bmp", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["wide.jpg"]


def test_grey_pictures_too(tmp_path):
    for suffix in PICTURE_SUFFIXES:
        save_image(COLOURS.convert("L"), tmp_path / f"grey{suffix}", RECIPE)
        assert read_recipe(tmp_path / f"grey{suffix}") == RECIPE


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize(
    "xmp",
    [
        b"",
        b"<dragonnx:recipe>",
        b"<dragonnx:recipe></dragonnx:recipe>",
        b"<dragonnx:recipe>[1]</dragonnx:recipe>",
        b"<dragonnx:recipe>{</dragonnx:recipe>",
        b"<dragonnx:recipe>\xff\xfe</dragonnx:recipe>",
        b"<xmpNote:HasExtendedXMP>" + b"0" * 32,
        b'<!DOCTYPE a [<!ENTITY b "{}">]><dragonnx:recipe>&b;</dragonnx:recipe>',
        b"<dragonnx:recipe>" + b"[" * 40_000 + b"</dragonnx:recipe>",
        b"<dragonnx:recipe>" * 3000,
    ],
)
def test_a_strangers_packet_is_no_recipe(tmp_path, suffix, xmp):
    content = io.BytesIO()
    COLOURS.save(content, "WEBP" if suffix == ".webp" else "JPEG", xmp=xmp)
    with pytest.raises(InputError, match="did not write"):
        read_recipe(content.getvalue())


@settings(max_examples=50)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_are_looked_through(main, segment):
    mark = b"xmpNote:HasExtendedXMP='" + b"A" * 32
    recipe_in(main, [segment])
    recipe_in(mark + main, [b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + segment])
