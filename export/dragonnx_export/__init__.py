"""Turns StyleGAN2 checkpoints into verified dragonnx bundles; the only part that needs torch."""
