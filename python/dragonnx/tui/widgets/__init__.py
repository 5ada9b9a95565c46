"""The editor's widgets, one a file."""
