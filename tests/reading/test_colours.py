"""Colours of pictures in every mode, depth and profile; a picture that Pillow has gives what its file gives."""

from __future__ import annotations

import logging
import os
import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from support.pictures import TIFF_MODES, file_of, photograph, png, png_rows

from dragonnx.errors import InputError
from dragonnx.inversion.photo import Photo, load_photo
from dragonnx.reading.colours import read_colours

WIDTH, HEIGHT = 40, 36
RGB = np.asarray(photograph(WIDTH, HEIGHT))
GREY = RGB.astype(float) @ (0.299, 0.587, 0.114)
GREYS = np.repeat(GREY[:, :, None], 3, 2)
ALPHA = np.tile(np.arange(WIDTH, dtype=np.uint8) * 6 + 10, (HEIGHT, 1))
"""From 10 to 244: where it is premultiplied, colours are still known to 255/10/2 levels and better."""
SIXTEEN = np.rint(GREY * 257).astype(np.uint16)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def premultiplied(colours: np.ndarray) -> np.ndarray:
    return np.rint(colours * (ALPHA[:, :, None] / 255)).astype(np.uint8)


def raw(mode: str, array: np.ndarray) -> Image.Image:
    return Image.frombytes(mode, (WIDTH, HEIGHT), np.ascontiguousarray(array).tobytes())


def lab() -> np.ndarray:
    """CIE L*a*b* (D50) of an sRGB picture, written out: an oracle that is not Pillow's."""
    linear = RGB / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    # sRGB's primaries adapted to D50 by Bradford's matrix, as in the ICC's own profile.
    matrix = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
              [0.0139322, 0.0971045, 0.7141733]]  # fmt: skip
    ratio = linear @ np.transpose(matrix) / (0.96422, 1, 0.82521)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = np.moveaxis(f, 2, 0)
    a, b = 500 * (x - y), 200 * (y - z)
    return np.stack([(116 * y - 16) * 2.55, a % 256, b % 256], 2).round().astype(np.uint8)


