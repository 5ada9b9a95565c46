"""Who gets what of a machine: how many workers there are, on which device, with how many threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dragonnx.errors import InputError
from dragonnx.reading.values import whole
from dragonnx.runtime import CPU, choose_device, why_not
from dragonnx.types import DeviceName, Precision

MOST_WORKERS = 1024
_MOST_CARDS = 64


@dataclass(frozen=True)
class Shares:
    """What workers get.

    Attributes:
        devices: Of each worker, as `choose_device` takes it.
        threads: CPU threads of each, for graphs and kernels.
        share_weights: Whether workers find the weights in files that all of them map.
        may_be_fewer: Whether there may be fewer workers, where memory is short.
    """

    devices: tuple[DeviceName, ...]
    threads: int
    share_weights: bool
    may_be_fewer: bool = False


def shares(workers: int | None, device: DeviceName, precision: Precision) -> Shares:
    """Share a machine out.

    On the CPU there is a worker for each core, where nobody says, since small graphs make little of
    several threads, or as many as memory has room for; all workers together have no more threads than
    there are cores. On CUDA there is one for each card.

    Args:
        workers: How many; None for as many as are good.
        device: "cuda" is all cards, "cuda:1" the second one.
        precision: Which the device must have.

    Raises:
        DeviceError: The device or its precision is not to be had.
        InputError: There would be more workers than cores.
    """
    chosen = choose_device(device, precision)
    count = cores()
    if chosen.kind == CPU.name:
        wanted = count if workers is None else whole(workers, "workers", 1, MOST_WORKERS)
        if wanted > count:
            raise InputError(
                f"workers must be at most {count}, since dragonnx may use {count} cores here, "
                f"not {wanted}"
            )
        return Shares(
            (chosen.name,) * wanted,
            count // wanted,
            share_weights=wanted > 1,
            may_be_fewer=workers is None,
        )
    provider = chosen.provider
    places = (
        (chosen.name,)
        if ":" in str(device)
        else tuple(
            f"{provider.name}:{ordinal}"
            for ordinal in range(_MOST_CARDS)
            if ordinal == 0 or not why_not(provider, ordinal)
        )
    )
    wanted = len(places) if workers is None else whole(workers, "workers", 1, MOST_WORKERS)
    devices = tuple(places[number % len(places)] for number in range(wanted))
    return Shares(devices, max(count // wanted, 1), share_weights=False)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
