"""What all tests share: time for inputs of Hypothesis on a busy machine, and that Ctrl+C is heard."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def heard_interrupts() -> None:
    """A shell starts what is in the background deaf to Ctrl+C, and so would be all that tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