_rgb = Image.fromarray(RGB)
_alpha = Image.fromarray(ALPHA)
_grey = Image.fromarray(np.rint(GREY).astype(np.uint8))
_opaque = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
_few = (RGB // 64) * 85
_palette, _index = np.unique(_few.reshape(-1, 3), axis=0, return_inverse=True)


def paletted(mode: str = "P") -> Image.Image:
    index = _index.reshape(HEIGHT, WIDTH).astype(np.uint8)
    picture = raw(mode, index if mode == "P" else np.dstack([index, ALPHA]))
    picture.putpalette(_palette.astype(np.uint8).tobytes())
    return picture


def inverted_cmyk() -> np.ndarray:
    return np.dstack([255 - RGB, _opaque * 0])


MODES: dict[str, tuple[Image.Image, np.ndarray, np.ndarray | None, float]] = {
    # The picture, its colours, its opacity, and by how much they may differ: roundings.
    "1": (raw("L", (RGB[:, :, 0] > 99) * np.uint8(255)).convert("1"),
          np.repeat((RGB[:, :, :1] > 99) * 255, 3, 2), None, 0),
    "L": (_grey, GREYS, None, 0.5),
    "LA": (Image.merge("LA", [_grey, _alpha]), GREYS, ALPHA, 0.5),
    "La": (raw("La", np.dstack([premultiplied(np.rint(GREYS[:, :, :1])), ALPHA])), GREYS, ALPHA, 14),
    "P": (paletted(), _few, None, 0),
    "PA": (paletted("PA"), _few, ALPHA, 0),
    "RGB": (_rgb, RGB, None, 0),
    "RGBX": (raw("RGBX", np.dstack([RGB, ALPHA])), RGB, None, 0),
    "RGBA": (raw("RGBA", np.dstack([RGB, ALPHA])), RGB, ALPHA, 0),
    "RGBa": (raw("RGBa", np.dstack([premultiplied(RGB), ALPHA])), RGB, ALPHA, 14),
    "CMYK": (raw("CMYK", inverted_cmyk()), RGB, None, 0),
    "YCbCr": (_rgb.convert("YCbCr"), RGB, None, 3),  # half a level of Cb is 0.9 of blue, both ways
    "HSV": (_rgb.convert("HSV"), RGB, None, 5),  # eight bits of hue for six times 255 colours
    "LAB": (raw("LAB", lab()), RGB, None, 20),  # half a level of a* is much of a red that is nearly 0
    "I;16": (Image.fromarray(SIXTEEN), GREYS, None, 0.51),
    "I;16B": (raw("I;16B", SIXTEEN.astype(">u2")), GREYS, None, 0.51),
    "I": (Image.fromarray(SIXTEEN.astype(np.int32)), GREYS, None, 0.51),
    "F": (Image.fromarray((GREY / 255).astype(np.float32)), GREYS, None, 0.51),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_its_colours(mode: str) -> None:
    picture, colours, opacity, tolerance = MODES[mode]
    assert picture.mode == mode
    before = picture.tobytes()
    found = read_colours(picture, "the photo")
    assert found.picture.mode == "RGB"
    difference = np.abs(np.asarray(found.picture, float) - colours)
    assert difference.max() <= tolerance
    assert difference.mean() <= 1.5
    if opacity is None:
        assert found.opacity is None
    else:
        assert found.opacity is not None
        assert np.array_equal(found.opacity, opacity)
    assert picture.tobytes() == before, "it belongs to another"


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_a_png_of_16_bits_has_its_upper_eight(colour: int) -> None:
    """Pillow keeps the upper eight bits of colours, which are at most a level from the nearest."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    values = (
        np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, channels)).astype(np.uint16)
    )
    content = png(WIDTH, HEIGHT, bits=16, colour=colour, pixels=png_rows(values))
    found = read_colours(content, "the photo")
    colours = values if channels < 4 else values[:, :, :3]
    colours = colours[:, :, :1] if channels < 3 else colours
    assert np.abs(np.asarray(found.picture, float) - colours / 257).max() <= 1
    if channels in (2, 4):
        assert np.abs(np.asarray(found.opacity, float) - values[:, :, -1] / 257).max() <= 1
    else:
        assert found.opacity is None


@pytest.mark.parametrize(
    ("bits", "colour", "transparent"),
    [(8, 0, (7,)), (8, 2, (7, 200, 9)), (16, 0, (40_000,)), (16, 2, (40_000, 7, 65_535))],
)
def test_one_colour_of_a_png_may_be_transparent(
    bits: int, colour: int, transparent: tuple[int, ...]
) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    values = np.full((HEIGHT, WIDTH, len(transparent)), 77, kind)
    values[3:9] = transparent
    said = b"".join(value.to_bytes(2, "big") for value in transparent)
    content = png(
        WIDTH, HEIGHT, bits=bits, colour=colour, pixels=png_rows(values), before=[(b"tRNS", said)]
    )
    for source in (content, Image.open(BytesIO(content))):
        opacity = read_colours(source, "the photo").opacity
        assert np.array_equal(opacity, np.where((values == transparent).all(2), 0, 255))


def test_a_palette_may_have_opacities() -> None:
    picture = paletted()
    content = file_of(picture, "PNG", transparency=bytes(range(len(_palette))))
    found = read_colours(content, "the photo")
    assert np.array_equal(found.opacity, _index.reshape(HEIGHT, WIDTH))
    assert np.array_equal(found.picture, _few)
    picture = paletted()
    picture.apply_transparency()  # nothing to apply: stays as it is
    assert read_colours(picture, "the photo").opacity is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.full((40, 40), 65_536, np.int32),
            "grey values from 65536 to 65536, and 0 to 65535 are read",
        ),
        (np.full((40, 40), -1, np.int32), "grey values from -1 to -1"),
        (np.full((40, 40), 200, np.float32), "grey values from 200 to 200, and 0 to 1 are read"),
        (np.full((40, 40), np.nan, np.float32), "grey values from nan to nan"),
    ],
)
def test_numbers_of_an_unknown_range_are_not_guessed(values: np.ndarray, message: str) -> None:
    picture = Image.fromarray(values)
    for source in (picture, file_of(picture, "TIFF")):
        with pytest.raises(InputError, match=message):
            read_colours(source, "the photo")


# --- profiles ---------------------------------------------------------------------------------


def turned_profile() -> bytes:
    """sRGB, but that red is the green, green the blue and blue the red: who ignores it is seen."""
    content = bytearray(SRGB)
    count = int.from_bytes(content[128:132], "big")
    entries = {bytes(content[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    places = {name: bytes(content[at + 4 : at + 12]) for name, at in entries.items()}
    for name, other in ((b"rXYZ", b"gXYZ"), (b"gXYZ", b"bXYZ"), (b"bXYZ", b"rXYZ")):
        content[entries[name] + 4 : entries[name] + 12] = places[other]
    return bytes(content)


def profile(kind: bytes, space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of these tags, D50 its white."""
    d50 = struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    tags = {b"wtpt": b"XYZ \0\0\0\0" + d50} | tags
    at, table, data = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = bytes(4) + bytes(4) + b"\x02\x40\0\0" + kind + space + bytes(12) + b"acsp"
    header += bytes(28) + d50
    whole = header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", len(whole)) + whole[4:]


def linear_grey() -> bytes:
    return profile(b"mntr", b"GRAYXYZ ", {b"kTRC": b"curv" + bytes(8)})


def black_ink() -> bytes:
    """Of cyan, magenta, yellow and black only black counts: it lowers CIE's lightness."""
    ramp = bytes(range(256))
    corners = b"".join(
        bytes([0 if corner & 1 else 255, 128, 128])
        for corner in range(16)  # black is the last ink
    )
    one = struct.pack(">I", 0x10000)
    unity = one + bytes(12) + one + bytes(12) + one
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unity + ramp * 4 + corners + ramp * 3
    return profile(b"prtr", b"CMYKLab ", {b"A2B0": table})


def encoded(linear: np.ndarray) -> np.ndarray:
    """sRGB's values 0 to 255 of light 0 to 1."""
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "PA", "RGBX", "YCbCr"])
def test_a_profile_is_applied_with_and_without_transparency(mode: str) -> None:
    picture, colours, opacity, tolerance = MODES[mode]
    picture = picture.copy()
    picture.info["icc_profile"] = turned_profile()
    found = read_colours(picture, "the photo")
    expected = colours[:, :, [2, 0, 1]]
    # The profile's numbers have 16 bits, and its curve 1024 places: a level.
    assert np.abs(np.asarray(found.picture, float) - expected).max() <= tolerance + 1
    assert (found.opacity is None) == (opacity is None)
    assert "icc_profile" not in found.picture.info, "it is sRGB now"


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_profile_of_greys_is_applied(mode: str) -> None:
    picture = MODES[mode][0].copy()
    picture.info["icc_profile"] = linear_grey()
    found = np.asarray(read_colours(picture, "the photo").picture, float)
    assert np.abs(found - encoded(np.rint(GREYS) / 255)).max() <= 2  # a level of 8 bits each way


