"""Arguments and the values of expressions."""

from s2mlp_dsl.diagnostics.record import Code

TOO_MANY = Code("A0401", "too many arguments")
TAKES_FEWER = TOO_MANY.says("`{name}` takes {parameters}", help="remove it")
_ONE_BLOCK = "`apply` takes one block"
_WRITE_APPLY = "write `apply(mixer)`, for a parameter `mixer: block`"
APPLIES_TOO_MANY = TOO_MANY.says(_ONE_BLOCK, help=_WRITE_APPLY)

UNKNOWN_ARGUMENT = Code("A0402", "unknown parameter")
NO_PARAMETER = UNKNOWN_ARGUMENT.says("`{name}` takes {parameters}", help="remove it")
BY_POSITION_ONLY = UNKNOWN_ARGUMENT.says(
    "`{name}` takes its arguments by position", help="write only the value: `{value}`"
)

GIVEN_TWICE = Code("A0403", "duplicate argument")
GIVEN_AGAIN = GIVEN_TWICE.says(
    "`{name}` again",
    related="`{name}` is given here already",
    help="remove one of them",
)
GIVEN_IN_PATTERN = GIVEN_TWICE.says(
    "the pattern says `{axis}` = {size} already", help="remove one of them"
)

MISSING = Code("A0404", "missing argument")
ARGUMENTS_MISSING = MISSING.says(
    "`{name}` needs {parameters}",
    related="declared here without a default",
    help="write `{written}`",
)
OPERATOR_ARGUMENTS_MISSING = MISSING.says(
    "`{name}` needs {parameters}", help="write `{written}`, such as `{example}`"
)
FUNCTION_ARGUMENTS_MISSING = MISSING.says("`{name}` needs {wanted}; {given} given")
PARALLEL_ARGUMENTS_MISSING = MISSING.says(
    "`parallel` needs {parameters}",
    help="write `parallel(copy, merge = sum) {{ … }}`",
)
APPLIES_NOTHING = MISSING.says(_ONE_BLOCK, help=_WRITE_APPLY)

WRONG_KIND = Code("A0405", "wrong kind of value")
NOT_THE_KIND = WRONG_KIND.says(
    "`{value}` is {found}, not {wanted}", help="write {wanted} here"
)
QUOTED_NUMBER = WRONG_KIND.says(
    "`{value}` is {found}, not {wanted}", help="write `{number}`, without quotes"
)
NOT_THE_PARAMETERS_KIND = WRONG_KIND.says(
    "`{value}` is {found}",
    related="`{name}` is {wanted}",
    help="give `{name}` {wanted}",
)
NOT_A_NUMBER_BY_DEFAULT = WRONG_KIND.says(
    "`{value}` is {found}",
    related="`{name}` is {wanted}",
    help="pass a number, or declare `{name}: {kind}`",
)
SHIFT_IN_SHIFT = WRONG_KIND.says(
    "a shift cannot take another shift", help="pass a number"
)
NO_SHIFT_VALUE = WRONG_KIND.says(
    "`{value}` is {found}, not a shift", help="name a declared shift, or `none`"
)
NO_NUMBER_VALUE = WRONG_KIND.says("`{name}` cannot be `{value}`", help="write a number")
BEYOND_FLOATS = WRONG_KIND.says(
    "float32 has no such number", help="use a number from 1e-37 to 1e38, or 0"
)
_KERNELS = "write `[[0, 1, 0], [1, 0, 1], [0, 1, 0]]`, or a list of such kernels"
NO_KERNELS = WRONG_KIND.says("`{value}` is {found}", help=_KERNELS)
EMPTY_KERNELS = WRONG_KIND.says("a list is empty", help=_KERNELS)

NOT_A_COUNT = Code("A0406", "expected a whole number")
FRACTION = NOT_A_COUNT.says(
    "this is {numerator}/{denominator}, or {decimal:g}",
    help="choose numbers that divide, or write `floor({text})`",
)
BELOW_LEAST = NOT_A_COUNT.says(
    "this is {value}", help="write a number of at least {least}"
)
ABOVE_MOST = NOT_A_COUNT.says(
    "this is {value}", help="write a number of at most {most:,}"
)

UNKNOWN_CHOICE = Code("A0407", "invalid choice")
NO_CHOICE = UNKNOWN_CHOICE.says(help="write {choices}")
NO_CHOICE_OF_PARAMETER = UNKNOWN_CHOICE.says(
    "`{name}` cannot be `{value}`", help="write {choices}"
)
NO_FEED = UNKNOWN_CHOICE.says(
    "`{value}` is not a way to feed branches",
    help="write `split` to give each a share of the channels, or `copy` for all",
)
NO_MERGE = UNKNOWN_CHOICE.says("this does not merge branches")

DIVIDED_BY_ZERO = Code("A0408", "division by zero")
ZERO = DIVIDED_BY_ZERO.says(
    "this is 0", help="the divisor must never be 0; the index of a stack starts at 0"
)

OUT_OF_RANGE = Code("A0409", "index out of range")
PAST_THE_END = OUT_OF_RANGE.says(
    "this is {index}; the list has {count} items",
    help="write a number from 0 to {last}",
)
INDEX_OF_EMPTY = OUT_OF_RANGE.says(
    "this is {index}; the list is empty", help="give the list an item"
)

NO_DIM = Code("A0410", "`dim` is not defined here")
NO_INPUT_HERE = NO_DIM.says(
    "this is not inside a block, residual, stack or shift",
    help="write the number of channels",
)

UNKNOWN_KIND = Code("A0411", "unknown parameter kind")
NO_KIND = UNKNOWN_KIND.says(
    "the kinds are {kinds}", help="write `number`, or leave it out"
)

POSITIONAL_LATE = Code("A0412", "positional argument after a named one")
NEEDS_ITS_NAME = POSITIONAL_LATE.says(
    "positional arguments come first", help="name it, or move it before the named ones"
)
