"""A photo becomes a latent, and is dragged: `python own_photo.py photo.jpg [STEPS]`.

The model finds in a photo what it was trained on; `dragonnx invert --help` tells of faces.
"""

import sys

from dragonnx import (
    DragConfig,
    DragSession,
    Generator,
    InversionConfig,
    invert,
    load_photo,
    save_latent,
)

photo = sys.argv[1] if len(sys.argv) > 1 else "photo.jpg"
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 500

generator = Generator.open("critters")
search = invert(generator, load_photo(photo), InversionConfig(steps=steps))
for found in search:  # Ctrl+C may end it: what was found is kept
    if found.number % 10 == 0:
        print(f"step {found.number}: {found.psnr:.1f} dB")
save_latent(search.w_plus, "photo.npz")
generator.image(search.w_plus).save("found.png")

session = DragSession(
    generator, search.w_plus, [(113, 151)], [(123, 151)], config=DragConfig(max_steps=5)
)
for _ in session:
    pass
generator.image(session.w_plus).save("dragged.png")
