"""Models of a first block that is not 4 x 4, tall and wide: drags, inversions, documents, the editor."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from reference.plain_draggan import PlainDrag
from support.drag_paths import assert_same_path
from support.random_checkpoints import random_checkpoint
from support.terminal_editor import TerminalEditor

from dragonnx import DragConfig, DragSession
from dragonnx import Generator as OnnxGenerator
from dragonnx.document import (
    Document,
    LatentStart,
    PointPair,
    drag,
    save_document,
)
from dragonnx.document.opening import read_file
from dragonnx.document.outputs import output
from dragonnx.drag.mask import load_mask
from dragonnx.drag.step import step_for
from dragonnx.drag.step.device_features import DeviceFeatures
from dragonnx.drag.step.host_features import HostFeatures
from dragonnx.editor.events import DragEnded
from dragonnx.inversion.config import InversionConfig
from dragonnx.inversion.perceptual import PerceptualLoss
from dragonnx.inversion.photo import align, load_photo
from dragonnx.inversion.session import InversionSession
from dragonnx.tui.widgets.canvas import Canvas
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.networks import Generator

PERCEPTUAL = Path(__file__).parents[1] / "fixtures" / "perceptual-v1"
TALL = Architecture(
    z_dim=8, w_dim=16, resolution=128, channels={4: 10, 8: 10, 16: 8, 32: 6, 64: 4, 128: 4},
    mapping_layers=2, conv_clamp=1.6, base_height=5, base_width=3,
)  # fmt: skip
WIDE = dataclasses.replace(
    TALL, variant="resnet", conv_clamp=None, base_height=3, base_width=5,
    resample_filter=(1.0, 2.0, 3.0, 1.0),
)  # fmt: skip
MODELS = {"tall": TALL, "wide": WIDE}
SIZES = {"tall": (160, 96), "wide": (96, 160)}
"""Height and width of their images."""
DRAGGED = 64
"""The block whose output is dragged: half as large as the image."""
STEPS = 6

Model = tuple[Checkpoint, Path, OnnxGenerator]


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A checkpoint, and the folder and generator of its bundle."""
    checkpoint = random_checkpoint(MODELS[request.param], seed=1)
    folder = tmp_path_factory.mktemp("model") / request.param
    write_bundle(checkpoint, folder, ExportOptions(name=request.param, feature_resolution=DRAGGED))
    return checkpoint, folder, OnnxGenerator.open(folder, device="cpu", threads=1)


def near_borders(generator: OnnxGenerator) -> tuple[np.ndarray, np.ndarray]:
    """Handle points by two corners that lie across from each other, target points further in."""
    height, width = generator.manifest.image_size
    handles = np.array([[1.0, height - 3.0], [width - 2.0, 2.0]])
    return handles, np.array([[9.0, height - 9.0], [width - 12.0, 7.0]])


def test_sizes(model: Model) -> None:
    checkpoint, folder, generator = model
    m = generator.manifest
    assert m.image_size == SIZES[folder.name]
    assert m.feature_map.size == checkpoint.architecture.block_size(DRAGGED)
    assert m.cuts == (16, 32)
    w_plus = generator.w_plus(0)
    with torch.no_grad():
        expected = Generator.from_checkpoint(checkpoint).synthesis(torch.tensor(w_plus))[0]
    pixels = ((expected.permute(1, 2, 0) + 1) * 127.5).clip(0, 255).numpy()
    picture = np.asarray(generator.image(w_plus), float)
    assert picture.shape == (*m.image_size, 3)
    assert np.abs(picture - pixels).max() < 0.51  # eight bits


