"""Operators that other packages bring."""

from s2mlp_dsl.diagnostics.record import Code

REGISTERED_TWICE = Code("A0309", "operator registered more than once", exit_code=4)
NOT_LOADED = Code("A0310", "operator cannot be loaded", exit_code=4)
NO_OPERATOR = Code("A0311", "invalid operator", exit_code=4)
