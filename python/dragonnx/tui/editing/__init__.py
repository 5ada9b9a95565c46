"""What the editor's actions do, one concern a file."""
