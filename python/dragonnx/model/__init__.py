"""What a model is and what it computes: manifest, bundle, library, latents, generator."""
