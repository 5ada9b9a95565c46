"""Times the steps of an inversion, what they cannot do without, and the same in plain torch.

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
from PIL import Image
from random_models import bundle, config_f, random_weights
from reference.plain_synthesis import weights_modulated
from workloads import interleaved

from dragonnx import Generator, InversionConfig, InversionSession
from dragonnx.inversion.coarse import RENEWAL
from dragonnx.inversion.image_loss import PyramidLoss
from dragonnx.inversion.photo import Photo
from dragonnx_export.checkpoints import read_checkpoint
from dragonnx_export.families.stylegan2 import networks
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint

CRITTERS = Path("export/critters/weights/critters.npz")


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


def steps_of(session: InversionSession, count: int) -> Callable[[], object]:
    """So many steps of a session."""
    return lambda: [next(session) for _ in range(count)]


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    arguments.bundles.mkdir(parents=True, exist_ok=True)
    compare("critters", Generator.open(device="cpu"), read_checkpoint(CRITTERS), arguments.rounds)
    for size in arguments.sizes:
        generator = Generator.open(bundle(size, arguments.bundles), device="cpu")
        compare(f"{size} px", generator, random_weights(config_f(size)), arguments.rounds)


def compare(name: str, generator: Generator, checkpoint: Checkpoint, rounds: int) -> None:
    """Print the row of one model."""
    size = generator.manifest.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    photo = Photo(Image.fromarray(pixels))
    coarse, whole = (
        InversionSession(generator, photo, InversionConfig(steps=10**6, candidates=0, coarse=share))
        for share in (1, 0)
    )
    start = generator.w_plus(0)
    plain = networks.Generator.from_checkpoint(checkpoint)
    seconds = interleaved(
        {
            "torch": torch_step(plain, start, whole.target, as_released=True),
            "torch, as here": torch_step(plain, start, whole.target, as_released=False),
            "coarse": steps_of(coarse, RENEWAL),  # one of them looks at the whole image
            "whole": steps_of(whole, 1),
            "image + pullback": parts(generator, whole.target),
        },
        rounds,
    )
    share = InversionConfig().coarse
    step = share * seconds["coarse"] / RENEWAL + (1 - share) * seconds["whole"]
    print(
        f"{name}: {step * 1e3:.0f} ms a step in the mean, "
        f"{seconds['coarse'] / RENEWAL * 1e3:.0f} ms while small images are compared, "
        f"{seconds['whole'] * 1e3:.0f} ms afterwards, "
        f"{seconds['whole'] / seconds['image + pullback']:.2f} times the image and its pullback "
        f"alone; torch with modulated weights {seconds['torch'] * 1e3:.0f} ms, "
        f"{seconds['torch'] / step:.1f} times as long, with modulated activations "
        f"{seconds['torch, as here'] * 1e3:.0f} ms, {seconds['torch, as here'] / step:.1f} times"
    )


if __name__ == "__main__":
    main()
