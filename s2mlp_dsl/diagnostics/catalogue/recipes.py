"""Recipes."""

from s2mlp_dsl.diagnostics.record import Code

RECIPE_SETTING = Code("A0601", "unknown setting")
UNKNOWN_SETTING = RECIPE_SETTING.says()

RECIPE_VALUE = Code("A0602", "invalid value")
INVALID_VALUE = RECIPE_VALUE.says("expected {expected}")
NOT_ONE_LENGTH = RECIPE_VALUE.says("{problem}")

RECIPE_MISSING = Code("A0603", "missing required setting")
MISSING_SETTINGS = RECIPE_MISSING.says("needs {names}", help="write {example}")
