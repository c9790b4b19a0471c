"""Operators, and the shapes of their inputs and outputs.

`{number} = {divisor} · {quotient} + {rest}` says that one does not divide the other.
"""

from s2mlp_dsl.diagnostics.record import Code

NOT_A_MAP = Code("A0201", "operator needs a map")
MAP_NEEDED = NOT_A_MAP.says(
    "the input is a {kind}, {shape}, which has no grid",
    help="write this where there still is a map",
)
POSITIONS_NEEDED = NOT_A_MAP.says(
    "the input is a vector of {channels} channels, a single position",
    help="write this before the map is pooled",
)
ALREADY_POOLED = NOT_A_MAP.says(
    "the input is a vector of {channels} channels",
    help="the map is already pooled: remove this statement",
)
PATCHES = Code("A0202", "patches do not tile the map")
PATCHES_DIVIDE = PATCHES.says(
    "{axis} {number} = {quotient} · {divisor} + {rest}",
    help="use a size that divides {sides}, such as {near}",
)
GROUPS = Code("A0203", "shift groups do not divide the channels")
RESIDUAL = Code("A0204", "residual branch changes the shape")
_RESIDUAL_INPUT = "the input is {input}"
RESIDUAL_CHANNELS = RESIDUAL.says(
    "the output is {output}",
    related=_RESIDUAL_INPUT,
    help="end with `linear(dim)`, which gives {channels} channels",
)
RESIDUAL_POSITIONS = RESIDUAL.says(
    "the output is {output}",
    related=_RESIDUAL_INPUT,
    help="do not change the positions inside a residual",
)
EMPTY = Code("A0205", "empty body")
NOTHING_INSIDE = EMPTY.says(help="write a statement inside, or remove it")
ONLY_NONE_INSIDE = EMPTY.says(
    "every block in it is `none`", help="give one of them another value"
)
EVEN_KERNEL = Code("A0206", "kernel size must be odd")
KERNEL_EVEN = EVEN_KERNEL.says("{kernel} is even", help="use {below} or {above}")
NO_IMAGE = Code("A0208", "missing image")
IMAGE_MISSING = NO_IMAGE.says(
    "there is no input yet", help="write `image(channels, height, width)` before it"
)
IMAGE_AGAIN = Code("A0209", "duplicate `image` statement")
SECOND_IMAGE = IMAGE_AGAIN.says(
    "there already is a map, {shape}", help="remove this statement"
)
EPS = Code("A0210", "invalid eps")
EPS_WITHOUT_VARIANCE = EPS.says(
    "`affine` has no variance to add it to",
    help="remove it, or use `norm(layer)`",
)
EPS_NOT_POSITIVE = EPS.says(
    "it must be above zero", help="use a small number, such as 1e-5"
)
PATTERN = Code("A0211", "pattern does not match the map")
_AS_IN = "write it as `y x c -> c (y x)`: the axes before, and after"
PATTERN_LONG = PATTERN.says("it is longer than {limit} characters", help="shorten it")
PATTERN_TOKEN = PATTERN.says("unexpected `{token}`", help=_AS_IN)
PATTERN_BRACKET = PATTERN.says("a bracket is not closed", help=_AS_IN)
PATTERN_SIDES = PATTERN.says("it does not have two sides", help=_AS_IN)
PATTERN_TOO_MANY = PATTERN.says(
    "the {side} side has {axes}",
    help="a shape has 1 to {limit} axes, including the channels",
)
PATTERN_TWICE = PATTERN.says("`{axis}` is twice on the {side}", help="name it once")
PATTERN_EMPTY = PATTERN.says("there is no axis in these brackets", help="remove them")
PATTERN_ONE_SIDE = PATTERN.says(
    "`{axis}` is only on the {side} side", help="name it on both sides"
)
PATTERN_ZERO = PATTERN.says("`{axis}` has size 0", help="it must be at least 1")
PATTERN_RANK = PATTERN.says(
    "the left side has {axes}, and the input is {shape}",
    help="name each axis of the input, the channels last",
)
PATTERN_OPEN = PATTERN.says(
    "{size} is the product of {axes}",
    help="give the size of one of them, such as `{axis} = 2`",
)
PATTERN_SIZE = PATTERN.says(
    "`{axis}` is {known} here, and {size} in the input", help="leave its size out"
)
PATTERN_PRODUCT = PATTERN.says(
    "`{axis}` is {known} here, and {size} in the input",
    help="change one of the sizes",
)
PATTERN_DIVIDES = PATTERN.says(
    "{number} = {quotient} · {divisor} + {rest}",
    help="use sizes that divide {number}",
)
NOT_RESTORED = Code("A0212", "region cannot be undone")
FOLD_CHANNELS = NOT_RESTORED.says(
    "the result is {result}, and the input was {input}",
    help="end with `linear(dim)`, which gives {channels} channels again",
)
FOLD_POSITIONS = NOT_RESTORED.says(
    "the result is {result}, and the input was {input}",
    help="do not change the positions inside",
)
NOT_CROPPABLE = NOT_RESTORED.says(
    "the result, {shape}, cannot be cropped",
    help="do not change the {length} {lines} inside",
)
CROP_TOO_LONG = NOT_RESTORED.says("the map is {shape}", help="keep at most {most}")
BRANCHES = Code("A0213", "branches cannot be merged")
_TWO_BRANCHES = "write `branch {{ … }}` at least twice; an empty branch is the identity"
NO_BRANCH = BRANCHES.says("there is no branch", help=_TWO_BRANCHES)
ONE_BRANCH = BRANCHES.says("there is only one branch", help=_TWO_BRANCHES)
UNEVEN_SPLIT = BRANCHES.says(
    "{channels} channels = {count} · {part} + {rest}",
    help="make the width a multiple of {count}, such as {next}",
)
_BRANCH_OUTPUTS = ("the output is {output}", "the output is {first}")
BRANCH_CHANNELS = BRANCHES.says(
    _BRANCH_OUTPUTS[0],
    related=_BRANCH_OUTPUTS[1],
    help="end both with the same channels, such as `linear({channels})`",
)
BRANCH_POSITIONS = BRANCHES.says(
    _BRANCH_OUTPUTS[0],
    related=_BRANCH_OUTPUTS[1],
    help="keep the positions of all branches the same",
)
HEADS = Code("A0214", "heads do not divide the channels")
HEADS_DIVIDE = HEADS.says(
    "{number} channels = {divisor} · {quotient} + {rest}", help="use {near} heads"
)
NORM_GROUPS = Code("A0215", "invalid norm groups")
NORM_WITHOUT_GROUPS = NORM_GROUPS.says(
    "`{norm}` has no groups",
    help="remove it, or use `norm(group, groups = {groups})`",
)
NORM_GROUPS_DIVIDE = NORM_GROUPS.says(
    "{number} channels = {divisor} · {quotient} + {rest}",
    help="use a number that divides {number}",
)
NORM_OF_ONE_NUMBER = NORM_GROUPS.says(
    "each group is a single number here, which is its own mean",
    help="use fewer groups",
)
WINDOW = Code("A0216", "window does not fit the map")
NO_WINDOW_FITS = WINDOW.says(
    "{axis} {length} + 2 · {pad} is less than {size}",
    help="use a smaller window or more padding",
)
NO_WINDOWS = WINDOW.says(
    "without a size there are no windows",
    help="write `pool(max, size = 3, stride = 2, pad = 1)`, for example",
)
PAD_TOO_LARGE = WINDOW.says(
    "{pad} is more than half of {size}",
    help="a window must not lie outside the map",
)
CONV_GROUPS = Code("A0217", "convolution groups do not divide the channels")
GROUPS_DIVIDE = CONV_GROUPS.says(
    "{number} {side} channels = {divisor} · {quotient} + {rest}",
    help="use a number that divides both",
)
NOT_TOKENS = Code("A0218", "operator needs tokens")
TOKENS_NEEDED = NOT_TOKENS.says(
    "the input is a {kind}, {shape}",
    help='write `rearrange("y x c -> (y x) c")` before it, for a map',
)
KERNELS = Code("A0219", "fixed kernels do not match")
LEARNED_BIAS = KERNELS.says(
    "a bias would be learned",
    help="remove it; `norm(affine)` adds a bias and a factor",
)
FILTER_LENGTH = KERNELS.says(
    "{filter} has {kernels}; its group has {channels}",
    help="give each filter a kernel for each input channel of its group",
)
KERNELS_DIVIDE = KERNELS.says(
    "{number} channels = {divisor} {what} · {quotient} + {rest}",
    help="the number of {what} must divide the output channels",
)
KERNEL_SIZE = KERNELS.says(
    "{kernel} is {size}; the kernel is {side} × {side}",
    help="give it {side} rows of {side} numbers",
)
KERNEL_VALUE = KERNELS.says(
    "{value:g} is outside the range of single precision",
    help="use numbers from 1e-37 to 1e38, or 0",
)
REFUSED_BY_OPERATOR = Code("A0220", "operator cannot be used here")
# For operators of packages, with their own words; `help` may be given beside.
REFUSED = REFUSED_BY_OPERATOR.says("{reason}")
NEEDS_TIME = Code("A0425", "temporal shift on a still image")
TIME_NEEDED = NEEDS_TIME.says(
    "the map is {shape}",
    help="move right, left, down or up, or start with `video`",
)
