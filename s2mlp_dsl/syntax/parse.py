"""Text to syntax tree, with as many independent errors as the text has."""

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.source import Source
from s2mlp_dsl.syntax import tree
from s2mlp_dsl.syntax.build import TooDeep, current_comments, current_source
from s2mlp_dsl.syntax.explain import bad_character, too_deep, unexpected
from s2mlp_dsl.syntax.grammar import parser
from s2mlp_dsl.syntax.reader import Reader


def parse(source: Source, report: Report) -> tree.File:
    """Read a whole file. Mistakes go to `report`; what parses is returned."""
    comments: list[tree.Comment] = []
    reset_source = current_source.set(source)
    reset_comments = current_comments.set(comments)
    try:
        reader = Reader(source, report)
        declarations = reader.read()
    finally:
        current_source.reset(reset_source)
        current_comments.reset(reset_comments)
    return tree.File(
        source,
        declarations,
        tuple(comments),
        tuple(reader.damaged),
        frozenset(reader.lost),
    )


def parse_expression(source: Source, report: Report) -> tree.Expr:
    """Read one expression, as given to `--set`. Raises `Poisoned` if it is none."""
    reset_source = current_source.set(source)
    reset_comments = current_comments.set([])
    parse = parser().parse_interactive(source.text, start="expr")
    try:
        for token in parse.lexer_thread.lex(parse.parser_state):
            parse.feed_token(token)
        expression: tree.Expr = parse.feed_eof()
        return expression
    except UnexpectedCharacters as error:
        raise bad_character(report, source, error.pos_in_stream or 0) from error
    except UnexpectedToken as error:
        raise unexpected(report, source, error.token, parse.accepts()) from error
    except TooDeep as error:
        raise too_deep(report, error.span) from error
    finally:
        current_source.reset(reset_source)
        current_comments.reset(reset_comments)
