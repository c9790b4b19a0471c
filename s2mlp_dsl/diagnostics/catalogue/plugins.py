"""What other packages register."""

from s2mlp_dsl.diagnostics.record import Code

REGISTERED_TWICE = Code("A0309", "registered more than once", exit_code=4)
NAME_REGISTERED_TWICE = REGISTERED_TWICE.says(
    "`{name}` is registered by {owners}",
    help="uninstall {theirs}, or register it under another name",
)
NOT_LOADED = Code("A0310", "package cannot be loaded", exit_code=4)
PACKAGE_NOT_LOADED = NOT_LOADED.says(
    "`{name}` of {owner}: {reason}", help="fix {owner}, or reinstall it"
)
NO_OPERATOR = Code("A0311", "invalid registration", exit_code=4)
CONTRACT_NOT_MET = NO_OPERATOR.says(
    "`{name}` of {owner}: {reason}", help="docs/writing-a-plugin.md has the contract"
)

NOT_EMITTED = Code("A0312", "module of a package cannot be emitted", exit_code=4)
MODULE_UNREADABLE = NOT_EMITTED.says(
    "`{name}` of {owner}: {path} cannot be read: {reason}",
    help="fix {owner}, or reinstall it",
)
MODULE_NAME_TAKEN = NOT_EMITTED.says(
    "`{name}` of {owner}: {path} and {other} both define `{definition}`",
    help="rename it in {path}",
)
MODULE_FORBIDDEN = NOT_EMITTED.says(
    "`{name}` of {owner}: `{definition}` uses {found}, which emitted source must not",
    help="`s2mlp_dsl/lower/source_check.py` lists what it may use",
)
MODULE_UNDEFINED = NOT_EMITTED.says(
    "`{name}` of {owner}: `construct` names `{definition}`, which is not defined",
    help="define it in the file that `modules` names",
)
