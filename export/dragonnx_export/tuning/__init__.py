"""Bending a generator to a photo, and the optimiser that does it."""
