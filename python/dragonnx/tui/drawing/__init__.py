"""Scenes drawn for a terminal: as cells of characters, or as pixels."""
