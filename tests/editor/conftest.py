"""The bundled model, and folders of each test's own."""

from support.surroundings import critters, labels, opened_once, surroundings

__all__ = ["critters", "labels", "opened_once", "surroundings"]
