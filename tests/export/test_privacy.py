"""An export, too, tells nobody: it proves its graphs with ONNX Runtime, which by default reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkpoint_files import SMALL, generator_state, nvidia_pickle, random_weights
from support.sealed import CAN_SEAL, SealedHome

pytestmark = pytest.mark.skipif(not CAN_SEAL, reason="the kernel cannot be asked to watch sockets")


def test_an_export_tells_nobody(tmp_path: Path) -> None:
    sealed = SealedHome(tmp_path)
    checkpoint = nvidia_pickle(generator_state(SMALL, random_weights(SMALL)))
    (sealed.work / "tiny.pkl").write_bytes(checkpoint)
    done = sealed.run(
        "import sys; sys.argv[1:] = ['tiny.pkl', '-o', 'bundle']\n"
        "from dragonnx_export.cli import main; main()"
    )
    assert done.returncode == 0, done.stderr
    assert (sealed.work / "bundle" / "manifest.json").is_file()
    assert sealed.foreign_files() == []
