"""Times an inversion step of dragonnx, what it cannot do without, and the same in plain torch.

    python benchmarks/inversion_step.py --bundles out/benchmarks

Interleaved in one run. The bundled model, and config-f channels with random weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from drag_step import bundle, config_f, interleaved, random_weights
from PIL import Image
from plain_synthesis import weights_modulated

from dragonnx import Generator, InversionConfig, InversionSession
from dragonnx.inversion.image_loss import PyramidLoss
from dragonnx.inversion.photo import Photo
from dragonnx_export import networks


def torch_step(
    generator: networks.Generator, w_plus: np.ndarray, target: np.ndarray, *, as_released: bool
) -> Callable[[], object]:
    """A step of a projection: image, the same loss, autograd, Adam on w_plus.

    As released, weights are modulated; otherwise activations are, as dragonnx has it.
    """
    latent = torch.tensor(w_plus).requires_grad_()
    adam = torch.optim.Adam([latent], lr=1e-3)
    loss = PyramidLoss()
    loss.set_target(target)

    def step() -> None:
        adam.zero_grad()
        with weights_modulated() if as_released else nullcontext():
            image = generator.synthesis(latent)
        image.backward(torch.from_numpy(loss(image.detach().numpy())[1]))
        adam.step()

    return step


def parts(generator: Generator, target: np.ndarray) -> Callable[[], object]:
    """The image and its pullback alone, as the graphs give them."""
    w_plus = generator.w_plus(0)
    return lambda: generator.image_pullback(generator.image_layers(w_plus), target)


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    arguments.bundles.mkdir(parents=True, exist_ok=True)
    for size in arguments.sizes:
        generator = Generator.open(bundle(size, arguments.bundles), device="cpu")
        pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
        config = InversionConfig(steps=10**6, candidates=0)
        session = InversionSession(generator, Photo(Image.fromarray(pixels)), config)
        start = generator.w_plus(0)
        plain = networks.Generator.from_checkpoint(random_weights(config_f(size)))
        seconds = interleaved(
            {
                "torch": torch_step(plain, start, session.target, as_released=True),
                "torch, as here": torch_step(plain, start, session.target, as_released=False),
                "step": lambda session=session: next(session),
                "image + pullback": parts(generator, session.target),
            },
            arguments.rounds,
        )
        print(
            f"{size} px: {seconds['step'] * 1e3:.0f} ms a step, "
            f"{seconds['step'] / seconds['image + pullback']:.2f} times the image and its pullback "
            f"alone; torch with modulated weights {seconds['torch'] * 1e3:.0f} ms, "
            f"{seconds['torch'] / seconds['step']:.1f} times as long, with modulated activations "
            f"{seconds['torch, as here'] * 1e3:.0f} ms, "
            f"{seconds['torch, as here'] / seconds['step']:.1f} times"
        )


if __name__ == "__main__":
    main()
