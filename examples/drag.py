"""A drag in ten lines: the nose of a critter to the right."""

from dragonnx import DragConfig, DragSession, Generator

generator = Generator.open("critters")  # or the folder of a bundle of yours
session = DragSession(
    generator, generator.w_plus(seed=40), handle_points=[(113, 151)], target_points=[(153, 151)],
    config=DragConfig(max_steps=30),
)  # fmt: skip
for step in session:
    print(step.number, step.handle_points.round(1).tolist(), step.distances.round(1).tolist())
generator.image(session.w_plus).save("dragged.png")
