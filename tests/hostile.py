"""Texts that mean something to what shows or executes them; one list for all tests."""

# What would be seen if any of it were executed.
BOOM = "raise SystemExit('boom')"
PYTHON = [
    f"{quote}{end}{BOOM}{end}{quote}"
    for quote in ("", '"', "'", "'''", '"""', "\\", "`", "#", "%", "{")
    for end in ("\n", "\r", "\r\n", "; ", "\x00", "\u2028", "\u0085", "\x0b")
]
SCRIPTS = [
    f"{before}<script>alert(1)</script>{after}"
    for before in ("", '"', "]]>", "-->", "</svg>", "\\", "<![CDATA[")
    for after in ("", "<!--", "\\l", "\\N", '"];')
]
WORDS = [
    *("__import__", "__class__", "__builtins__", "__dict__", "eval", "exec", "open"),
    *("class", "def", "lambda", "None", "True", "self", "torch", "nn", "super"),
    *("forward", "training", "register_buffer", "modules", "print", "Tensor"),
    *("x", "y", "a.b", "a b", "a-b", "1a", "", " ", "..", "../up", "con", "nul"),
    *("lіnear", "ｓelf", "ﬁle", "ª", "ℌ", "е", "а", "Ⅳ", "x\u200b", "x\u202e", "é"),
    *("os.system('true')", "__import__('os')", "{0.__class__}", "%(x)s", "${x}"),
    *("subgraph", "node", "edge", "graph", "digraph", "strict", "label"),
    *("a" * 300, "_", "__", "_" * 50, "0", "-1", "1/4", "dim", "rest", "stay"),
]
TERMINAL = [
    *("\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x9b31m", "\x1bc"),
    *(
        "\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\",
        "\x1b[6n",
        "\x1bP$q\x1b\\",
    ),
    *(
        "over\rwritten",
        "back\x08\x08",
        "bell\x07",
        "\x0e",
        "\x7f",
        "a\tb",
        "\x1b",
        "\x9d",
    ),
    *("[red]x[/red]", "[/]", "[bold", "[link=https://example.com]x[/link]", ":boom:"),
]
BIDI = [
    f"a{mark}gnp.{mark}txt"
    for mark in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2066\u2067\u2068\u2069"
]
HTML = [
    *(
        "<b>x</b>",
        "<img src=x onerror=alert(1)>",
        "</title><svg onload=alert(1)>",
        "&lt;",
    ),
    *(
        '" onmouseover="alert(1)',
        "' onfocus='alert(1)",
        "&amp;",
        "&#60;b&#62;",
        "&",
        "<",
    ),
    *(
        "</td></tr></table>",
        "</pre></code>",
        "<style>*{}</style>",
        "<a href='//x'>x</a>",
    ),
    *("<!-- x -->", "<?xml?>", "<!DOCTYPE x>", "javascript:alert(1)", "<details open>"),
]
MARKDOWN = [
    *(
        "[a](javascript:alert(1))",
        "![a](https://example.com/x.png)",
        "<https://a.example>",
    ),
    *("a | b", "a \\| b", "`code`", "``a`b``", "*a*", "**a**", "_a_", "__a__", "~~a~~"),
    *(
        "# a",
        "- a",
        "+ a",
        "1. a",
        "1) a",
        "> a",
        "---",
        "===",
        "***",
        "    a",
        "```",
        "~~~",
    ),
    *(
        "[a]: https://example.com",
        "[a][b]",
        "[^1]",
        "a  \nb",
        "a\\\nb",
        "&copy;",
        "| - |",
    ),
    *(
        "https://example.com",
        "www.example.com",
        "a@example.com",
        "\\*a\\*",
        "$x$",
        "@user",
    ),
    *(
        "a\n\n# b",
        "a\n===",
        "a\n\n---\n",
        "a\n\n<b>c</b>",
        "- [ ] a",
        ":tada:",
        "#1",
        "a~b~",
    ),
]
LATEX = [
    *(
        "\\input{/etc/passwd}",
        "\\write18{id}",
        "$\\foo{",
        "a & b",
        "50 %",
        "x^2",
        "x_2",
    ),
    *(
        "\\end{tabular}",
        "{",
        "}",
        "{}",
        "#1",
        "~",
        "\\\\",
        "\\",
        "$",
        "$$",
        "\\$",
        "a$b$c",
    ),
    *(
        "price $\\foo{ and $",
        "^^5cinput",
        "\\catcode`\\%=12",
        "``a''",
        "--",
        "---",
        "?`",
        "!`",
    ),
    *("$\\frac{1}{0}$", "$x", "\\mathdefault{x}", "%\n", '"a', "<<a>>", "[a]", "*"),
]
CELLS = [
    *(
        "=1+1",
        "=cmd|'/C calc'!A0",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        '=HYPERLINK("x")',
        "a,b",
    ),
    *(
        'a"b',
        '"',
        '""',
        "a;b",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        " =1+1",
        "'=1+1",
        "a\r\nb",
    ),
    *("＝1+1", "＋1", "－1", "＠x", "|x", "%x", "=", "+", "-", "@", "-5", "+5%", "1e9"),
]
SHELL = [
    *(
        "$(touch x)",
        "`touch x`",
        "; touch x",
        "| touch x",
        "&& touch x",
        "> x",
        "$HOME",
    ),
    *(
        "-rf",
        "--help",
        "-",
        "--",
        "*",
        "?",
        "~",
        "!x",
        "a\\b",
        "\\n",
        "'",
        "a'b",
        "'\"",
    ),
    *(
        "%s%n",
        "%d",
        "{}",
        "{x}",
        "{0}",
        "\\x41",
        "\\u0041",
        "\\",
        "\\\\",
        "C:\\x",
        "//x",
    ),
]
JSON = [
    *(
        '","x":"',
        '"}',
        "]",
        "}",
        "\\u0000",
        "\\ud800",
        "null",
        "NaN",
        "1e999",
        "\u2028",
    ),
    *(
        "__proto__",
        "\ufeffa",
        "\ufffe",
        "\uffff",
        "\U0010ffff",
        "\ufdd0",
        "\0",
        "\u2029",
    ),
]
SURROGATES = ["\udcff", "caf\udce9", "\ud800", "\udfff", "a\ud83d", "\udc00\ud800"]
UNICODE = [
    *(
        "日本語",
        "🙂",
        "👩\u200d💻",
        "e\u0301",
        "a\u0300\u0301\u0302",
        "\u200b",
        "\xa0",
        "\xad",
    ),
    *(
        "می\u200cخواهم",
        "ﷺ",
        "İ",
        "ß",
        "\u2060",
        "\ufe0f",
        "\U000e0041",
        "ﾠ",
        "א",
        "\u3000",
    ),
]
HOSTILE = [
    *dict.fromkeys(
        [
            *PYTHON,
            *SCRIPTS,
            *WORDS,
            *[f"a{word}" for word in WORDS[:25]],
            *TERMINAL,
            *BIDI,
            *HTML,
            *MARKDOWN,
            *LATEX,
            *CELLS,
            *SHELL,
            *JSON,
            *SURROGATES,
            *UNICODE,
        ]
    )
]
