"""Shifts."""

from s2mlp_dsl.diagnostics.record import Code

SHARES = Code("A0421", "channel shares do not sum to 1")
NO_EDGE = Code("A0422", "missing edge rule")
UNKNOWN_EDGE = Code("A0423", "unknown edge rule")
SAID_TWICE = Code("A0424", "duplicate item in a shift")