def test_a_profile_of_inks_is_applied() -> None:
    inks = np.dstack([RGB, np.rint(GREY)]).astype(np.uint8)
    picture = raw("CMYK", inks)
    picture.info["icc_profile"] = black_ink()
    lightness = 100 * (1 - inks[:, :, 3] / 255)
    light = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24389)
    expected = np.repeat(encoded(light)[:, :, None], 3, 2)
    found = np.asarray(read_colours(picture, "the photo").picture, float)
    assert np.abs(found - expected).max() <= 3  # lightness of 8 bits


@pytest.mark.parametrize("content", [b"", b"nonsense", SRGB[:200], linear_grey(), black_ink()])
def test_a_profile_that_does_not_fit_is_told_and_left_out(
    content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    picture = _rgb.copy()
    picture.info["icc_profile"] = content
    with caplog.at_level(logging.WARNING, "dragonnx"):
        found = read_colours(picture, "the photo")
    assert np.array_equal(found.picture, RGB)
    assert "the colour profile of the photo is not usable and was ignored" in caplog.text


# --- a file and the same as Pillow's picture ------------------------------------------------------


def same(one: Photo, other: Photo) -> bool:
    return np.array_equal(one.picture, other.picture) and (
        one.weights is other.weights is None or np.array_equal(one.weights, other.weights)
    )


def exif(orientation: int) -> bytes:
    facts = Image.Exif()
    facts[0x0112] = orientation
    return facts.tobytes()


_saved = st.sampled_from(
    [("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    + [("TIFF", mode) for mode in sorted(TIFF_MODES)]
    + [("WEBP", mode) for mode in ("RGB", "RGBA")]
    + [("JPEG", mode) for mode in ("L", "RGB", "CMYK")]
    + [("GIF", "P"), ("BMP", "RGB"), ("PPM", "L"), ("AVIF", "RGBA")]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    saved=_saved,
    orientation=st.integers(1, 8),
    icc=st.sampled_from([None, SRGB, turned_profile(), linear_grey(), b"nonsense"]),
    transparent=st.booleans(),
    loaded=st.booleans(),
)
def test_pillows_picture_gives_what_its_file_gives(
    *, saved: tuple[str, str], orientation: int, icc: bytes | None, transparent: bool, loaded: bool
) -> None:
    kind, mode = saved
    options = {"icc_profile": icc} if icc else {}
    if kind in ("PNG", "TIFF", "WEBP", "JPEG", "AVIF"):
        options["exif"] = exif(orientation)
    if kind == "WEBP":
        options["lossless"] = options["exact"] = True
    if transparent and (kind, mode) in {("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("GIF", "P")}:
        options["transparency"] = 1 if mode != "1" else 255
    if transparent and (kind, mode) == ("PNG", "RGB"):
        options["transparency"] = tuple(RGB[5, 5].tolist())
    content = file_of(MODES[mode][0], kind, **options)
    from_file = load_photo(content)
    with Image.open(BytesIO(content)) as picture:
        if loaded:
            picture.load()
        assert same(load_photo(picture), from_file)
        assert same(load_photo(picture.copy()), from_file), "a copy has what was said of it"
        assert same(load_photo(picture), from_file), "as often as one likes"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_pictures_are_upright(kind: str, orientation: int) -> None:
    """EXIF says where the first row and the first column lie."""
    rows, columns = {
        1: "TL", 2: "TR", 3: "BR", 4: "BL", 5: "LT", 6: "RT", 7: "RB", 8: "LB",
    }[orientation]  # fmt: skip
    stored = np.asarray(photograph(64, 48))
    upright = stored if rows in "TB" else stored.transpose(1, 0, 2)
    if "B" in (rows, columns):
        upright = upright[::-1]
    if "R" in (rows, columns):
        upright = upright[:, ::-1]
    found = load_photo(file_of(photograph(64, 48), kind, exif=exif(orientation))).picture
    assert found.size == upright.shape[1::-1]
    assert np.abs(np.asarray(found, float) - upright).mean() < 2  # what JPEG and WebP leave out


def test_broken_exif_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    picture = _rgb.copy()
    picture.info["exif"] = b"Exif\0\0nonsense"
    with caplog.at_level(logging.WARNING, "dragonnx"):
        assert np.array_equal(load_photo(picture).picture, RGB)
    assert "the EXIF data of the photo is not usable" in caplog.text


# --- memory -----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a process's peak there")
def test_reading_takes_eight_bytes_a_pixel(tmp_path: Path) -> None:
    """And whole photos of every kind no more than twice what Pillow keeps of them."""
    side = 2000
    large = photograph(side, side)
    clear = large.convert("RGBA")
    clear.putalpha(large.getchannel(0))
    deep = np.arange(side * side, dtype=np.uint16).reshape(side, side)
    turned = exif(6)
    files = {
        "rgba.png": file_of(clear, "PNG", compress_level=1, icc_profile=SRGB),
        "turned.png": file_of(clear, "PNG", compress_level=1, exif=turned),
        "grey16.png": file_of(Image.fromarray(deep), "PNG", compress_level=1),
        "grey32.tif": file_of(Image.fromarray(deep.astype(np.int32)), "TIFF"),
        "rgb16.png": png(side, side, bits=16, pixels=png_rows(np.dstack([deep] * 3))),
        "palette.png": file_of(
            large.quantize(200, Image.Quantize.FASTOCTREE), "PNG", transparency=bytes(range(200)),
            compress_level=1,
        ),
        "inks.jpg": file_of(large.convert("CMYK"), "JPEG", icc_profile=black_ink()),
        "turned.jpg": file_of(large, "JPEG", exif=turned),
        "turned.tif": file_of(large, "TIFF", compression="packbits", exif=turned),
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    program = """
        import sys
        from pathlib import Path
        from dragonnx.inversion.photo import align, load_photo

        def peak(name):
            lines = Path("/proc/self/status").read_text().splitlines()
            return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

        for path in [sys.argv[1], *sys.argv[1:]]:  # the first also loads what is loaded once
            Path("/proc/self/clear_refs").write_text("5")
            before = peak("VmRSS")
            photo = load_photo(path)
            align(photo, (256, 200), fit="pad")
            pixels = photo.picture.width * photo.picture.height
            del photo
            print(Path(path).name, (peak("VmHWM") - before) / pixels)
    """
    # The allocator then gives back what is freed; else it keeps a part, how much is chance.
    env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", dedent(program), *(tmp_path / name for name in files)],
        capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [name for name, _ in lines] == list(files)
    for name, bytes_a_pixel in lines:
        # Strips of 16 bits and rows' addresses are 2 MB, whatever the size.
        assert float(bytes_a_pixel) <= 8 + 2e6 / side**2, name
