"""Studies."""

from s2mlp_dsl.diagnostics.record import Code

STUDY_KEY = Code("A0611", "unknown study setting")
STUDY_VALUES = Code("A0612", "expected a list of values")
STUDY_SEEDS = Code("A0613", "invalid seeds")
STUDY_PRINTED = Code("A0614", "invalid printed figures")
STUDY_LABEL = Code("A0615", "duplicate row label")
STUDY_MISSING = Code("A0616", "missing required study setting")
STUDY_CONFLICT = Code("A0617", "setting both varied and fixed")
STUDY_MODEL = Code("A0618", "model cannot be trained")
