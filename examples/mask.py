"""A drag that may move one part of the picture alone: how much the rest changes, with a mask and without."""

import numpy as np

from dragonnx import DragConfig, DragSession, Generator

generator = Generator.open("critters")
start = generator.w_plus(seed=40)
height, width = generator.manifest.image_size

mask = np.zeros((height, width), bool)  # True may move; dragonnx.load_mask reads one from a picture
mask[100:200, 60:200] = True

before = np.asarray(generator.image(start), float)
for name, chosen in (("free", None), ("masked", mask)):
    session = DragSession(
        generator, start, [(113, 151)], [(133, 151)], chosen, DragConfig(max_steps=5)
    )
    for step in session:
        print(name, step.number, dict(step.losses))
    after = generator.image(session.w_plus)
    after.save(f"{name}.png")
    change = np.abs(np.asarray(after, float) - before)[~mask].mean()
    print(f"{name}: {change:.2f} of 255 outside the mask, in the mean")
