"""Claims."""

from s2mlp_dsl.diagnostics.record import Code

CLAIM_FAILS = Code("A0501", "claim does not hold")
_CLAIM_THIS = "claim `{claim} == {exact}`, or change the model"
IS_NOT_EQUAL = CLAIM_FAILS.says(
    "this is {found}", related="this is {wanted}", help=_CLAIM_THIS
)
IS_NOT_NEAR = CLAIM_FAILS.says(
    "this is {found}", notes="{reason}; this is off by {gap}", help=_CLAIM_THIS
)
NO_INSTANCE = CLAIM_FAILS.says(
    "no weights make the second equal to the first",
    help="compare their edge rules and how far they reach",
)

CLAIM_UNDECIDED = Code("A0502", "claim cannot be decided")
NOT_LINEAR = CLAIM_UNDECIDED.says(
    "`{name}` is not a linear map of its input",
    help="compare linear maps, such as `shift(…)` and `depthwise(3)`",
)
LARGE_MATRIX = CLAIM_UNDECIDED.says(
    "the matrix of `{name}` has {entries:,} entries; the limit is {limit:,}",
    help="claim it for a smaller map",
)
LEARNED_FIRST = CLAIM_UNDECIDED.says(
    "the first map has weights of its own",
    help="use a fixed map as the first, such as a shift",
)
LARGE_MAPS = CLAIM_UNDECIDED.says(
    "the maps are too large or too many to compute the receptive field"
)
NO_STACK = CLAIM_UNDECIDED.says(
    "the model has no stack with iterations to count",
    help="put the blocks into a `stack`",
)
UNBOUND = CLAIM_UNDECIDED.says(
    "the model has unbound parameters: {parameters}",
    help="claim it of a variant that binds them",
)

CLAIM_MODEL = Code("A0503", "claim about an unknown model")
NO_SUCH_MODEL = CLAIM_MODEL.says("this file declares no such model")

CLAIM_FORM = Code("A0504", "invalid claim")
NOT_A_COMPARISON = CLAIM_FORM.says(
    "this is neither true nor false",
    help="compare it with a figure, such as `{example}`",
)
NOT_AS_PRINTED = CLAIM_FORM.says(
    "expected a number as it was printed",
    help="give a tolerance: `~= {text} within 1%`",
)
NEGATIVE_TOLERANCE = CLAIM_FORM.says(
    "this is {tolerance}",
    help="a tolerance is at least 0, such as `1%` or `0.5M`",
)
INSTANCE_MISSING = CLAIM_FORM.says(
    "{parts} not given",
    help="write `instance(A, of = B, on = [height, width, channels])`",
)
NOT_A_SIZE = CLAIM_FORM.says(
    "this is `{value}`", help="write `[height, width, channels]`"
)
NOT_CONTENT = CLAIM_FORM.says(
    "a receptive field is through everything, or through `content`",
    help="write `through = content`, or omit it",
)
NOT_A_SELECTION = CLAIM_FORM.says(
    "this selects no statements", help="select by a label, or by `op(norm)`"
)
NOT_A_LABEL = CLAIM_FORM.says("this is not a label", help="write a label")

UNKNOWN_LABEL = Code("A0505", "unknown label")
NO_LABEL = UNKNOWN_LABEL.says()
NO_LABELS = UNKNOWN_LABEL.says(help="write `{name}: ` before the statement")
OPERATOR_AS_LABEL = UNKNOWN_LABEL.says(help="write `op({name})` to select an operator")

UNKNOWN_OPERATOR = Code("A0506", "unknown operator")
NOT_AN_OPERATOR = UNKNOWN_OPERATOR.says()
NO_OPERATOR = UNKNOWN_OPERATOR.says(
    help="compare operators, such as `shift(cross)` and `depthwise(3)`"
)

SHAPES_DIFFER = Code("A0507", "statements with this label have different shapes")
SHAPES_OF_STATEMENTS = SHAPES_DIFFER.says(
    "{first} and {other}",
    related=("the output is {first}", "the output is {other}"),
    help="give the statement a label of its own",
)
SHAPES_OF_ONE_STATEMENT = SHAPES_DIFFER.says(
    "{first} and {other}",
    related="the output is either",
    help="give the statement a label of its own",
)

NO_ITERATION = Code("A0508", "not enough iterations")
TOO_FEW_ITERATIONS = NO_ITERATION.says(
    "this is {wanted:,}; the model's stacks have {iterations:,}",
    help="write a number from 1 to {iterations}",
)
NO_ITERATIONS = NO_ITERATION.says(
    "this is {wanted:,}; the model has no stack", help="put the blocks into a `stack`"
)

DROPPED = Code("A0509", "rows of the map are dropped", "note")
UNREAD = DROPPED.says(
    "no window reads {unread}",
    notes="the input is {input}, the output {output}",
    help="use a map with {fitting}, or pad it",
)
