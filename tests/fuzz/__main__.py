"""The command `python -m fuzz`: more inputs than the tests take the time for; goes on where it stopped.

Findings are printed, and their files are left in the output folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from fuzz.campaign import Finding, Worker, case_of, findings
from fuzz.corpus import valid_case
from fuzz.readers import READERS

_SHARE = 500
"""Inputs after which a process takes the next reader's."""
_MEMORY = 4 << 30
"""Bytes of address space for making inputs."""


def main() -> int:
    """Run; 1 where there are findings."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="for each reader [20000]")
    parser.add_argument("--seed", type=int, default=0, help="gives other inputs [0]")
    parser.add_argument("--reader", action="append", choices=sorted(READERS), help="[all]")
    parser.add_argument("--only", type=int, help="the input of this number alone")
    parser.add_argument("--output", type=Path, default=Path("out/fuzz"), help="[out/fuzz]")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="[all cores]")
    asked = parser.parse_args()
    readers = asked.reader or list(READERS)
    if asked.only is not None:
        found = [f for r in readers for f in _run(r, asked.seed, range(asked.only, asked.only + 1))]
        for finding in found:
            _keep(finding, asked.output)
        return min(len(found), 1)
    return _campaign(readers, asked.seed, asked.inputs, asked.output, asked.processes)


def _campaign(readers: list[str], seed: int, inputs: int, output: Path, processes: int) -> int:
    output.mkdir(parents=True, exist_ok=True)
    done = output / f"seed-{seed}.jsonl"
    count = 0
    before = [json.loads(line) for line in done.read_text().splitlines()] if done.exists() else []
    shares = [s for s in _shares(readers, inputs) if list(s) not in [b["share"] for b in before]]
    for known in before:
        for facts in known["findings"] if known["share"][0] in readers else ():
            count += 1
            print(Finding(**facts))
    with ProcessPoolExecutor(processes) as pool, done.open("a") as file:
        running = {
            pool.submit(_run, reader, seed, range(start, end)): (reader, start, end)
            for reader, start, end in shares
        }
        try:
            for future in as_completed(running):
                found = future.result()
                share = {"share": running[future], "findings": [vars(finding) for finding in found]}
                file.write(json.dumps(share) + "\n")
                file.flush()
                count += len(found)
                for finding in found:
                    _keep(finding, output)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    print(f"{inputs} inputs for each of {', '.join(readers)}, seed {seed}: {count} findings")
    return min(count, 1)


def _shares(readers: list[str], inputs: int) -> Iterator[tuple[str, int, int]]:
    for start in range(0, inputs, _SHARE):
        for reader in readers:
            yield reader, start, min(start + _SHARE, inputs)


def _run(reader: str, seed: int, numbers: range) -> list[Finding]:
    # Making an input that is too large is a fault of the harness, not one for the whole machine.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))
    with Worker({reader: valid_case(reader)}) as worker:
        return list(findings(worker, reader, seed, numbers))


def _keep(finding: Finding, output: Path) -> None:
    """Print a finding and leave its files."""
    folder = output / f"{finding.reader}-{finding.seed}-{finding.number}"
    if not folder.exists():
        folder.mkdir(parents=True)
        case_of(finding.reader, finding.seed, finding.number).lay(folder)
    print(finding, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
