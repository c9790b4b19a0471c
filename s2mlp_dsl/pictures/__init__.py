"""What a program is written as: one target per file."""
