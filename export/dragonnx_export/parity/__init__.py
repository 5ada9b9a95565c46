"""Proof that graphs give what torch gives: measured, written down, held to bounds."""
