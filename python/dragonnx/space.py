"""The latent spaces in which something is optimised."""

from typing import Literal

Space = Literal["w+", "w"]
"""Whether every layer has a w of its own, or one w moves them all."""
