"""The editor's events as Textual's messages."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from dragonnx.editor.events import Event


@dataclass
class EditorEvent(Message):
    """Something happened outside the screen's thread."""

    event: Event

    def can_replace(self, message: Message) -> bool:
        """Whether a message that waits behind this one makes it useless."""
        return isinstance(message, EditorEvent) and self.event.is_replaced_by(message.event)
