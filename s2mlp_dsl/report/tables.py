"""The tables of a report: figures, claims, statements, certificate, comparison."""

import math
from collections.abc import Sequence
from typing import Any

from s2mlp_dsl.analysis.claims import Claimed
from s2mlp_dsl.analysis.receptive_field import StatementReads, seen_by
from s2mlp_dsl.escape import xml
from s2mlp_dsl.ir.print import print_op
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.operators import SIGNATURES
from s2mlp_dsl.pictures.figures import sample, short, totals
from s2mlp_dsl.report import Subject

_MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}
_FLOAT_BYTES = 4
_NEVER = 1 << 40  # sorts after every depth

# A text, a number, or a text with the number that it is sorted by.
Cell = str | int | tuple[str, float]


def facts(subject: Subject, id: str) -> str:
    """The figures of a model as a whole."""
    found, model = subject.analysis, subject.model
    macs = found.macs or 0
    pairs = [
        ("params", f"{found.params or 0:,}"),
        (f"MACs per {sample(found)}", f"{macs:,} ({short(macs)})"),
        ("from", str(model.input.result)),
        ("to", str(found.result)),
        *(line.split(": ", 1) for line in totals(found)[1:]),
        ("function hash", (found.function_hash or "")[:12]),
        ("weight hash", (found.weight_hash or "")[:12]),
    ]
    items = (
        f"<div><dt>{xml(term)}</dt><dd>{xml(value)}</dd></div>" for term, value in pairs
    )
    return f'<dl class="facts">{"".join(items)}</dl>'


def claims(subject: Subject, id: str) -> str:
    """Each claim with its verdict and a link to its line."""
    items = "".join(_claim(claim, f"{id}-f0") for claim in subject.analysis.claims)
    if not items:
        return "<h3>Claims</h3><p>The spec makes no claims about this model.</p>"
    return f'<h3>Claims</h3><ul class="claims">{items}</ul>'


def _claim(claim: Claimed, lines: str) -> str:
    words = f"It is {claim.found}." if claim.found else ""
    words += f" {claim.reason}." if claim.reason else ""
    line = claim.span.line if claim.span else 0
    link = f'<a href="#{lines}-{line}">line {line}</a>' if line else ""
    return (
        f'<li class="{claim.verdict}">{_verdict(claim.verdict)} '
        f"<code>{xml(claim.text)}</code> <span>{xml(words)}</span> {link}"
        "</li>"
    )


def _verdict(verdict: str) -> str:
    return f"<b>{_MARKS[verdict]} {verdict}</b>"


def statements(subject: Subject, id: str) -> str:
    """A row per statement."""
    heads = (
        *("#", "statement", "operator", "×", "shape"),
        *("params", "MACs", "memory", "reads", "receptive field"),
    )
    seen, reading = seen_by(subject.model), StatementReads(subject.model)
    rows = []
    found = zip(occurrences(subject.model), subject.analysis.rows, strict=True)
    for number, (visit, row) in enumerate(found, start=1):
        op, path = visit.op, visit.path
        size = math.prod(op.result.dims)
        reads = reading.most(op, op.source) if op.source else None
        cells: list[Cell] = [
            *(number, path, print_op(op, SIGNATURES[op.operator]), row.count),
            *((str(row.result), size), row.total_params, row.total_macs),
            *(_bytes(size * _FLOAT_BYTES * row.count), reads or 0, seen.get(path, 0)),
        ]
        rows.append((path, cells))
    return (
        '<h3>Statements</h3><p class="note">Figures are for one image and all uses '
        "together. Memory is the size of the results in float32, <em>reads</em> the "
        "most positions of its input that a position reads, and <em>receptive field"
        "</em> the most positions of the first map that one depends on after the last "
        f'use.</p><div class="wide">{_table(heads, rows)}</div>'
    )


def comparison(subjects: Sequence[Subject]) -> str:
    """A row of figures per model."""
    heads = ("model", "image", "result", "params", "MACs", "full receptive field")
    rows = []
    for number, subject in enumerate(subjects):
        found = subject.analysis
        full = found.receptive_field.full if found.receptive_field else None
        holding = sum(claim.verdict == "holds" for claim in found.claims)
        image = found.image or ()
        cells: list[Cell] = [
            *(found.name, (" × ".join(map(str, image)), math.prod(image))),
            *(str(found.result), found.params or 0, found.macs or 0),
            (f"after {full}" if full else "never", full or _NEVER),
            (f"{holding} of {len(found.claims)}", holding),
        ]
        rows.append((f"m{number}", cells))
    return (
        '<section id="comparison"><h2>Side by side</h2>'
        f'<div class="wide">{_table((*heads, "claims"), rows)}</div></section>'
    )


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> str:
    """A table that page.js sorts; each row is for a path."""
    _, first = rows[0]
    buttons = "".join(
        f'<th scope="col" class="{"t" if isinstance(cell, str) else "n"}">'
        f'<button type="button">{xml(head)}</button></th>'
        for head, cell in zip(heads, first, strict=True)
    )
    lines = "".join(
        f'<tr tabindex="0" data-p="{xml(path)}">{"".join(map(_cell, cells))}</tr>'
        for path, cells in rows
    )
    return (
        f'<table class="sortable"><thead><tr>{buttons}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return f'<td class="t">{xml(cell)}</td>'
    if isinstance(cell, int):
        cell = (f"{cell:,}" if cell else "–", cell)
    text, value = cell
    return f'<td class="n" data-v="{value}">{xml(text)}</td>'


def _bytes(number: int) -> Cell:
    """`294.0 KiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = min(max(number.bit_length() - 1, 0) // 10, len(units) - 1)
    value = f"{number / 1024**power:,.1f}" if power else str(number)
    return f"{value} {units[power]}", number


def certificate(subject: Subject, id: str) -> str:
    """The checks of `verify`."""
    data = subject.certificate
    if data is None:
        return (
            "<h3>Certificate</h3><p>This model was not verified for this page; use "
            "<code>--verify</code>.</p>"
        )
    versions = ", ".join(f"{k} {v}" for k, v in data.get("versions", {}).items())
    verdict = "Verified" if data.get("passed") else "NOT verified"
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("", "check", "cases", "of", "error")
    )
    rows = "".join(map(_check, data.get("checks", [])))
    return (
        f"<h3>Certificate</h3><p>{verdict} with {xml(versions)}.</p>"
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _check(check: dict[str, Any]) -> str:
    """The row of a check, with its worst error and its failures."""
    verdict = "holds" if check.get("passed") else "fails"
    worst = check.get("worst")
    error = "" if worst is None else f"worst {worst:.1e} of {check['tolerance']:.0e}"
    failures = "; ".join(
        f"{failure.get('statement')}: {failure.get('message')}"
        for failure in check.get("failures", [])
    )
    texts = (check.get("name"), check.get("cases"), check.get("what"), error + failures)
    cells = "".join(f"<td>{xml(str(text))}</td>" for text in texts)
    return f'<tr class="{verdict}"><td>{_verdict(verdict)}</td>{cells}</tr>'
