"""Why a model cannot be handed out as one of the targets."""

from s2mlp_dsl.diagnostics import code

NOT_SAID = code("A0901", "this target cannot express the model")
ANOTHER = code("A0902", "this target computes something else")
