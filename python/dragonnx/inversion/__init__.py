"""A photo becomes a latent: on ONNX Runtime alone, by descending the difference of two images."""
