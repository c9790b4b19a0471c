"""Text to syntax tree, with as many independent errors as the text has."""

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.automaton import Automaton, Unexpected
from s2mlp_dsl.frontend.build import TooDeep
from s2mlp_dsl.frontend.explain import bad_character, too_deep, unexpected
from s2mlp_dsl.frontend.grammar import tables
from s2mlp_dsl.frontend.lexer import Lexer, NoToken
from s2mlp_dsl.frontend.reader import Reader
from s2mlp_dsl.source import Source


def parse(source: Source, report: Report) -> tree.File:
    """Read a whole file. Mistakes go to `report`; what parses is returned."""
    reader = Reader(source, report)
    declarations = reader.read()
    return tree.File(
        source,
        declarations,
        tuple(reader.lexer.comments),
        tuple(reader.damaged),
        frozenset(reader.lost),
    )


def parse_expression(source: Source, report: Report) -> tree.Expr:
    """Read one expression, as given to `--set`. Raises `AlreadyReported`."""
    lexer, parser = Lexer(tables(), source), Automaton(tables(), "expr")
    try:
        expression: tree.Expr | None = None
        while expression is None:
            expression = parser.feed(lexer.next(parser.allowed))
        return expression
    except NoToken as error:
        raise bad_character(report, source, error.at) from error
    except Unexpected as error:
        raise unexpected(report, source, error.token, parser.accepts()) from error
    except TooDeep as error:
        raise too_deep(report, error.span) from error
