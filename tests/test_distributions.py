"""What is distributed: one version everywhere, and few packages that come with it."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lowest_versions import constraints
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from try_distribution import look_through

import dragonnx

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]["package"]["version"]
"""The one place where it is written; what cannot be derived from it is compared here."""

OTHERS = ("export/pyproject.toml", "export/critters/pyproject.toml")


def project(file: str) -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / file).read_text("utf-8"))["project"])


def packages_of(requirements: list[str]) -> set[str]:
    """The packages that an installation of these brings, as far as this environment knows."""
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), {""}) for text in requirements]
    while waiting:
        requirement, extras = waiting.pop()
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = canonicalize_name(requirement.name)
        if (name, str(requirement)) not in seen:
            seen.add((name, str(requirement)))
            needed = importlib.metadata.requires(name) or []
            waiting += [(Requirement(text), {"", *requirement.extras}) for text in needed]
    return {name for name, _ in seen}


def test_the_version_is_that_of_the_workspace() -> None:
    assert "version" in project("pyproject.toml")["dynamic"]
    assert dragonnx.__version__ == importlib.metadata.version("dragonnx") == VERSION
    assert "__version__" in dir(dragonnx)


@pytest.mark.parametrize("file", OTHERS)
def test_the_other_distributions_have_the_same_version(file: str) -> None:
    assert project(file)["version"] == VERSION


def test_the_citation_and_the_changelog_know_the_version() -> None:
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    told = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(VERSION)} - \d{{4}}-\d\d-\d\d$", told, re.MULTILINE)
    assert "\n## Unreleased\n" in told


def test_the_exporter_asks_for_the_dragonnx_of_its_version() -> None:
    (asked,) = [each for each in project(OTHERS[0])["dependencies"] if "dragonnx" in each]
    assert asked == f"dragonnx[cpu]=={VERSION}"


def test_the_exporter_has_the_same_licence() -> None:
    assert (ROOT / "export" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_distribution_bounds_a_package_alike() -> None:
    own = {Requirement(text).name: text for text in project("pyproject.toml")["dependencies"]}
    for file in OTHERS:
        for text in project(file)["dependencies"]:
            assert own.get(Requirement(text).name, text) == text, file


def test_few_packages_come_with_it() -> None:
    """Beyond NumPy, ONNX Runtime and what that brings, and dragonnx counted: at most fifteen."""
    facts = project("pyproject.toml")
    everything = packages_of(facts["dependencies"] + facts["optional-dependencies"]["cpu"])
    ours = everything - packages_of(["numpy", "onnxruntime"]) | {"dragonnx"}
    assert len(ours) <= 15, sorted(ours)


def test_the_lowest_versions_of_all_packages_are_tried() -> None:
    lowest = constraints(ROOT / "pyproject.toml")
    assert "numpy==2.3" in lowest
    assert len(lowest) == len({line.partition("==")[0] for line in lowest})
    named = {Requirement(text).name for text in project("pyproject.toml")["dependencies"]}
    assert named < {line.partition("==")[0] for line in lowest}


@pytest.mark.parametrize(
    ("more", "missing", "complaint"),
    [
        ([], [], None),
        (["tests/conftest.py"], [], "holds what does not belong there: tests/conftest.py"),
        (["dragonnx/__pycache__/text.pyc"], [], "does not belong there"),
        (["dragonnx/_core.cp312.so"], [], "must hold one compiled core"),
        ([], ["dragonnx/_core.abi3.so"], "must hold one compiled core"),
        ([], ["dragonnx-1.dist-info/licenses/LICENSE"], "holds no licence"),
    ],
)
def test_a_wheel_is_looked_through(
    more: list[str], missing: list[str], complaint: str | None, tmp_path: Path
) -> None:
    wheel = tmp_path / "dragonnx-1-cp311-abi3-any.whl"
    usual = ["dragonnx/__init__.py", "dragonnx/_core.pyi", "dragonnx/_core.abi3.so"]
    usual.append("dragonnx-1.dist-info/licenses/LICENSE")
    with zipfile.ZipFile(wheel, "w") as packed:
        for name in {*usual, *more} - {*missing}:
            packed.writestr(name, "")
    if complaint is None:
        look_through(wheel)
    else:
        with pytest.raises(SystemExit, match=complaint):
            look_through(wheel)
