"""The wheel names what others wrote of it, and nothing of the machine that built it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import third_party
from support.program import HANGS

ROOT = Path(__file__).parents[1]
OWN = {"dragonnx-bindings", "dragonnx-kernels"}


def locked() -> dict[str, str]:
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))["package"]
    return {f"pkg:cargo/{p['name']}@{p['version']}": p["name"] for p in packages}


def listed() -> dict[str, str]:
    components = json.loads(third_party.SBOM.read_text("utf-8"))["components"]
    return {each["purl"]: each["name"] for each in components}


def direct() -> set[str]:
    """The crates that our own ask for."""
    manifests = (ROOT / "rust" / name / "Cargo.toml" for name in ("bindings", "kernels"))
    found = (tomllib.loads(path.read_text("utf-8"))["dependencies"] for path in manifests)
    return {name for table in found for name in table} - OWN


@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
@pytest.mark.parametrize(
    "path", [third_party.NOTICES, third_party.SBOM], ids=lambda path: path.name
)
def test_the_files_are_those_of_the_crates(path: Path) -> None:
    assert path.read_text("utf-8") == third_party.files()[path], "run make notices"


def test_every_crate_is_listed_in_the_version_that_is_compiled() -> None:
    assert listed().keys() <= locked().keys()
    assert direct() <= set(listed().values())
    told = third_party.NOTICES.read_text("utf-8")
    for purl in listed():
        name, version = purl.removeprefix("pkg:cargo/").split("@")
        assert re.search(rf"^{re.escape(name)} {re.escape(version)} \(", told, re.MULTILINE), purl
    assert "the Rust standard library" in told


def test_nothing_is_named_by_a_place_or_a_time() -> None:
    text = third_party.SBOM.read_text("utf-8") + third_party.NOTICES.read_text("utf-8")
    assert "file:" not in text
    assert "timestamp" not in text
    assert "serialNumber" not in text
    assert str(Path.home()) not in text


@pytest.mark.slow
def test_a_wheel_holds_the_notices_and_nothing_of_this_machine(tmp_path: Path) -> None:
    subprocess.run(
        ["make", "wheel", f"DIST={tmp_path}"], cwd=ROOT, check=True, timeout=HANGS,
        env=os.environ | {"CARGO_TARGET_DIR": str(tmp_path / "target")},
    )  # fmt: skip
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (third_party.NOTICES, third_party.SBOM):
        assert str(needed.relative_to(ROOT)) in files
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    (folder,) = {name.partition("/")[0] for name in contents if ".dist-info/" in name}
    for name, source in (
        ("licenses/LICENSE", ROOT / "LICENSE"),
        ("licenses/rust/THIRD-PARTY-NOTICES.txt", third_party.NOTICES),
        (f"sboms/{third_party.SBOM.name}", third_party.SBOM),
    ):
        assert contents[f"{folder}/{name}"] == source.read_bytes()
    boms = [name for name in contents if name.startswith(f"{folder}/sboms/")]
    assert boms == [f"{folder}/sboms/{third_party.SBOM.name}"]
    cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for place in (ROOT, tmp_path, Path.home(), cargo_home):
        for name, content in contents.items():
            assert f"{place}/".encode() not in content, (place, name)
