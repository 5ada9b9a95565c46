"""Prints pip's constraints for the lowest version of each package that pyproject.toml names."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
EXTRAS = ("cpu", "video", "heic", "metrics")


def main() -> None:
    print(*constraints(PROJECT), sep="\n")


def constraints(file: Path) -> list[str]:
    """A line for each package, such as `numpy==2.0`; one without a lower bound is refused."""
    project = tomllib.loads(file.read_text("utf-8"))["project"]
    named = list(project["dependencies"])
    for extra in EXTRAS:
        named += project["optional-dependencies"][extra]
    return [_lowest(Requirement(text)) for text in named]


def _lowest(requirement: Requirement) -> str:
    bounds = [each.version for each in requirement.specifier if each.operator in {">=", "~=", "=="}]
    if len(bounds) != 1:
        raise SystemExit(f"{requirement} needs one lower bound, such as {requirement.name}>=1.0")
    return f"{requirement.name}=={bounds[0]}"


if __name__ == "__main__":
    main()
