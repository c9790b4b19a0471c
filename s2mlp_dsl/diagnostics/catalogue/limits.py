"""Resource limits, which `--limit` raises."""

from s2mlp_dsl.diagnostics.record import Code

FILE_SIZE = Code("A0801", "spec too large")
DIGITS = Code("A0802", "number has too many digits")
STATEMENTS = Code("A0803", "too many statements")
PARAMETERS = Code("A0804", "too many parameters")
MAP = Code("A0805", "map too large")
STEPS = Code("A0806", "too many evaluation steps")
FILES = Code("A0807", "too many imported files")
DISTINCT = Code("A0808", "too many distinct statements")
ACTIVATION = Code("A0809", "activations too large")
GROUPS_MANY = Code("A0810", "too many shift groups")
ROWS = Code("A0811", "too many study rows")
