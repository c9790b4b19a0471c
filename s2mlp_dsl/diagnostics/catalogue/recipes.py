"""Recipes."""

from s2mlp_dsl.diagnostics.record import Code

RECIPE_SETTING = Code("A0601", "unknown setting")
RECIPE_VALUE = Code("A0602", "invalid value")
RECIPE_MISSING = Code("A0603", "missing required setting")
