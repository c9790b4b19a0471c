"""Operators, and the shapes that they take and leave."""

from s2mlp_dsl.diagnostics.record import Code

NOT_A_MAP = Code("A0201", "operator needs a map")
PATCHES = Code("A0202", "patches do not tile the map")
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
NO_IMAGE = Code("A0208", "missing image")
IMAGE_MISSING = NO_IMAGE.says(
    "there is no input yet", help="write `image(channels, height, width)` before it"
)
IMAGE_AGAIN = Code("A0209", "duplicate `image` statement")
EPS = Code("A0210", "invalid eps")
PATTERN = Code("A0211", "pattern does not match the map")
NOT_RESTORED = Code("A0212", "region cannot be undone")
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
NORM_GROUPS = Code("A0215", "invalid norm groups")
WINDOW = Code("A0216", "window does not fit the map")
CONV_GROUPS = Code("A0217", "convolution groups do not divide the channels")
NOT_TOKENS = Code("A0218", "operator needs tokens")
KERNELS = Code("A0219", "fixed kernels do not match")
NEEDS_TIME = Code("A0425", "temporal shift on a still image")
