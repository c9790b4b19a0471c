"""Augmentations of training images, a module each. See `recipe/contracts.py`."""
