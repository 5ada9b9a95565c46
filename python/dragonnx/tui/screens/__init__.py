"""The editor's screens, one a file, each with its style sheet."""
