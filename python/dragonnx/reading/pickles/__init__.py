"""Pickles that others made, and the files of torch.save, read as plain data: nothing in them runs.

What a file names is looked up in a vocabulary of stand-ins; nothing is ever imported.
"""
