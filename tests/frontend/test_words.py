"""Words, numbers, texts, comments and line ends."""

import pytest

from s2mlp_dsl.frontend import tree
from tests.frontend.reading import faults, read, value


def shift_items(body: str) -> tuple[tree.ShiftItem, ...]:
    (shift,) = read(f"shift s {{\n{body}\n}}").declarations
    assert isinstance(shift, tree.Shift)
    return shift.items


def test_a_word_is_read_whole() -> None:
    """`right leftover` is a direction and a name, not two directions."""
    (group,) = shift_items("1/4 right leftover")
    assert isinstance(group, tree.ChannelGroup)
    (move,) = group.moves
    assert move.direction == "right"
    assert isinstance(move.amount, tree.Name) and move.amount.id == "leftover"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("shift s {\n1/4 leftover 2\n}", "leftover"),
        ("shift s {\n1/4 rightx\n}", "rightx"),
        ("modelx y { gelu }", "modelx"),
        ("import a fromage", "fromage"),
        ("model m {\nstack 2 asi { gelu }\n}", "asi"),
    ],
)
def test_no_keyword_is_read_off_a_longer_word(text: str, word: str) -> None:
    assert faults(text) == [("A0101", word)]


def test_keywords_are_contextual() -> None:
    """Where the grammar allows a name, a keyword is one; names are checked later."""
    (claim,) = read("claim m {\nparams(of = head, left = 1) == 3\n}").declarations
    assert isinstance(claim, tree.Claim)
    fact = claim.facts[0].expression
    assert isinstance(fact, tree.Binary) and isinstance(fact.left, tree.Call)
    assert [one.name.id for one in fact.left.arguments if one.name] == ["of", "left"]


def test_displacements() -> None:
    (group,) = shift_items("1/4 left 2 up 1")
    assert isinstance(group, tree.ChannelGroup)
    assert [move.direction for move in group.moves] == ["left", "up"]
    (each,) = shift_items("each right -2 .. 2 down -1..1")
    assert isinstance(each, tree.Each)
    assert [one.direction for one in each.ranges] == ["right", "down"]


@pytest.mark.parametrize(
    "lexeme",
    ["0", "1_000", "51M", "51Mi", "10.5G", "2e-3", "1E+6", "75%", "1_0.2_5e1K", "3Ti"],
)
def test_numbers_keep_their_lexeme(lexeme: str) -> None:
    node = value(lexeme)
    assert isinstance(node, tree.Number) and node.lexeme == lexeme


@pytest.mark.parametrize(
    "text", ["1_", "1__0", "1.", "5MB", "4k", "1.2.3", "0x10", "1e", "1e5e5", "2Ki3"]
)
def test_not_numbers(text: str) -> None:
    assert faults(f"let x = {text}") == [("A0108", text)]


def test_range_of_numbers_is_no_fraction() -> None:
    (each,) = shift_items("each right 1..2")
    assert isinstance(each, tree.Each)
    first, last = each.ranges[0].first, each.ranges[0].last
    assert isinstance(first, tree.Number) and first.lexeme == "1"
    assert isinstance(last, tree.Number) and last.lexeme == "2"


def test_fractions_are_divisions() -> None:
    node = value("1/4")
    assert isinstance(node, tree.Binary) and node.operator == "/"


def test_comments_are_kept() -> None:
    file = read(
        '# one\nedition 1 # two\n\nlet a = [ # three\n  1,\n] # "four" {\n# five'
    )
    texts = [comment.span.text for comment in file.comments]
    assert texts == ["# one", "# two", "# three", '# "four" {', "# five"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends(end: str) -> None:
    lines = ["edition 1", "", "model m {", "    gelu", "    linear(", "  3,", ")", "}"]
    file = read(end.join(lines))
    assert len(file.declarations) == 2


def test_lone_carriage_return_is_refused() -> None:
    assert faults("edition 1\rlet a = 1") == [("A0104", "\r")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment",
        "edition 1",
        "edition 1\n",
        "\n\nedition 1\n\n\n",
        "model m { gelu }",
        "model m {\n\n\n    gelu\n\n\n    gelu\n\n}\n",
        "model m { gelu\n}",
        "model m {\n    gelu }",
        "model m(\n  a,\n  b = 1,\n) {\n  linear(\n    a,\n\n    b,\n  )\n}",
        "let a = [\n1,\n2,\n]",
        "let a = (1 +\n 2)",
        'import a, b as c from "x.arch"',
        "shift s {\n}",
        "claim m {\n}",
        "recipe r {\n    a = [flip, mixup(0.8),]\n}",
        "model m {\n  stack 2 as i {\n gelu\n} then 3 {\n gelu\n}\n}",
        '"""What it is."""\nmodel m { gelu }',
        '"""Two\nlines."""\n\n# and a comment\n\nblock b { gelu }',
        'study s of m {\n recipe = r\n vary a = [1]\n case "x" m(a = 1) printed [1]\n}',
    ],
)
def test_accepted(text: str) -> None:
    read(text)
    read(text.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("let a = 1 +\n 2", [("A0101", "\n")]),
        ("model m { gelu gelu }", [("A0101", "gelu")]),
        ("let a = [,]", [("A0101", ",")]),
        ("model m() = 3", [("A0101", "=")]),
        ('"""about nothing"""\nclaim m {\n}', [("A0101", "claim")]),
        ("let a = 1 == 2 == 3", [("A0101", "==")]),
    ],
)
def test_refused(text: str, found: list[tuple[str, str]]) -> None:
    assert faults(text) == found


def test_description_belongs_to_what_follows() -> None:
    (block,) = read('"""\nWhat it does.\n"""\nblock b { gelu }').declarations
    assert isinstance(block, tree.Block) and block.doc == "What it does."


def test_spans_cover_what_they_name() -> None:
    text = "model m(a = 1) {\n    head: linear(2 * a)\n}"
    (model,) = read(text).declarations
    assert isinstance(model, tree.Model)
    assert model.span.text == text
    (statement,) = model.body.statements
    assert statement.span.text == "head: linear(2 * a)"
    assert isinstance(statement, tree.Operation)
    assert statement.call.arguments[0].value.span.text == "2 * a"
