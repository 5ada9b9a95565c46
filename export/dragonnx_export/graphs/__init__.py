"""What graphs of any family are written with: nodes by name, and one file of weights."""
