"""The page: its sections in order, put into page.html."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template

from s2mlp_dsl.escape import xml
from s2mlp_dsl.pictures.theme import ThemeName
from s2mlp_dsl.report import Subject, tables
from s2mlp_dsl.report.receptive_field import receptive_field
from s2mlp_dsl.report.runs import Run, curves
from s2mlp_dsl.report.source import sources

_HERE = Path(__file__).parent


def _title(subject: Subject, id: str) -> str:
    doc = " ".join((subject.model.doc or "").split())
    return f"<h2>{xml(subject.model.name)}</h2>" + (
        f'<p class="doc">{xml(doc)}</p>' if doc else ""
    )


def _source_and_diagram(subject: Subject, id: str) -> str:
    return (
        '<div class="beside">'
        f'<div class="source"><h3>Source</h3>{sources(subject, id)}</div>'
        f'<div class="diagram"><h3>Diagram</h3>{_picture(subject, "model", id)}</div>'
        "</div>"
    )


def _shifts_and_receptive_field(subject: Subject, id: str) -> str:
    return (
        '<div class="pair">'
        f'<div><h3>Shifts</h3><div class="wide">{_picture(subject, "shift", id)}</div>'
        f"</div><div><h3>Receptive field</h3>{receptive_field(subject, id)}</div></div>"
    )


# What the page says of a model: HTML, given an id that is the model's on the page.
SECTIONS: tuple[Callable[[Subject, str], str], ...] = (
    _title,
    tables.facts,
    tables.claims,
    _source_and_diagram,
    tables.statements,
    _shifts_and_receptive_field,
    tables.certificate,
)


def report(subjects: Sequence[Subject], runs: Sequence[Run] = ()) -> str:
    """One self-contained HTML file about models and the runs that trained them.

    Raises `NoRenderer` if the renderer of pictures is not installed.
    """
    ids = [f"m{number}" for number in range(len(subjects))]
    links = {id: subject.model.name for id, subject in zip(ids, subjects, strict=True)}
    links |= {"runs": "Runs"} if runs else {}
    several = len(subjects) > 1
    models = (
        f'<section class="model" id="{id}">'
        + "\n".join(section(subject, id) for section in SECTIONS)
        + "</section>\n"
        for id, subject in zip(ids, subjects, strict=True)
    )
    script = _file("page.js")
    return Template(_file("page.html")).substitute(
        title=xml(", ".join(subject.model.name for subject in subjects)),
        policy=_policy(script),
        style=_file("style.css"),
        links="".join(f'<a href="#{id}">{xml(name)}</a>' for id, name in links.items()),
        alone="" if several else "alone",
        comparison=tables.comparison(subjects) if several else "",
        models="".join(models),
        runs=curves(runs),
        script=script,
    )


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Forbids every request, and every script but ours, which it names by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _picture(subject: Subject, view: str, id: str) -> str:
    """A view in both themes; the style sheet shows one of them."""
    themes: tuple[ThemeName, ...] = ("light", "dark")
    parts = []
    for theme in themes:
        svg = subject.program.diagram(view, theme).inline_svg()
        # In text a quotation mark is `&quot;`, so these are attributes. No id twice.
        svg = re.sub(r' id="', f' id="{id}-{view}-{theme}-', svg)
        parts.append(f'<div class="picture {theme}">{svg}</div>')
    return "".join(parts)
