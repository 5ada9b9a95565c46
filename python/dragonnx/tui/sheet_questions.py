"""What is asked with many pictures: which seed, and what came of the same edit on others."""

from __future__ import annotations

from dragonnx.tui.result_questions import ResultQuestions
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen, SeedChoice
from dragonnx.tui.screens.other_seeds import OtherSeedsScreen
from dragonnx.tui.screens.truncation import TruncationScreen


class SheetQuestions(ResultQuestions):
    """Asks with many pictures."""

    def contact_sheet(self) -> None:
        """One of the pictures of many seeds, or some for the same edit."""
        editor = self.editor

        def use(chosen: SeedChoice | None) -> None:
            if isinstance(chosen, tuple):
                self.attempt(lambda: self._edit_seeds(chosen))
            elif chosen is not None:
                editor.latent.use_seed(chosen)

        self.when_idle(lambda: ContactSheetScreen(editor, self.mode(), self.graphics), use)

    def truncations(self) -> None:
        """One of the pictures of many truncations."""
        editor = self.editor
        editor.sheet.check_truncations()

        def use(psi: float | None) -> None:
            if psi is not None:
                self.attempt(lambda: editor.latent.use_psi(psi))

        self.when_idle(lambda: TruncationScreen(editor, self.mode(), self.graphics), use)

    def other_seeds(self) -> None:
        """What came of the same edit on other seeds; which seeds, where there was none yet."""
        others = self.editor.other_seeds
        if not others.seeds:
            self.editor.state.say("First mark seeds in the contact sheet, k, with Space; then e.")
            return

        def use(seed: int | None) -> None:
            if seed is not None:
                self.attempt(lambda: others.open(seed))

        self.app.push_screen(OtherSeedsScreen(self.editor, self.mode(), self.graphics), use)

    def _edit_seeds(self, seeds: tuple[int, ...]) -> None:
        def start() -> None:
            self.editor.other_seeds.start(seeds)
            self.other_seeds()

        self.editor.other_seeds.check(seeds)
        self.let_results_go("go on", lambda: self.attempt(start))
