"""Data sets that a recipe can train on, a module each. See `recipe/contracts.py`."""