@pytest.mark.parametrize("way", ["windows at 16", "whole map", "mask", "mask on the device"])
def test_a_drag_takes_the_path_of_plain_torch(
    model: Model, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `test_drag_against_torch`, whose maps are too small for windows."""
    checkpoint, _, generator = model
    height, width = generator.manifest.image_size
    handles, targets = near_borders(generator)
    cut = int(way.rsplit(maxsplit=1)[-1]) if way.startswith("windows") else None
    chooser = "dragonnx.drag.step.host_features.cheapest_cut"
    monkeypatch.setattr(chooser, lambda *_: cut)
    may_move = None
    if way == "mask on the device":  # as on a card, by graphs in place of kernels
        on_device = functools.partial(step_for, map_on_device=True)
        monkeypatch.setattr("dragonnx.drag.session.step_for", on_device)
    if way.startswith("mask"):
        may_move = np.ones((height, width), bool)
        may_move[height // 3 : height // 2, width // 4 :] = False
    w_plus = generator.w_plus(3)
    config = DragConfig(preset="paper", r1=20, r2=32, step_size=5e-3, max_steps=STEPS)
    session = DragSession(generator, w_plus, handles, targets, mask=may_move, config=config)
    make = functools.partial(
        PlainDrag,
        generator=Generator.from_checkpoint(checkpoint).double(),
        feature_resolution=DRAGGED,
        distance=1,
        inclusive=False,
        mask=None if may_move is None else torch.tensor(may_move),
    )
    steps = list(session)
    assert len(steps) == STEPS
    source = session._method._source
    assert isinstance(source, DeviceFeatures if way == "mask on the device" else HostFeatures)
    assert getattr(source, "cut", None) == cut
    assert_same_path(session, steps, make, w_plus, layers=6)


def test_a_mask_is_drawn_as_the_image_lies(model: Model, tmp_path: Path) -> None:
    height, width = model[2].manifest.image_size
    drawn = np.zeros((height, width), np.uint8)
    drawn[:7, 9:] = 255
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(load_mask(tmp_path / "mask.png", (height, width)), drawn > 0)


def test_a_photo_is_cropped_to_the_shape_and_looked_for(model: Model) -> None:
    generator = model[2]
    height, width = generator.manifest.image_size
    picture = generator.image(generator.w_plus(5))
    # A square photo of which the image is the middle.
    side = max(height, width)
    photo = Image.new("RGB", (side, side), "green")
    photo.paste(picture, ((side - width) // 2, (side - height) // 2))
    aligned = align(load_photo(photo), (height, width))
    np.testing.assert_array_equal(np.asarray(aligned.picture), np.asarray(picture))
    for loss in (None, PerceptualLoss.open(PERCEPTUAL, device=generator.device)):
        config = InversionConfig(steps=12, candidates=2)
        session = InversionSession(generator, photo, config, loss=loss)
        steps = list(session)
        assert session.picture.size == (width, height)
        assert steps[-1].loss < steps[0].loss


def test_a_dragged_document_comes_back_from_an_archive_and_from_a_picture(
    model: Model, tmp_path: Path
) -> None:
    _, folder, generator = model
    height, width = generator.manifest.image_size
    may_move = np.zeros((height, width), bool)
    may_move[3:, : width // 2] = True
    pairs = tuple(map(PointPair, *near_borders(generator)))
    config = DragConfig(max_steps=2)
    document = Document(str(folder), LatentStart(seed=2), pairs, may_move, config)
    dragged = drag(document, generator, keep_frames=True)
    assert dragged.result.steps == 2
    save_document(dragged, tmp_path / "work.dragonnx")
    output("picture").write(dragged, generator, tmp_path / "work.png")
    for name in ("work.dragonnx", "work.png"):
        again = read_file(tmp_path / name, Document(), generator).document
        np.testing.assert_array_equal(again.mask, may_move)
        assert again.pairs == dragged.pairs
        np.testing.assert_array_equal(again.result.w_plus, dragged.result.w_plus)
    output("comparison").write(dragged, generator, tmp_path / "pair.png")
    output("animation").write(dragged, generator, tmp_path / "drag.gif")
    for name, times in (("work.png", 1), ("pair.png", 2), ("drag.gif", 1)):
        with Image.open(tmp_path / name) as picture:
            # Two pictures beside each other have a gap, at most a tenth of one.
            assert picture.width / picture.height == pytest.approx(times * width / height, rel=0.1)


def test_a_click_names_the_pixel_under_it(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder, generator = model
    height, width = generator.manifest.image_size
    for variable in ("state", "config", "models"):
        monkeypatch.setenv(f"DRAGONNX_{variable.upper()}", str(tmp_path / variable))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.chdir(tmp_path)

    async def edit() -> None:
        async with TerminalEditor(model=str(folder), size=(120, 40)) as editor:
            canvas = editor.screen.query_one(Canvas)
            assert editor.state.picture.shape == (height, width, 3)
            assert canvas.view.image == (width, height)
            clicked = [(2, height - 3), (width - 3, 3)]
            for pixel in clicked:
                editor.state.put_cursor(*pixel)
                for _ in range(8):  # until a pixel is larger than a cell
                    canvas.zoom_in()
                canvas.reveal(pixel)
                await editor.rest()
                assert canvas.view.rows_per_pixel > 2
                await editor.pilot.click(canvas, offset=editor.cell(pixel))
                canvas.fit()
            (pair,) = editor.document.pairs
            assert (pair.handle, pair.target) == tuple(clicked)
            # A box over a part of the image that its turned mask would not have.
            await editor.press("4")
            for corner in ((0, 10), (width - 1, height - 1)):
                editor.state.put_cursor(*corner)
                await editor.press("enter")
            assert editor.document.mask.shape == (height, width)
            assert not editor.document.mask[:10].any()
            assert editor.document.mask[10:].all()
            await editor.press("full_stop")
            await editor.came(DragEnded)
            assert editor.document.result.steps == 1
            await editor.press("u", "u", "u", "u")

    asyncio.run(edit())
