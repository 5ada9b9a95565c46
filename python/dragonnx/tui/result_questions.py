"""What is asked before results on other seeds would go: whether to save them."""

from __future__ import annotations

from collections.abc import Callable

from dragonnx.tui.asks import Asks
from dragonnx.tui.screens.confirm import Choice, ConfirmScreen


class ResultQuestions(Asks):
    """Asks about results of the same edit on other seeds."""

    def let_results_go(self, way: str, then: Callable[[], object]) -> None:
        """Whether to save results that nobody opened; at once where there are none.

        Args:
            way: What comes then, for users: "leave".
            then: Does it.
        """
        others = self.editor.other_seeds
        count = others.unkept
        if not count:
            then()
            return
        folder = others.suggested_folder()

        def use(answer: str | None) -> None:
            if answer == "y":
                then()
            elif answer == "s":
                self.attempt(lambda: others.save(folder, then))

        results = "1 result" if count == 1 else f"{count} results"
        fact = (
            f"{results} on other seeds, which K shows, were not opened. As pictures that open again they "
            f"can be saved in the folder {folder}."
        )
        self.app.push_screen(
            ConfirmScreen(
                fact, Choice("s", f"Save and {way}"), Choice("n", "Stay"),
                Choice("y", way.capitalize(), loses=True),
            ),
            use,
        )  # fmt: skip
