"""A drag as an animation: the latent of every step is kept, and each makes a frame."""

from PIL import ImageDraw

from dragonnx import DragSession, Generator

generator = Generator.open("critters")
session = DragSession(
    generator, generator.w_plus(seed=40), [(113, 151)], [(153, 151)], keep_latents=True
)
for _ in session:
    pass

frames = []
for w_plus, handles in zip(session.latents, session.trace, strict=True):
    frame = generator.image(w_plus)
    draw = ImageDraw.Draw(frame)
    for x, y in handles:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), outline="red", width=2)
    frames.append(frame)
frames[0].save("drag.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)
print(f"{len(frames)} frames in drag.gif")
