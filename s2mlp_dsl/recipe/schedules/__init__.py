"""Learning rate schedules, a module each. See `recipe/contracts.py`."""
