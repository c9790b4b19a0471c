"""Weights that others trained, under the names of a spec."""
