"""Generators that are closed while threads compute with them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from support.bundled import FAR, NOSE, SEED

from dragonnx import DragSession, Generator, StateError

CLOSED = "the generator was closed: open it again with Generator.open"
HANG = 60.0
"""Seconds after which a test that waits has failed."""


def ends_of_three_threads_on_closing(generator: Generator) -> list[str]:
    """How threads ended that were computing without end when their generator was closed."""
    w_plus = generator.w_plus(SEED)
    session = DragSession(generator, w_plus, [NOSE], [FAR])
    ended: list[str] = []
    computing = threading.Barrier(4)

    def work(make: Callable[[], object]) -> None:
        make()
        computing.wait(HANG)
        try:
            while True:
                make()
        except StateError as error:
            ended.append(str(error))

    makes: list[Callable[[], object]] = [
        lambda: next(session),
        lambda: generator.image(w_plus),
        lambda: generator.features(w_plus),
    ]
    threads = [threading.Thread(target=work, args=(make,)) for make in makes]
    for thread in threads:
        thread.start()
    computing.wait(HANG)
    generator.close()
    for thread in threads:
        thread.join(HANG)
    return ended
