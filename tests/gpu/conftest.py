"""The card of these tests, and generators of the bundled model on it and on the CPU."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import pytest

from dragonnx import DeviceError, Generator
from dragonnx.runtime import choose_device

OpenOnCard = Callable[..., Generator]


def had(device: str) -> str:
    """The device, or a skipped test where it is not to be had.

    A machine that must have a card says which in DRAGONNX_TEST_CARD: then nothing is skipped. With
    "cpu" these tests compare the CPU with itself, which tries them where there is no card.
    """
    wanted = os.environ.get("DRAGONNX_TEST_CARD")
    try:
        return choose_device(wanted or device).name
    except DeviceError as error:
        if wanted:
            raise
        pytest.skip(f"no card: {error}")


@pytest.fixture(scope="session")
def card() -> str:
    """The name of the card."""
    return had("cuda")


@pytest.fixture(scope="session")
def open_on_card(card: str) -> OpenOnCard:
    """Opens the bundled model on the card, in float32 where nothing else is asked for."""
    return functools.partial(_opened, card)


@pytest.fixture(scope="session")
def on_card(open_on_card: OpenOnCard) -> Generator:
    """One such generator for all tests, in float32."""
    return open_on_card()


@pytest.fixture(scope="session")
def on_cpu() -> Generator:
    """What everything is compared with."""
    return Generator.open("critters", device="cpu")


def _opened(device: str, precision: str = "float32") -> Generator:
    return Generator.open("critters", device=device, precision=precision)
