"""The figures of a model as a piece of HTML, for a notebook to show."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2mlp_dsl.analysis.analyze import Analysis

_HEADS = ("statement", "×", "shape", "params", "MACs")


def analysis_html(analysis: "Analysis") -> str:
    """Totals, a row per statement, and the verdicts on claims."""
    name = f"<b>{escape(analysis.name)}</b>"
    if analysis.open:
        return f"<p>{name}: unbound parameters: {escape(', '.join(analysis.open))}</p>"
    if analysis.params is None or analysis.macs is None:
        return f"<p>{name}: skipped because of errors</p>"
    totals = f"{analysis.params:,} params, {analysis.macs:,} MACs per image"
    rows = (
        (
            row.path,
            f"{row.count:,}",
            str(row.result),
            f"{row.total_params:,}",
            f"{row.total_macs:,}",
        )
        for row in analysis.rows
    )
    claims = "".join(
        f"<li>{claim.verdict}: <code>{escape(claim.text)}</code></li>"
        for claim in analysis.claims
    )
    body = "".join(_row("td", row) for row in rows)
    return (
        f"<p>{name}: {totals}</p><table><thead>{_row('th', _HEADS)}</thead>"
        f"<tbody>{body}</tbody></table>" + (f"<ul>{claims}</ul>" if claims else "")
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    inside = "".join(f"<{tag}>{escape(one)}</{tag}>" for one in cells)
    return f"<tr>{inside}</tr>"
