"""The bundled model `critters`: a renderer of toy animals, and a StyleGAN2 generator fitted to it."""
