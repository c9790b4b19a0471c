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
