"""From `grammar/arch.lark` to the tables of its parser. Lark is used here alone."""

from collections.abc import Mapping
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

from s2mlp_dsl.frontend.tables import Tables, fingerprint
from s2mlp_dsl.frontend.token import END

STARTS = ("start", "expr")


def generate(grammar: str, *, strict: bool = False) -> Tables:
    """The tables of a grammar, the same every time; `strict` refuses any conflict.

    `strict` needs the package `interegular`.
    """
    made = Lark(
        grammar,
        parser="lalr",
        start=list(STARTS),
        keep_all_tokens=True,
        maybe_placeholders=False,
        strict=strict,
    )
    # A literal is called by its text, whatever Lark calls it.
    kinds = {
        one.name: one.pattern.value if isinstance(one.pattern, PatternStr) else one.name
        for one in made.terminals
    } | {END: END}
    patterns = [one for one in made.terminals if kinds[one.name] == one.name]
    literals = [name for one, name in kinds.items() if one != name]
    rules = {rule: number for number, rule in enumerate(made.rules)}
    table = made.parser.parser._parse_table
    places = _places(table.states, table.start_states)
    actions: list[dict[str, int]] = []
    gotos: list[dict[str, int]] = []
    for state in places:
        actions.append({})
        gotos.append({})
        for symbol, (action, argument) in sorted(table.states[state].items()):
            shifts = action is Shift
            target = places[argument] if shifts else -1 - rules[argument]
            if symbol in kinds:
                actions[-1][kinds[symbol]] = target
            else:
                gotos[-1][symbol] = target
    return Tables(
        made_from=fingerprint(grammar),
        patterns={one.name: one.pattern.to_regexp() for one in patterns},
        ignored=list(made.ignore_tokens),
        words=sorted(filter(str.isalpha, literals)),
        signs=sorted(one for one in literals if not one.isalpha()),
        rules=[_reduction(rule) for rule in rules],
        actions=actions,
        gotos=gotos,
        starts={
            one: (places[table.start_states[one]], places[table.end_states[one]])
            for one in STARTS
        },
    )


def _places(
    states: Mapping[int, Mapping[str, Any]], starts: Mapping[str, int]
) -> dict[int, int]:
    """Each state's number here, in the order of first being reached: Lark's vary."""
    places: dict[int, int] = {}
    todo = [starts[one] for one in STARTS]
    for state in todo:
        if state not in places:
            places[state] = len(places)
            reached = sorted(states[state].items())
            todo += [target for _, (action, target) in reached if action is Shift]
    return places


def _reduction(rule: Rule) -> tuple[str, int, str | None]:
    origin, count = rule.origin.name, len(rule.expansion)
    passes = rule.options.expand1 and not rule.alias and count == 1
    return origin, count, None if passes else rule.alias or origin
