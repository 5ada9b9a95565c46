"""The editor without a screen: state, commands, jobs and events. Front-ends show it and call it."""

from dragonnx.editor.editor import Editor

__all__ = ["Editor"]
