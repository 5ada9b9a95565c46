"""Faces as generators of aligned faces want them: landmarks, who finds them, and the cut."""
