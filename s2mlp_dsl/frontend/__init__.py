"""Text to syntax tree."""

from s2mlp_dsl.frontend.grammar import keywords
from s2mlp_dsl.frontend.parse import parse, parse_expression

__all__ = ["keywords", "parse", "parse_expression"]
