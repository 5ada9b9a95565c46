"""Where the nodes of a graph run: asked of ONNX Runtime's profiler, not guessed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dragonnx.runtime.ort import onnxruntime
from dragonnx.runtime.providers import Device
from dragonnx.runtime.session import open_session
from dragonnx.runtime.turns import turn
from dragonnx.types import Array


def node_placement(path: Path, device: Device, inputs: Mapping[str, Array]) -> dict[str, list[str]]:
    """Run a graph once under the profiler: the kinds of its nodes, by execution provider.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime().SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = open_session(path, device, options)
        with turn(device):
            session.run(None, {i.name: inputs[i.name] for i in session.get_inputs()})
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    kinds: dict[str, set[str]] = {}
    for event in events:
        facts = event.get("args", {})
        if event.get("cat") == "Node" and "provider" in facts:
            kinds.setdefault(facts["provider"], set()).add(facts["op_name"])
    return {provider: sorted(names) for provider, names in sorted(kinds.items())}
