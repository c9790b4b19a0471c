"""Records as text and as data."""

from s2mlp_dsl.diagnostics import Code, Diagnostic, Label, Report, as_data, render_text
from s2mlp_dsl.source import Source, Span

CODE = Code("A9999", "something is wrong")


def at(text: str, part: str, name: str = "spec.arch", start: int = 0) -> Span:
    begin = text.index(part, start)
    return Span(Source(name, text), begin, begin + len(part))


def test_both_ends_in_the_order_of_the_text() -> None:
    text = "\n".join(["first", "second line", "", "third"] * 3)
    source = Source("spec.arch", text)
    use, cause = text.rindex("third"), text.index("line")
    one = Diagnostic(
        CODE,
        Label(Span(source, use, use + 5), "used here"),
        (Label(Span(source, cause, cause + 4), "declared here"),),
        notes=("a note",),
        help="do this",
    )
    assert render_text(one).splitlines() == [
        "error[A9999]: something is wrong",
        "  --> spec.arch:12:1",
        "   |",
        " 2 | second line",
        "   |        ---- declared here",
        "   |",
        "12 | third",
        "   | ^^^^^ used here",
        "   |",
        "  note: a note",
        "  help: do this",
    ]


def test_a_line_is_shown_once() -> None:
    text = "a + b"
    source = Source("spec.arch", text)
    one = Diagnostic(
        CODE,
        Label(Span(source, 4, 5), "this"),
        (Label(Span(source, 0, 1), "and this"),),
    )
    assert render_text(one).splitlines()[2:] == [
        "  |",
        "1 | a + b",
        "  | - and this",
        "  |     ^ this",
    ]


def test_other_files_have_their_own_header() -> None:
    here, there = at("here", "here"), at("there", "there", "other.arch")
    one = Diagnostic(CODE, Label(here), (Label(there, "see"),))
    text = render_text(one)
    assert "--> spec.arch:1:1" in text and "--> other.arch:1:1" in text


def test_a_file_without_text_is_named() -> None:
    one = Diagnostic(CODE, Label(Span(Source("gone.arch", ""), 0, 0), "no such file"))
    assert render_text(one).splitlines()[1:] == [" --> gone.arch: no such file"]


def test_nothing_of_a_spec_reaches_the_terminal_raw() -> None:
    text = "a\x1b[31m\tb\u202e\x00 c"
    shown = render_text(Diagnostic(CODE, Label(at(text, "c"), "\x1b]0;x\x07")))
    assert not set("\x1b\x00\x07\t\u202e") & set(shown)


def test_carets_under_wide_characters() -> None:
    lines = render_text(Diagnostic(CODE, Label(at("漢字 x", "x")))).splitlines()
    assert lines[-1] == "  |      ^"
    lines = render_text(Diagnostic(CODE, Label(at("\tx", "x")))).splitlines()
    assert lines[-2:] == ["1 |     x", "  |     ^"]


def test_long_lines_are_cut_around_the_place() -> None:
    text = "x" * 5000 + "here" + "y" * 5000
    lines = render_text(Diagnostic(CODE, Label(at(text, "here")))).splitlines()
    assert max(map(len, lines)) < 200
    column = lines[-1].index("^")
    assert lines[-2][column : column + 4] == "here"


def test_several_lines_are_underlined_to_the_end_of_the_first() -> None:
    lines = render_text(Diagnostic(CODE, Label(at("ab {\n c\n}", "{\n c\n}"))))
    assert lines.splitlines()[-1] == "  |    ^"


def test_colour_only_when_asked() -> None:
    one = Diagnostic(CODE, Label(at("x", "x"), "label"), help="help")
    assert "\x1b[" not in render_text(one)
    assert "\x1b[31m" in render_text(one, colour=True)


def test_data() -> None:
    one = Diagnostic(CODE, Label(at("a\nbc d", "bc"), "label"), help="help")
    assert as_data(one) == {
        "code": "A9999",
        "severity": "error",
        "title": "something is wrong",
        "message": "something is wrong: label",
        "file": "spec.arch",
        "line": 2,
        "column": 1,
        "end": {"line": 2, "column": 3},
        "secondary": [],
        "notes": [],
        "help": "help",
        "fix": None,
    }


def test_a_cause_is_reported_once() -> None:
    report = Report()
    report.add(CODE.says("one"), at("x y", "y"))
    report.add(CODE.says("two"), at("x y", "y"))
    report.add(CODE.says("three"), at("x y", "x"))
    assert [one.primary.text for one in report.sorted()] == ["three", "one"]
