"""The parser's tables, made once and shipped beside the grammar.

Making them takes a third of the time of a whole `check`. The file is plain
JSON, written by

    python -m s2mlp_dsl.syntax

and used only where it was made from the same grammar by the same Lark; in any
other case the parser is made from the grammar.
"""

import hashlib
import json
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from s2mlp_dsl.shipped import shipped

FILE = "grammar/arch.tables.json"
# Options that hold Python objects; whoever loads the tables gives them anew.
_OBJECTS = ("edit_terminals", "lexer_callbacks", "postlex", "transformer")

Tables = dict[str, Any]


def read_tables(grammar: str) -> Tables | None:
    """The shipped tables, None where they belong to another grammar or Lark."""
    try:
        tables: Tables = json.loads(shipped(FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if tables["made_from"] != _made_from(grammar):
        return None
    # JSON has no integer keys; Lark numbers its states and its memo.
    tables["memo"] = _numbered(tables["memo"])
    parse_table = tables["data"]["parser"]["parser"]
    parse_table["tokens"] = _numbered(parse_table["tokens"])
    parse_table["states"] = {
        number: _numbered(actions)
        for number, actions in _numbered(parse_table["states"]).items()
    }
    return tables


def make_tables(parser: lark.Lark, grammar: str) -> str:
    """The tables of a parser as the text of the shipped file."""
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    for name in _OBJECTS:
        data["options"].pop(name, None)
    tables = {"made_from": _made_from(grammar), "data": data, "memo": memo}
    return json.dumps(tables, default=sorted, separators=(",", ":")) + "\n"


def _made_from(grammar: str) -> str:
    digest = hashlib.sha256(grammar.encode()).hexdigest()
    return f"{digest} lark {lark.__version__}"


def _numbered(table: dict[str, Any]) -> dict[Any, Any]:
    return {int(key): value for key, value in table.items()}
