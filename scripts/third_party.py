"""What others wrote of the wheel's compiled part: their licences, and a list for machines.

`python scripts/third_party.py` writes both files anew, after the crates changed; `make notices` runs it. A
test compares them with what it would write.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOTICES = ROOT / "rust" / "THIRD-PARTY-NOTICES.txt"
SBOM = ROOT / "rust" / "dragonnx.cyclonedx.json"
_COMPILED = "dragonnx-bindings"
_LINE = "=" * 80
_HEADING = """\
The compiled part of dragonnx (dragonnx._core) holds code of the crates that are named here, and of
the Rust standard library. Where a crate may be used under one of several licences, it is MIT.
"""
_STANDARD_LIBRARY = """\
the Rust standard library (MIT OR Apache-2.0), https://www.rust-lang.org

Copyright (c) The Rust Project Contributors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

Crate = Mapping[str, Any]


def main() -> None:
    """Write both files."""
    for path, text in files().items():
        path.write_text(text, "utf-8", newline="\n")


def files() -> dict[Path, str]:
    """The text of each file, by its path."""
    crates, needs = compiled_crates()
    return {NOTICES: notices(crates), SBOM: sbom(crates, needs)}


def compiled_crates() -> tuple[list[Crate], dict[str, list[str]]]:
    """The crates of others that become part of the wheel on some system, by name, and who needs whom.

    Macros and build scripts write code for the compiler and are no part of it themselves.
    """
    command = ["cargo", "metadata", "--format-version=1", "--locked"]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    metadata = json.loads(told.stdout)
    crates = {crate["id"]: crate for crate in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    (start,) = (name for name, crate in crates.items() if crate["name"] == _COMPILED)
    needs: dict[str, list[str]] = {}
    waiting = [start]
    while waiting:
        current = waiting.pop()
        if current in needs:
            continue
        needs[current] = [
            needed["pkg"]
            for needed in nodes[current]["deps"]
            if any(kind["kind"] is None for kind in needed["dep_kinds"])
            and not _is_macro(crates[needed["pkg"]])
        ]
        waiting += needs[current]
    found = sorted((crates[name] for name in needs), key=lambda crate: crate["name"])
    by_name = {
        _purl(crates[name]): sorted(_purl(crates[other]) for other in others)
        for name, others in needs.items()
    }
    return [crate for crate in found if crate["source"]], by_name


def notices(crates: list[Crate]) -> str:
    """The licences of crates, each text once."""
    users = defaultdict(list)
    for crate in crates:
        text = "\n\n".join(path.read_text("utf-8").strip() for path in _licence_files(crate))
        users[text].append(f"{crate['name']} {crate['version']} ({crate['license']})")
    parts = ["\n".join([*names, "", text, ""]) for text, names in users.items()]
    return f"\n{_LINE}\n\n".join([_HEADING, *parts, _STANDARD_LIBRARY])


def _licence_files(crate: Crate) -> list[Path]:
    folder = Path(crate["manifest_path"]).parent
    found = [path for path in sorted(folder.iterdir()) if re.match("LICEN[CS]E|COPYING", path.name)]
    if "MIT" in re.split(r" OR |/", crate["license"]):
        found = [path for path in found if "MIT" in path.name] or [
            path for path in found if "APACHE" not in path.name.upper()
        ]
    if not found:
        raise SystemExit(f"{crate['name']} has no file of its licence: find out what it asks for")
    return found


def sbom(crates: list[Crate], needs: Mapping[str, list[str]]) -> str:
    """The crates as CycloneDX 1.5, without a date or a place, so that equal crates give equal bytes."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))["package"]
    checksums = {(p["name"], p["version"]): p.get("checksum", "") for p in lock}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]
    version = workspace["package"]["version"]
    whole = {
        "type": "library",
        "name": project["name"],
        "version": version,
        "bom-ref": f"pkg:pypi/{project['name']}@{version}",
        "purl": f"pkg:pypi/{project['name']}@{version}",
        "licenses": [{"expression": project["license"]}],
    }
    components = [
        {
            "type": "library",
            "name": crate["name"],
            "version": crate["version"],
            "bom-ref": _purl(crate),
            "purl": _purl(crate),
            "licenses": [{"expression": crate["license"].replace("/", " OR ")}],
            "hashes": [{"alg": "SHA-256", "content": checksums[crate["name"], crate["version"]]}],
        }
        for crate in crates
    ]
    listed = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": whole},
        "components": components,
        "dependencies": list(_dependencies(whole["bom-ref"], crates, needs)),
    }
    return json.dumps(listed, indent=1) + "\n"


def _dependencies(
    whole: object, crates: list[Crate], needs: Mapping[str, list[str]]
) -> Iterator[dict[str, object]]:
    """Who needs whom; our own crates are part of the whole."""
    known = {_purl(crate) for crate in crates}
    ours = {other for name, others in needs.items() if name not in known for other in others}
    yield {"ref": whole, "dependsOn": sorted(ours & known)}
    for name in sorted(known):
        yield {"ref": name, "dependsOn": needs[name]}


def _is_macro(crate: Crate) -> bool:
    return any("proc-macro" in target["kind"] for target in crate["targets"])


def _purl(crate: Crate) -> str:
    return f"pkg:cargo/{crate['name']}@{crate['version']}"


if __name__ == "__main__":
    main()
