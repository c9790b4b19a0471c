"""Conversion of third-party weights to a spec's parameter names."""
