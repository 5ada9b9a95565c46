"""Changed files of every kind are opened, or refused in a sentence, soon, in little memory, and no more.

`make fuzz` tries a hundred times as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from fuzz.campaign import Worker, findings
from fuzz.corpus import valid_case
from fuzz.readers import READERS, WRITERS
from support.system_calls import AVAILABLE

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="bounds a process as Linux alone can")

SEED = 0
INPUTS = 200


@pytest.fixture(scope="module")
def workers() -> Iterator[Mapping[str, Worker]]:
    """One for all but those who may write."""
    valid = {reader: valid_case(reader) for reader in READERS}
    with ExitStack() as stack:
        shared = Worker({r: valid[r] for r in READERS.keys() - WRITERS})
        workers = {
            reader: Worker({reader: valid[reader]}) if reader in WRITERS else shared
            for reader in READERS
        }
        for worker in set(workers.values()):
            stack.enter_context(worker)
        yield workers


@pytest.mark.parametrize("reader", READERS)
def test_valid_input_is_opened(workers: Mapping[str, Worker], reader: str) -> None:
    answer = workers[reader].answer(reader, workers[reader].valid[reader])
    assert (answer["outcome"], answer["fault"]) == ("opened", "")


@pytest.mark.parametrize("reader", READERS)
def test_changed_input_is_opened_or_refused(workers: Mapping[str, Worker], reader: str) -> None:
    assert [
        str(finding) for finding in findings(workers[reader], reader, SEED, range(INPUTS))
    ] == []
