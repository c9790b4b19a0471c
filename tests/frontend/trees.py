"""Syntax trees, made up: every node, with names and numbers that may stand there.

Spans are empty and depths left out: a tree is compared without them.
"""

from typing import Any

from hypothesis import strategies as st

from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Source, Span

NOWHERE = Span(Source("", ""), 0, 0)
_WORDS = ("a", "b_1", "dim", "leftover", "linear", "norm", "widths", "x", "Z_")

names = st.sampled_from(_WORDS).map(lambda word: tree.Name(NOWHERE, word))
numbers = st.sampled_from(
    ["0", "1", "7", "1_000", "51M", "51Mi", "10.5G", "1e-5", "5%", "0.25"]
).map(lambda lexeme: tree.Number(NOWHERE, lexeme))
texts = st.sampled_from(["", "x", "std:a", "two words # { ("]).map(
    lambda value: tree.Text(NOWHERE, value)
)
docs = st.sampled_from([None, "One.", "Two\nlines.", 'in "quotes"', "# no { comment"])


def _arguments(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """By position first, then by name."""
    named = st.builds(tree.Argument, st.just(NOWHERE), names, values)
    bare = st.builds(tree.Argument, st.just(NOWHERE), st.none(), values)
    return st.tuples(st.lists(bare, max_size=3), st.lists(named, max_size=2)).map(
        lambda both: (*both[0], *both[1])
    )


def _grouped(node: Any) -> Any:
    """What must stand in parentheses to be read as one operand."""
    if isinstance(node, tree.Binary | tree.Negative):
        return tree.Group(NOWHERE, node)
    return node


def _operators(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    operand = inner.map(_grouped)
    at = st.just(NOWHERE)
    return st.one_of(
        st.builds(tree.Binary, at, st.sampled_from("+-*/"), operand, operand),
        st.builds(tree.Negative, at, operand),
        st.builds(tree.Index, at, st.one_of(names, lists(inner)), inner),
        st.builds(tree.Group, at, inner),
        st.builds(tree.Call, at, names, _arguments(inner)),
        lists(inner),
    )


def lists(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.lists(inner, max_size=4).map(tuple)
    return st.builds(tree.ListExpr, st.just(NOWHERE), items)


sums = st.recursive(st.one_of(names, numbers, texts), _operators, max_leaves=6)
comparisons = st.builds(
    tree.Binary,
    st.just(NOWHERE),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    sums,
    sums,
)
expressions = st.one_of(sums, sums, comparisons)
at = st.just(NOWHERE)

calls = st.builds(tree.Call, at, names, _arguments(expressions))
labels = st.one_of(st.none(), names)


def bodies(statements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(tree.Body, at, st.lists(statements, max_size=3).map(tuple))


def _structures(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    part = st.builds(tree.Part, at, expressions, bodies(inner))
    parts = st.lists(part, min_size=1, max_size=3).map(tuple)
    branches = st.lists(bodies(inner), max_size=3).map(tuple)
    word = st.just(tree.Name(NOWHERE, "parallel"))
    parallel = st.builds(tree.Call, at, word, _arguments(expressions))
    return st.one_of(
        st.builds(tree.Residual, at, bodies(inner), label=labels),
        st.builds(tree.Stack, at, labels, parts, label=labels),
        st.builds(tree.Region, at, calls, bodies(inner), label=labels),
        st.builds(tree.Parallel, at, parallel, branches, label=labels),
    )


statements = st.recursive(
    st.builds(tree.Operation, at, calls, label=labels), _structures, max_leaves=5
)

# --- declarations -------------------------------------------------------------

directions = st.sampled_from(["right", "left", "down", "up", "later", "earlier"])
amounts = st.one_of(st.none(), sums)
moves = st.lists(st.builds(tree.Move, at, directions, amounts), max_size=3).map(tuple)
ranges = st.lists(
    st.builds(tree.Range, at, directions, sums, sums), min_size=1, max_size=2
).map(tuple)
shift_items = st.one_of(
    st.builds(tree.EdgeRule, at, names),
    st.builds(tree.ChannelGroup, at, st.one_of(st.none(), sums), moves),
    st.builds(tree.Each, at, ranges),
    st.builds(tree.Interleave, at),
)
params = st.lists(
    st.builds(tree.Param, at, names, labels, st.one_of(st.none(), expressions)),
    max_size=3,
).map(tuple)
facts = st.one_of(
    st.builds(tree.Fact, at, expressions),
    st.builds(tree.Fact, at, sums, sums, st.one_of(st.none(), sums)),
)
settings = st.builds(tree.Setting, at, names, expressions)
study_items = st.one_of(
    settings,
    st.builds(tree.Vary, at, names, expressions),
    st.builds(tree.Case, at, texts, calls, st.one_of(st.none(), lists(sums))),
)
imported = st.builds(tree.Imported, at, names, labels)


def _some(nodes: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(nodes, min_size=least, max_size=3).map(tuple)


declarations = st.one_of(
    st.builds(tree.Edition, at, numbers),
    st.builds(tree.Import, at, _some(imported, 1), texts),
    st.builds(tree.Let, at, names, expressions, doc=docs),
    st.builds(tree.Shift, at, names, params, _some(shift_items), doc=docs),
    st.builds(tree.Block, at, names, params, bodies(statements), doc=docs),
    st.builds(tree.Model, at, names, params, bodies(statements), doc=docs),
    st.builds(tree.Variant, at, names, calls, doc=docs),
    st.builds(tree.Claim, at, names, _some(facts)),
    st.builds(tree.Recipe, at, names, _some(settings), doc=docs),
    st.builds(tree.Study, at, names, labels, _some(study_items), doc=docs),
)
files = _some(declarations).map(lambda made: tree.File(Source("", ""), made))
