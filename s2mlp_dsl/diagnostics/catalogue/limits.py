"""Resource limits, which `--limit` raises."""

from s2mlp_dsl.bounds import how_to_raise
from s2mlp_dsl.diagnostics.catalogue.syntax import TOO_DEEP
from s2mlp_dsl.diagnostics.record import Code, Message

FILE_SIZE = Code("A0801", "spec too large")
SPEC_BYTES = FILE_SIZE.says(
    "it has more than {limit:,} bytes",
    notes=how_to_raise("bytes"),
    help="split it, and import what the model needs",
)
_WITH_THIS_FILE = "with this file there are more than {limit:,} "
_IMPORT_LESS = "import only what the model needs"
IMPORTED_BYTES = FILE_SIZE.says(
    _WITH_THIS_FILE + "bytes", notes=how_to_raise("bytes"), help=_IMPORT_LESS
)
FILES = Code("A0807", "too many imported files")
IMPORTED_FILES = FILES.says(
    _WITH_THIS_FILE + "files", notes=how_to_raise("files"), help=_IMPORT_LESS
)

DIGITS = Code("A0802", "number has too many digits")
LONG_NUMBER = DIGITS.says(
    "the limit is {limit} digits, in the numerator and in the denominator",
    notes=how_to_raise("digits"),
    help="use a shorter number",
)


def _of_the_model(code: Code, name: str, what: str) -> Message:
    return code.says(
        f"{{found}} {what}; the limit is {{limit:,}}",
        notes=how_to_raise(name),
        help="use fewer iterations or a smaller width",
    )


STATEMENTS = Code("A0803", "too many statements")
MODEL_STATEMENTS = _of_the_model(STATEMENTS, "statements", "statements")
STACK_ITERATIONS = STATEMENTS.says(
    "this is {found:,}; the limit is {limit:,}",
    notes=how_to_raise("statements"),
    help="write a smaller number",
)
DISTINCT = Code("A0808", "too many distinct statements")
MODEL_DISTINCT = _of_the_model(DISTINCT, "distinct", "distinct statements")
PARAMETERS = Code("A0804", "too many parameters")
MODEL_PARAMETERS = _of_the_model(PARAMETERS, "parameters", "parameters")
ACTIVATION = Code("A0809", "activations too large")
MODEL_ACTIVATION = _of_the_model(
    ACTIVATION, "activation", "bytes of activations for one image"
)

MAP = Code("A0805", "map too large")
MAP_BYTES = MAP.says(
    "the output is {shape}; the limit is {limit:,} bytes",
    notes=how_to_raise("map"),
    help="use a smaller map or fewer channels",
)

STEPS = Code("A0806", "too many evaluation steps")
EVALUATION_STEPS = STEPS.says(
    "the limit of {limit:,} steps is reached here",
    notes=how_to_raise("steps"),
    help="let fewer iterations of stacks differ",
)

GROUPS_MANY = Code("A0810", "too many shift groups")
SHIFT_GROUPS = GROUPS_MANY.says(
    "{found:,} displacements; the limit is {limit:,}",
    notes=how_to_raise("groups"),
    help="shift fewer steps, or along fewer axes",
)

# The code is that of brackets in brackets: `syntax.TOO_DEEP`.
CONSTANTS_TOO_DEEP = TOO_DEEP.says(
    "more than {limit} steps from one constant to the next",
    help="declare a constant after those that it reads",
)
CALLS_TOO_DEEP = TOO_DEEP.says(
    "more than {limit} levels of calls",
    notes=how_to_raise("nesting"),
    help="call fewer blocks from blocks",
)
VARIANTS_TOO_DEEP = TOO_DEEP.says(
    "more than {limit} levels of variants",
    notes=how_to_raise("nesting"),
    help="derive the variant from the model itself",
)

ROWS = Code("A0811", "too many study rows")
STUDY_ROWS = ROWS.says(
    "{found:,} rows; the limit is {limit:,}",
    notes=how_to_raise("rows"),
    help="vary less at once, or split the study in two",
)
