"""Proof that an artifact is what the IR says."""
