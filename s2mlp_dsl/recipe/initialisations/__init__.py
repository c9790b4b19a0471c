"""Initialisations of matrices and kernels, a module each. See `recipe/contracts.py`."""
