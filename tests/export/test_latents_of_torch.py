"""What torch itself saves is read without it, and its tensors are taken where arrays are."""

from __future__ import annotations

import argparse
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.bundled import NUM_WS, W_DIM

from dragonnx import Generator, InputError, LatentStart, load_latent

LATENT = torch.randn(1, NUM_WS, W_DIM, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", "cpu", threads=1)


class Searched(torch.nn.Module):
    """As a search for a latent that is saved with its optimiser."""

    def __init__(self) -> None:
        super().__init__()
        self.latent = torch.nn.Parameter(LATENT.clone())


def trained() -> dict[str, Any]:
    module = Searched()
    optimiser = torch.optim.Adam(module.parameters())
    module.latent.grad = torch.ones_like(LATENT)
    optimiser.step()
    return {
        "state_dict": {"latent": LATENT, "latent_avg": LATENT * 0},
        "optimizer_states": [optimiser.state_dict()],
        "opts": argparse.Namespace(path=Path("a"), device=torch.device("cuda:0")),
        "dtype": torch.float32,
        "size": torch.Size([1, 2]),
        "seconds": np.float64(1.5),
    }


SAVED: dict[str, Callable[[], Any]] = {
    "tensor": lambda: LATENT,
    "parameter": lambda: torch.nn.Parameter(LATENT),
    "turned": lambda: LATENT.transpose(1, 2).contiguous().transpose(1, 2),
    "expanded": lambda: LATENT.expand(3, NUM_WS, W_DIM),
    "state dict": lambda: Searched().state_dict(),
    "parameters by name": lambda: torch.nn.ParameterDict({"w": LATENT}),
    "ordered": lambda: OrderedDict(z=LATENT * 0, latent=LATENT[0]),
    "trained": trained,
    "array": LATENT.numpy,
    "lazily negated": lambda: torch._neg_view(-LATENT),
}


@pytest.mark.parametrize("saved", SAVED)
def test_what_torch_saves(generator: Generator, tmp_path: Path, saved: str) -> None:
    content = SAVED[saved]()
    for zipped in (True, False):
        torch.save(content, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
        np.testing.assert_array_equal(load_latent(tmp_path / "a.pt", generator=generator), LATENT)
    for protocol in range(2, 6):
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol))
        np.testing.assert_array_equal(load_latent(tmp_path / "a.pkl", generator=generator), LATENT)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_numbers_of_other_lengths(generator: Generator, tmp_path: Path, dtype: torch.dtype) -> None:
    torch.save({"w_plus": LATENT.to(dtype)}, tmp_path / "a.pt")
    expected = LATENT.to(dtype).float()
    np.testing.assert_array_equal(load_latent(tmp_path / "a.pt", generator=generator), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_tensors_with_a_gradient_are_taken(generator: Generator, dtype: torch.dtype) -> None:
    tensor = LATENT.clone().to(dtype).requires_grad_()
    expected = tensor.detach().float().numpy()
    np.testing.assert_array_equal(generator.checked_w_plus(tensor), expected)
    np.testing.assert_array_equal(LatentStart(w_plus=tensor).w_plus, expected)


def test_tensors_without_numbers_are_refused(generator: Generator) -> None:
    for tensor in (LATENT.to("meta"), LATENT.to_sparse()):
        with pytest.raises(InputError, match="a latent must be an array of numbers"):
            generator.checked_w_plus(tensor)


class Own(torch.Tensor):
    """Of a class of its own."""


UNREAD: dict[str, Callable[[], torch.Tensor]] = {
    "float8_e4m3fn": lambda: LATENT.to(torch.float8_e4m3fn),
    "sparse": LATENT[0].to_sparse,
    "quantised": lambda: torch.quantize_per_tensor(LATENT, 0.1, 0, torch.qint8),
    "meta": lambda: LATENT.to("meta"),
}


@pytest.mark.filterwarnings("ignore:Sparse invariant checks", "ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("kind", UNREAD)
def test_tensors_of_other_kinds_are_left_beside_a_latent_and_named_in_its_place(
    generator: Generator, tmp_path: Path, kind: str
) -> None:
    torch.save({"odd": UNREAD[kind](), "w": LATENT}, tmp_path / "a.pt")
    np.testing.assert_array_equal(load_latent(tmp_path / "a.pt", generator=generator), LATENT)
    torch.save({"w": UNREAD[kind]()}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=f"it holds values of type {kind}"):
        load_latent(tmp_path / "a.pt", generator=generator)


def test_a_tensor_of_its_own_class_is_a_tensor(generator: Generator, tmp_path: Path) -> None:
    torch.save([LATENT.as_subclass(Own)], tmp_path / "a.pt")
    np.testing.assert_array_equal(load_latent(tmp_path / "a.pt", generator=generator), LATENT)
