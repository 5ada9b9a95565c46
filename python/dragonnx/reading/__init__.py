"""Files that others made: sizes are bounded before memory is taken, nothing in them can run.

Whatever is wrong with a file is an `InputError` of one sentence.
"""
