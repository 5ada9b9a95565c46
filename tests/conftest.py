"""What all tests share: one thread for sums, time for inputs of Hypothesis, and that Ctrl+C is heard."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# Before NumPy and torch are there. The suites run side by side, and threads that wait for each other
# on busy cores spin: of torch they take five times as long as one does.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def heard_interrupts() -> None:
    """A shell starts what is in the background deaf to Ctrl+C, and so would be all that tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
