"""The command line."""

from s2mlp_dsl.cli.app import main

__all__ = ["main"]
