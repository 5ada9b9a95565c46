"""Any commands in any order, at any moment of what runs: the editor stays sound."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from editor.sliding_model import HEIGHT, WIDTH, SlidingModel
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PIL import Image
from support.editor_runs import EditorRun

from dragonnx.document import Document, Recovery
from dragonnx.document.latents import current_w_plus
from dragonnx.drag.config import DragConfig
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.phase import Idle, Stopping
from dragonnx.editor.tools import Tool
from dragonnx.inversion.config import InversionConfig
from dragonnx.model.generator import Generator

PIXELS = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))
CONFIGS = (
    DragConfig(),
    DragConfig(max_steps=2),
    DragConfig(preset="paper", step_size=1e-6, max_steps=10**6),  # ends only when it is told to
)


class AnyCommands(RuleBasedStateMachine):
    """A user, and a worker that answers while the user goes on."""

    @initialize()
    def begin(self) -> None:
        self.models = {"sliding": SlidingModel(), "other": SlidingModel("other", size=(32, 80))}
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(Generator, "open", lambda model, *_, **__: self.models[model])
        self.folder = tempfile.TemporaryDirectory()
        self.photo = Path(self.folder.name) / "photo.png"
        Image.effect_noise((40, 50), 90).convert("RGB").save(self.photo)
        self.first = Document(model="sliding")
        self.run = EditorRun(self.first, recovery=Recovery(Path(self.folder.name)))
        self.run.__enter__()
        self.run.settled()

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        run = self.run
        try:
            while run.state.running is not None:  # what waits may start something again
                run.editor.drag.stop()
                run.until(lambda: not isinstance(run.state.phase, Stopping))
            run.settled()
            self.check_picture()
            self.check_undo()
        finally:
            run.__exit__()
            self.patch.undo()
            self.folder.cleanup()

    def check_picture(self) -> None:
        document = self.run.document
        model = self.models[document.model]
        picture = model.image(current_w_plus(document, model))
        np.testing.assert_array_equal(self.run.state.picture, np.asarray(picture))
        assert self.run.scene.picture.shape == self.run.state.picture.shape

    def check_undo(self) -> None:
        """Undo leads to the first document, redo back, and no edit changed nothing."""
        run, last = self.run, self.run.document
        seen = [last]
        while run.document is not self.first:
            run.editor.history.undo()
            assert run.notice.startswith("Undid: ")
            assert run.document is not seen[-1]
            seen.append(run.document)
        while run.document is not last:
            run.editor.history.redo()
            assert run.notice.startswith("Did again: ")
        assert run.state.running is None

    # --- the worker ---------------------------------------------------------------------------

    @rule()
    def an_event_comes(self) -> None:
        if self.run.state.running is not None:
            count = len(self.run.events)
            self.run.until(lambda: len(self.run.events) > count)

    @rule()
    def what_is_told_to_stop_stops(self) -> None:
        if isinstance(self.run.state.phase, Stopping):
            phase = self.run.state.phase
            self.run.until(lambda: self.run.state.phase is not phase)

    # --- the user -----------------------------------------------------------------------------

    @rule(pixel=PIXELS)
    def place(self, pixel) -> None:
        self.run.editor.points.place(pixel)

    @rule(command=st.sampled_from([
        "select_next", "select_previous", "move_handle", "move_target", "delete", "clear",
        "use_tool", "switch", "swap",
    ]))  # fmt: skip
    def points(self, command) -> None:
        getattr(self.run.editor.points, command)()

    @rule(command=st.sampled_from(["start_or_pause", "step", "stop", "reset", "switch_space"]))
    def drag(self, command) -> None:
        getattr(self.run.editor.drag, command)()

    @rule(config=st.sampled_from(CONFIGS))
    def settings(self, config) -> None:
        self.run.editor.drag.use_settings(config)

    @rule(command=st.sampled_from(["undo", "redo"]))
    def history(self, command) -> None:
        getattr(self.run.editor.history, command)()

    @rule(seed=st.integers(0, 3))
    def seed(self, seed) -> None:
        self.run.editor.latent.use_seed(seed)

    @rule(psi=st.sampled_from([None, 0.3]))
    def psi(self, psi) -> None:
        if self.run.document.start.w_plus is None:
            self.run.editor.latent.use_psi(psi)

    @rule(model=st.sampled_from(["sliding", "other"]))
    def model(self, model) -> None:
        self.run.editor.latent.use_model(model)

    @rule(steps=st.sampled_from([1, 10**6]))
    def invert(self, steps) -> None:
        self.run.editor.photo.invert(PhotoRequest(self.photo, InversionConfig(steps=steps)))

    @rule(command=st.sampled_from(["invert", "clear", "stamp", "show_or_hide", "larger_brush"]))
    def mask(self, command) -> None:
        if command != "stamp" or self.run.state.tool is not Tool.POINTS:
            getattr(self.run.editor.mask, command)()

    @rule(command=st.sampled_from(["show_next", "wipe", "bare"]))
    def compare(self, command) -> None:
        getattr(self.run.editor.compare, command)()

    @rule(tool=st.sampled_from(Tool))
    def tool(self, tool) -> None:
        if tool is Tool.POINTS:
            self.run.editor.points.use_tool()
        else:
            self.run.editor.mask.use_tool(tool)

    @rule(pixel=PIXELS)
    def press(self, pixel) -> None:
        pairs = self.run.scene.pairs
        marker = (len(pairs) - 1, "handle") if pairs and pixel[0] % 2 else None
        self.run.editor.pointer.press(pixel, marker)

    @rule(by=st.integers(-3, 3))
    def scrub(self, by) -> None:
        self.run.editor.scrub.go_by(by)

    @rule(amount=st.sampled_from([-1, 0, 0.5]))
    def direction(self, amount) -> None:
        directions = self.run.editor.directions
        if self.run.state.is_model_open:
            directions.begin()
        if any(slider.name == "pc0" and slider.is_known for slider in directions.sliders()):
            directions.move_to("pc0", amount)

    @rule()
    def let_go(self) -> None:
        self.run.editor.pointer.let_go()

    @rule(by=st.tuples(st.integers(-9, 9), st.integers(-9, 9)))
    def arrows(self, by) -> None:
        self.run.editor.pointer.move_by(*by)

    @rule(pixel=PIXELS)
    def move(self, pixel) -> None:
        self.run.editor.pointer.drag(pixel)

    @rule()
    def release(self) -> None:
        self.run.editor.pointer.release()

    # --- what always holds --------------------------------------------------------------------

    @invariant()
    def the_scene_can_be_drawn(self) -> None:
        if not hasattr(self, "run"):
            return
        state, scene = self.run.state, self.run.scene
        height, width = scene.picture.shape[:2]
        assert scene.mask is None or scene.mask.shape == (height, width)
        assert scene.selected is None or scene.selected >= 0
        assert scene.moving == (not isinstance(state.phase, Idle))
        if state.selected is not None and state.running is None:
            assert state.selected < len(state.document.pairs)

    @invariant()
    def a_mask_fits_the_model(self) -> None:
        if not hasattr(self, "run"):
            return
        mask, model = self.run.document.mask, self.models[self.run.document.model]
        assert mask is None or mask.shape == model.manifest.image_size
        assert not (mask is not None and mask.flags.writeable)


AnyCommands.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a run depends on time, so that a shorter one may not fail
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyCommands = AnyCommands.TestCase
