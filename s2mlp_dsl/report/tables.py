"""The tables of a report: statements, claims, certificate, comparison."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from s2mlp_dsl.analysis.claims import Claimed
from s2mlp_dsl.analysis.receptive_field import seen_by
from s2mlp_dsl.ir.print import print_op
from s2mlp_dsl.ir.program import Op
from s2mlp_dsl.ir.shape import positions
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.operators import SIGNATURES, applied
from s2mlp_dsl.pictures.figures import sample, short, totals
from s2mlp_dsl.report.subject import Subject

_MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}
_FLOAT_BYTES = 4
_NEVER = 1 << 40  # sorts after every depth
_NUMBER, _TEXT = ' class="n"', ' class="t"'

# A cell: what is shown, and the number it is sorted by.
Cell = tuple[str, float | None]


def statements(subject: Subject) -> str:
    """A row per statement: shape, params, MACs, memory, what a position reads."""
    heads = (
        *("#", "statement", "operator", "×", "shape"),
        *("params", "MACs", "memory", "reads", "receptive field"),
    )
    seen = seen_by(subject.model)
    rows = []
    found = zip(occurrences(subject.model), subject.analysis.rows, strict=True)
    for number, (one, row) in enumerate(found, start=1):
        size = math.prod(one.op.result.dims)
        memory = size * _FLOAT_BYTES * row.count
        read = _read(one.op)
        cells: list[Cell] = [
            (str(number), number),
            (one.path, None),
            (print_op(one.op, SIGNATURES[one.op.operator]), None),
            (f"{row.count:,}", row.count),
            (str(row.result), size),
            (_count(row.total_params), row.total_params),
            (_count(row.total_macs), row.total_macs),
            (_bytes(memory), memory),
            (_count(read), read),
            (_count(seen.get(one.path, 0)), seen.get(one.path, 0)),
        ]
        rows.append((one.path, cells))
    return _table(heads, rows)


def _count(number: int) -> str:
    return f"{number:,}" if number else "–"


def _read(op: Op) -> int:
    """Positions of what enters that one position of the result reads, at most."""
    if op.source is None:
        return 0
    count = positions(op.source)
    parts = applied(op).receptive_field().parts
    if any(part.reads == "all" for part in parts):
        return count
    tables = [table for part in parts if (table := part.table) is not None]
    here = len(tables) < len(parts)
    if not tables:
        return 1
    return max(
        len(set().union(*(table[at] for table in tables), [at] if here else []))
        for at in range(len(tables[0]))
    )


def _table(heads: Sequence[str], rows: Sequence[tuple[str, list[Cell]]]) -> str:
    first = rows[0][1]
    buttons = "".join(
        f'<th scope="col"{_TEXT if value is None else _NUMBER}>'
        f'<button type="button">{escape(one)}</button></th>'
        for one, (_, value) in zip(heads, first, strict=True)
    )
    lines = []
    for path, cells in rows:
        inside = "".join(
            f"<td{_TEXT}>{escape(text)}</td>"
            if value is None
            else f'<td{_NUMBER} data-v="{value}">{escape(text)}</td>'
            for text, value in cells
        )
        lines.append(f'<tr tabindex="0" data-p="{escape(path)}">{inside}</tr>')
    return (
        f'<table class="sortable"><thead><tr>{buttons}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def claims(claimed: Sequence[Claimed], lines: str) -> str:
    """Each claim with its verdict; `lines` is the id of the source's lines."""
    if not claimed:
        return "<p>The spec claims nothing of this model.</p>"
    return f'<ul class="claims">{"".join(_claim(one, lines) for one in claimed)}</ul>'


def _claim(claim: Claimed, lines: str) -> str:
    said = f"It is {claim.found}." if claim.found else ""
    said += f" {claim.reason}." if claim.reason else ""
    place = claim.span.line if claim.span else 0
    link = f'<a href="#{lines}-{place}">line {place}</a>' if place else ""
    return (
        f'<li class="{claim.verdict}"><b>{_MARKS[claim.verdict]} {claim.verdict}</b> '
        f"<code>{escape(claim.text)}</code> <span>{escape(said)}</span> {link}</li>"
    )


def certificate(data: dict[str, Any] | None) -> str:
    """The checks of `verify`."""
    if data is None:
        return "<p>Not verified for this page; <code>--verify</code> does it.</p>"
    rows = []
    for check in data.get("checks", []):
        verdict = "holds" if check.get("passed") else "fails"
        worst = check.get("worst")
        error = (
            "" if worst is None else f"worst {worst:.1e} of {check['tolerance']:.0e}"
        )
        failures = "; ".join(
            f"{one.get('statement')}: {one.get('message')}"
            for one in check.get("failures", [])
        )
        texts = (check.get("name"), check.get("cases"), check.get("what"))
        cells = "".join(f"<td>{escape(str(one))}</td>" for one in texts)
        rows.append(
            f'<tr class="{verdict}"><td><b>{_MARKS[verdict]} {verdict}</b></td>{cells}'
            f"<td>{escape(error)}{escape(failures)}</td></tr>"
        )
    versions = ", ".join(f"{k} {v}" for k, v in data.get("versions", {}).items())
    verdict = "Proved" if data.get("passed") else "NOT proved"
    heads = "".join(
        f'<th scope="col">{one}</th>' for one in ("", "check", "cases", "of", "error")
    )
    return (
        f"<p>{verdict}, with {escape(versions)}.</p>"
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def comparison(subjects: Sequence[Subject]) -> str:
    """A column of figures per model, side by side."""
    shown = ("model", "image", "result", "params", "MACs")
    heads = (*shown, "full receptive field", "claims")
    rows = []
    for number, one in enumerate(subjects):
        found = one.analysis
        full = found.receptive_field.full if found.receptive_field else None
        held = sum(claim.verdict == "holds" for claim in found.claims)
        cells: list[Cell] = [
            (found.name, None),
            (" × ".join(map(str, found.image or ())), math.prod(found.image or ())),
            (str(found.result), None),
            (f"{found.params:,}", found.params),
            (f"{found.macs:,}", found.macs),
            (f"after {full}" if full else "never", full or _NEVER),
            (f"{held} of {len(found.claims)}", held),
        ]
        rows.append((f"m{number}", cells))
    return _table(heads, rows)


def facts(subject: Subject) -> str:
    """The totals of a model as a list of terms."""
    found = subject.analysis
    pairs = [
        ("params", f"{found.params or 0:,}"),
        (
            f"MACs per {sample(found)}",
            f"{found.macs or 0:,} ({short(found.macs or 0)})",
        ),
        ("from", str(subject.model.input.result)),
        ("to", str(found.result)),
        *(one.split(": ", 1) for one in totals(found)[1:]),
        ("function hash", (found.function_hash or "")[:12]),
        ("weight hash", (found.weight_hash or "")[:12]),
    ]
    items = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in pairs)
    return f'<dl class="facts">{"".join(items)}</dl>'


def _bytes(number: int) -> str:
    """`294.0 KiB`: what the results take in float32, all uses together."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = min(max(number.bit_length() - 1, 0) // 10, len(units) - 1)
    value = number / 1024**power
    return f"{value:,.1f} {units[power]}" if power else f"{number} B"
