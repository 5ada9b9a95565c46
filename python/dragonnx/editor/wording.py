"""What users read of a task that failed: one table, and one place that makes the sentence."""

from __future__ import annotations

from dragonnx.editor.events import Task
from dragonnx.editor.state import EditorState

_COULD_NOT = {
    Task.OPEN_MODEL: "open the model {subject}",
    Task.MAKE_PICTURE: "make the picture",
    Task.DRAG: "drag",
    Task.INVERT: "invert the photo",
    Task.SAVE: "save the document",
    Task.EXPORT: "write {subject}",
    Task.OPEN_FILE: "open {subject}",
    Task.CONTACT_SHEET: "make the contact sheet",
    Task.WALK: "write {subject}",
    Task.READ_DIRECTION: "read the direction {subject}",
}


def failure(state: EditorState, task: Task, reason: str, subject: str = "") -> None:
    """Tell the user that a task failed, and why.

    Args:
        state: Where to tell it.
        task: Which.
        reason: What the error said, of any length.
        subject: The file or the model that it was about.
    """
    if task is Task.SAVE:
        reason += ". It is still here: save it again, or in another place."
    heading = f"Could not {_COULD_NOT[task].format(subject=subject)}"
    state.say(reason, "bad", heading)
