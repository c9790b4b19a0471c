"""Claims."""

from s2mlp_dsl.diagnostics.record import Code

CLAIM_FAILS = Code("A0501", "claim does not hold")
CLAIM_UNDECIDED = Code("A0502", "claim cannot be decided")
CLAIM_MODEL = Code("A0503", "claim about an unknown model")
CLAIM_FORM = Code("A0504", "invalid claim")
UNKNOWN_LABEL = Code("A0505", "unknown label")
UNKNOWN_OPERATOR = Code("A0506", "unknown operator")
SHAPES_DIFFER = Code("A0507", "statements with this label have different shapes")
NO_ITERATION = Code("A0508", "not enough iterations")
DROPPED = Code("A0509", "rows of the map are dropped", "note")
