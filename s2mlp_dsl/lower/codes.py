"""What can be wrong with how a model is asked to be computed."""

from s2mlp_dsl.diagnostics import code

LOWERING = code("A0903", "this lowering cannot compute the shift", exit_code=2)
