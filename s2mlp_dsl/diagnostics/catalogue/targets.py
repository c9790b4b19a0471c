"""Targets and shift implementations."""

from s2mlp_dsl.diagnostics.record import Code

NOT_SAID = Code("A0901", "target cannot express the model")
ANOTHER = Code("A0902", "target computes a different result")
LOWERING = Code("A0903", "shift cannot be computed this way", exit_code=2)
