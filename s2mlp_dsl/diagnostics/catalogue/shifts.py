"""Shifts."""

from s2mlp_dsl.diagnostics.catalogue.shapes import GROUPS
from s2mlp_dsl.diagnostics.record import Code

SHARES = Code("A0421", "channel shares do not sum to 1")
SHARES_BELOW_ONE = SHARES.says(
    "{terms} = {total}, not 1", help="add `rest stay` for the remaining {rest}"
)
SHARES_ABOVE_ONE = SHARES.says("{terms} = {total}, not 1", help="remove {excess}")
NEGATIVE_SHARE = SHARES.says(
    "this is {share}", related="used here", help="write a share between 0 and 1"
)
UNEQUAL_INTERLEAVED = SHARES.says(
    "interleaved groups must be equal; these have {sizes} channels",
    help="make the shares equal, or remove `interleave`",
)
EMPTY_RANGE = SHARES.says(
    "`{text}` makes no displacement",
    help="write the smaller end first: `{last} .. {first}`",
)
EMPTY_LIST = SHARES.says(
    "`{text}` makes no displacement", help="list the steps of each group: `[1, -1]`"
)

SHARE_NOT_WHOLE = GROUPS.says(
    "the map here has {channels} channels",
    related="{share} of {channels} channels is {exact}",
    help="make the width a multiple of {step}: {sizes}",
)
GROUP_WITHOUT_CHANNELS = GROUPS.says(
    "the map here has {channels} channels",
    related="{count} displacements: at least one group has no channels",
    help="make the width a multiple of {count}",
)

NO_EDGE = Code("A0422", "missing edge rule")
EDGE_MISSING = NO_EDGE.says(
    "`{name}` has no line `edge …`",
    help="write `edge keep`, as in the paper, or one of {others}",
)

UNKNOWN_EDGE = Code("A0423", "unknown edge rule")
NO_EDGE_RULE = UNKNOWN_EDGE.says(
    "the rules are {rules}", help="write `edge keep`, as in the paper"
)
WRONG_EDGE_RULE = UNKNOWN_EDGE.says(
    "this is `{value}`; the rules are {rules}",
    related="used here",
    help="give `{name}` one of them",
)

SAID_TWICE = Code("A0424", "duplicate item in a shift")
ITEM_AGAIN = SAID_TWICE.says(related="first here", help="remove one of them")
AXIS_AGAIN = SAID_TWICE.says(
    "a second move {axis}", related="first here", help="write the sum of both"
)
