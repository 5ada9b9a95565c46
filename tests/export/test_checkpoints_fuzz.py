"""Mutated files of every format: a checkpoint or one sentence, soon, in little memory, no code run."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import io
import os
import pickle
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
import torch
from fuzz.mutate import mutated_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.checkpoint_files import FIXTURES, SMALL, generator_state, nvidia_pickle, random_weights
from support.checkpoint_formats import (
    EASY_DICT,
    NETWORK,
    PERSISTENCE,
    importable,
    rosinality_state,
    tensorflow_network,
    torch_record,
)
from support.checkpoint_projects import adriansahlman_state, paddle_state
from support.pickle_files import npy, zipped
from support.random_stylegan3 import random_stylegan3, stylegan3, stylegan3_state

from dragonnx_export.checkpoints import Checkpoint, CheckpointError, read_checkpoint

PLAIN = dataclasses.replace(SMALL, conv_clamp=None)
WEIGHTS = random_weights(PLAIN)
WAVES = random_stylegan3(stylegan3(num_layers=3, label_dim=2))

MEMORY_PER_BYTE = 4
MEMORY_BESIDE = 1 << 22  # the parsed facts and their objects, whatever the file's size
SECONDS = 5  # of this process: other work on the machine is no fault of the reader
WATCHED = frozenset({"import", "exec", "os.system", "os.exec", "subprocess.Popen"})

DEFAULT = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


class Source(NamedTuple):
    """A valid file as the part that is mutated and what makes a file of that part again."""

    part: bytes
    whole: Callable[[bytes], bytes] = bytes


def _torch(content: Any, *, zip_form: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=zip_form)
    return stream.getvalue()


def _rezipped(data: bytes, member: str) -> Source:
    """A zip whose one member is mutated; its checksum is made right again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = next(name for name in members if name.endswith(member))
    return Source(members[chosen], lambda part: zipped({**members, chosen: part}))


def _rosinality(*, zip_form: bool) -> bytes:
    state = {n: torch.tensor(v) for n, v in rosinality_state(PLAIN, WEIGHTS).items()}
    return _torch({"g_ema": state, "latent_avg": torch.zeros(5)}, zip_form=zip_form)


def _record(protocol: int) -> bytes:
    with importable(PERSISTENCE):
        return pickle.dumps({"G_ema": torch_record(generator_state(SMALL, WEIGHTS))}, protocol)


def _module(*, zip_form: bool) -> bytes:
    with importable(PERSISTENCE):
        return _torch(torch_record(generator_state(SMALL, WEIGHTS)), zip_form=zip_form)


def _tensorflow(protocol: int) -> bytes:
    with importable(NETWORK, EASY_DICT):
        network = tensorflow_network(PLAIN, WEIGHTS)
        return pickle.dumps((network, network, network), protocol)


def _parts() -> bytes:
    flat = {n: torch.tensor(v.copy()) for n, v in adriansahlman_state(PLAIN, WEIGHTS).items()}
    content: dict[str, Any] = {"state_dict": {"dlatent_avg": flat["dlatent_avg"]}}
    for part in ("G_mapping", "G_synthesis"):
        own = {n.removeprefix(f"{part}."): v for n, v in flat.items() if n.startswith(f"{part}.")}
        content[part] = {"kwargs": {"weight_scale": True}, "state_dict": own}
    return _torch(content, zip_form=False)


def _averages() -> bytes:
    state = rosinality_state(PLAIN, WEIGHTS)
    halves = {n: torch.tensor(v).to(torch.bfloat16) for n, v in state.items()}
    averaged = [v for n, v in halves.items() if "noises" not in n and "kernel" not in n]
    content = {"g": halves, "ema": {"shadow_params": averaged}, "latent_avg": torch.zeros(5)}
    return _torch(content, zip_form=False)


def _npz() -> bytes:
    arrays = {f"{name}.npy": npy(values) for name, values in WEIGHTS.items()}
    return zipped({**arrays, "architecture.npy": npy(np.array(PLAIN.to_json()))})


