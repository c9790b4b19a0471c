"""Arguments and the values of expressions."""

from s2mlp_dsl.diagnostics.record import Code

TOO_MANY = Code("A0401", "too many arguments")
UNKNOWN_ARGUMENT = Code("A0402", "unknown parameter")
GIVEN_TWICE = Code("A0403", "duplicate argument")
MISSING = Code("A0404", "missing argument")
WRONG_KIND = Code("A0405", "wrong kind of value")
NOT_A_COUNT = Code("A0406", "expected a whole number")
UNKNOWN_CHOICE = Code("A0407", "invalid choice")
DIVIDED_BY_ZERO = Code("A0408", "division by zero")
OUT_OF_RANGE = Code("A0409", "index out of range")
NO_DIM = Code("A0410", "`dim` is not defined here")
UNKNOWN_KIND = Code("A0411", "unknown parameter kind")
POSITIONAL_LATE = Code("A0412", "positional argument after a named one")
