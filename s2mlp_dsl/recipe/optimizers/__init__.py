"""Optimizers, a module each. See `recipe/contracts.py`."""
