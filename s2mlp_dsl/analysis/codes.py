"""What can be wrong with a claim."""

from s2mlp_dsl.diagnostics import code

CLAIM_FAILS = code("A0501", "this claim does not hold")
CLAIM_UNDECIDED = code("A0502", "this claim cannot be decided")
CLAIM_MODEL = code("A0503", "a claim is about a model of this file")
CLAIM_FORM = code("A0504", "a claim is a comparison or a call that can be decided")
UNKNOWN_LABEL = code("A0505", "no statement has this label")
UNKNOWN_OPERATOR = code("A0506", "there is no such operator")
DROPPED = code("A0509", "rows of the map are dropped", "note")
SHAPES_DIFFER = code("A0507", "statements of this label leave different shapes")
NO_ITERATION = code("A0508", "the model has fewer iterations")