SOURCES: dict[str, Callable[[], Source]] = {
    "pickle of NVIDIA's": lambda: Source(nvidia_pickle(generator_state(SMALL, WEIGHTS))),
    "pickle of NVIDIA's, protocol 2": lambda: Source(_record(2)),
    "pickle of NVIDIA's, protocol 5": lambda: Source(_record(5)),
    "pickle of TensorFlow": lambda: Source(_tensorflow(4)),
    "pickle of TensorFlow, protocol 2": lambda: Source(_tensorflow(2)),
    "rosinality, old form": lambda: Source(_rosinality(zip_form=False)),
    "rosinality, zip": lambda: Source(_rosinality(zip_form=True)),
    "rosinality, pickle in the zip": lambda: _rezipped(_rosinality(zip_form=True), "/data.pkl"),
    "whole module, old form": lambda: Source(_module(zip_form=False)),
    "whole module, pickle in the zip": lambda: _rezipped(_module(zip_form=True), "/data.pkl"),
    "npz": lambda: Source(_npz()),
    "npz, architecture": lambda: _rezipped(_npz(), "architecture.npy"),
    "safetensors": lambda: Source(
        safetensors.numpy.save(WEIGHTS, {"architecture": PLAIN.to_json()})
    ),
    "safetensors of a state dict": lambda: Source(safetensors.numpy.save(WEIGHTS)),
    "two networks of GenForce, pickle in the zip": lambda: _rezipped(
        (FIXTURES / "field" / "genforce-32px.pth").read_bytes(), "/data.pkl"
    ),
    "blocks of any size, pickle in the zip": lambda: _rezipped(
        (FIXTURES / "field" / "eps_sd_5x3.pt").read_bytes(), "/data.pkl"
    ),
    "noise of another size": lambda: Source(
        (FIXTURES / "field" / "ros_rect_squarenoise.pt").read_bytes()
    ),
    "PaddleGAN": lambda: Source(
        pickle.dumps({"gen_ema": paddle_state(PLAIN, WEIGHTS), "latent_avg": np.zeros(5)}, 2)
    ),
    "parts of adriansahlman's": lambda: Source(_parts()),
    "averages in a list, half precision": lambda: Source(_averages()),
    "pickle of StyleGAN3": lambda: Source(nvidia_pickle(stylegan3_state(WAVES))),
    "safetensors of StyleGAN3": lambda: Source(safetensors.numpy.save(dict(WAVES.weights))),
    "the given pickle": lambda: Source((FIXTURES / "stylegan2-ada-32px.pkl").read_bytes()),
}


class Watch:
    """Notes imports and executed code while it is on; an audit hook stays for good."""

    def __init__(self) -> None:
        self.on = False
        self.events: list[tuple[str, str]] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in WATCHED:
            self.events.append((event, str(arguments[:1])))


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """Watches once what the reader itself loads late (random numbers, a codec) is loaded."""
    path = tmp_path_factory.mktemp("valid") / "file"
    for make in SOURCES.values():
        source = make()
        path.write_bytes(source.whole(source.part))
        assert isinstance(read_checkpoint(path), Checkpoint)
    codecs.lookup("cp437")  # the zip format's, for members' names
    return Watch()


@pytest.fixture(scope="module", params=SOURCES.keys())
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[str(request.param)]()


@pytest.fixture
def read_or_refuse(tmp_path: Path, watch: Watch) -> Callable[[bytes], None]:
    path = tmp_path / "file"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        tracemalloc.start()
        started = time.process_time()
        watch.on, watch.events = True, []
        try:
            with contextlib.suppress(CheckpointError):
                assert isinstance(read_checkpoint(path), Checkpoint)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            watch.on = False
            tracemalloc.stop()
        assert time.process_time() - started < SECONDS
        assert peak < MEMORY_PER_BYTE * len(data) + MEMORY_BESIDE
        assert watch.events == []
        assert "DRAGONNX_TRAP" not in os.environ

    return read


def check_mutations(source: Source, read: Callable[[bytes], None], examples: int) -> None:
    @settings(DEFAULT, max_examples=examples)
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        read(source.whole(mutated_bytes(Random(seed), source.part)))  # noqa: S311

    check()


def test_mutations_give_a_checkpoint_or_a_sentence(
    source: Source, read_or_refuse: Callable[[bytes], None]
) -> None:
    check_mutations(source, read_or_refuse, examples=40)


@pytest.mark.slow
def test_many_mutations(source: Source, read_or_refuse: Callable[[bytes], None]) -> None:
    check_mutations(source, read_or_refuse, examples=1500)


def test_truncations_are_refused(source: Source, tmp_path: Path) -> None:
    original = source.whole(source.part)
    path = tmp_path / "cut"

    @settings(DEFAULT, max_examples=25)
    @given(st.integers(0, len(original) - 1))
    def check(cut: int) -> None:
        path.write_bytes(original[:cut])
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(path)
        assert "\n" not in str(caught.value)

    check()
