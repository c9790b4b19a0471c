"""Names and their declarations."""

from s2mlp_dsl.diagnostics.record import Code

UNKNOWN_NAME = Code("A0301", "undeclared name")
UNDECLARED = UNKNOWN_NAME.says()
NO_FUNCTION = UNKNOWN_NAME.says("there is no function of this name")
NO_RECIPE = UNKNOWN_NAME.says("no recipe of this name is declared or imported")
NO_MODEL = UNKNOWN_NAME.says("no model of this name is declared or imported")

UNKNOWN_STATEMENT = Code("A0302", "unknown operator or block")
NO_STATEMENT = UNKNOWN_STATEMENT.says(
    help="`s2mlp-dsl explain A0302` lists the operators"
)
MERGE_ALONE = UNKNOWN_STATEMENT.says(
    "`{name}` merges the branches of a `parallel`",
    help="write `parallel(copy, merge = {name}) {{ … }}`",
)
TAKES_NO_BODY = UNKNOWN_STATEMENT.says(
    "`{name}` does not take a body", help="remove the braces"
)

DECLARED_TWICE = Code("A0303", "duplicate declaration")
DECLARED_AGAIN = DECLARED_TWICE.says(
    related="first declared here", help="rename one of them"
)
SET_AGAIN = DECLARED_TWICE.says(related="first written here", help="remove one of them")

KEYWORD = Code("A0304", "reserved keyword")
NAMED_LIKE_KEYWORD = KEYWORD.says(
    "`{name}` is a keyword", help="use another name, such as `{name}_`"
)

TAKEN = Code("A0305", "name already in use")
NAMED_LIKE_BUILT_IN = TAKEN.says(
    "`{name}` is built in", help="use another name, such as `my_{name}`"
)

WRONG_DECLARATION = Code("A0306", "wrong kind of name")
_IS_NOT = "`{name}` is a {kind}, not a {wanted}"
NOT_OF_THIS_KIND = WRONG_DECLARATION.says(_IS_NOT)
SHIFT_AS_STATEMENT = WRONG_DECLARATION.says(_IS_NOT, help="write `shift({name})`")
MODEL_AS_STATEMENT = WRONG_DECLARATION.says(
    _IS_NOT, help="declare what both need as a `block`"
)
BLOCK_AS_VALUE = WRONG_DECLARATION.says(
    _IS_NOT, help="a block is a statement of its own: `{name}`"
)

RECURSION = Code("A0307", "recursive definition")
BLOCK_CYCLE = RECURSION.says(
    "{cycle}", help="repeat a block with `stack n {{ … }}` instead"
)
VARIANT_CYCLE = RECURSION.says(
    "{cycle}", help="make one of them a variant of a model with a body"
)
CONSTANT_CYCLE = RECURSION.says("{cycle}", help="give one of them a number")
SHIFT_OF_ITSELF = RECURSION.says(
    "`{name}` is used in its own parameters", help="give it a number"
)
APPLIES_ITSELF = RECURSION.says(
    "`{name}` is being expanded already", help="pass it another block to apply"
)

LABEL_TWICE = Code("A0308", "duplicate label")
LABEL_AGAIN = LABEL_TWICE.says(related="first used here", help="rename one of them")
