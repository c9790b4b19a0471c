"""Studies."""

from s2mlp_dsl.diagnostics.record import Code

STUDY_KEY = Code("A0611", "unknown study setting")
UNKNOWN_STUDY_SETTING = STUDY_KEY.says()
SEED_OF_A_STUDY = STUDY_KEY.says(help="write `seeds`: each row runs once per seed")
UNKNOWN_AXIS = STUDY_KEY.says("neither a parameter of `{model}` nor a setting")
SEED_VARIED = STUDY_KEY.says(
    "seeds are repetitions of a row, not rows", help="write `seeds = [0, 1, 2]`"
)

STUDY_VALUES = Code("A0612", "expected a list of values")
SINGLE_VALUE = STUDY_VALUES.says("`{value}` is a single value", help="write `[{text}]`")
NO_VALUES = STUDY_VALUES.says("the list is empty", help="give it values")
VALUE_TWICE = STUDY_VALUES.says(
    "`{value}` is already in the list", help="remove one of them"
)

STUDY_SEEDS = Code("A0613", "invalid seeds")
NO_SEEDS = STUDY_SEEDS.says(
    "`{value}` is neither a number from 1 to {limit:,} nor a list of different whole "
    "numbers",
    help="write `seeds = 3` for the seeds 0, 1 and 2, or `seeds = [0, 5, 7]`",
)

STUDY_PRINTED = Code("A0614", "invalid printed figures")
PRINTED_COUNT = STUDY_PRINTED.says(
    "it has {count} numbers",
    help="write up to four: [top-1, top-5, parameters, MACs], the accuracies in "
    "percent; `none` for one that is not printed",
)
PRINTED_PERCENT_SIGN = STUDY_PRINTED.says(
    "accuracies are in percent already", help="write `{number}`"
)
PRINTED_ACCURACY = STUDY_PRINTED.says("{value} is not an accuracy in percent")
PRINTED_NUMBER = STUDY_PRINTED.says("{value} is not a number of {name}")

STUDY_LABEL = Code("A0615", "duplicate row label")
LABEL_OF_ANOTHER_ROW = STUDY_LABEL.says(
    related="this row has the same label", help="give each case a title of its own"
)

STUDY_MISSING = Code("A0616", "missing required study setting")
NO_RECIPE = STUDY_MISSING.says(
    "it has no recipe to train its rows by", help="write `recipe = {example}`"
)
NO_MODEL = STUDY_MISSING.says(
    "it has no model to train",
    help="write `study {study} of MODEL {{`, or cases",
)

STUDY_CONFLICT = Code("A0617", "setting both varied and fixed")
VARIED_AND_FIXED = STUDY_CONFLICT.says(
    "`{key}` takes each of these values",
    related="and has a fixed value here",
    help="remove one of them",
)

STUDY_MODEL = Code("A0618", "model cannot be trained")
TAKES_CLIPS = STUDY_MODEL.says("it takes clips of {shape}")
ENDS_IN_MAP = STUDY_MODEL.says(
    "it ends in a map of {shape}, not in class scores",
    help="add `pool(mean)` and `linear`",
)
