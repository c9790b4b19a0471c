"""The whole page, put together from its parts."""

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from s2mlp_dsl.pictures.dot_label import clean
from s2mlp_dsl.pictures.theme import ThemeName
from s2mlp_dsl.pictures.views import View, draw
from s2mlp_dsl.report import tables
from s2mlp_dsl.report.curves import curves
from s2mlp_dsl.report.depths import doc, receptive_field_widget
from s2mlp_dsl.report.marks import marks_in, sources_of
from s2mlp_dsl.report.source import highlighted
from s2mlp_dsl.report.subject import RunCurves, Subject

_HERE = Path(__file__).parent


def report(subjects: Sequence[Subject], runs: Sequence[RunCurves] = ()) -> str:
    """One self-contained HTML file about models and the runs that trained them.

    Raises `NoRenderer` where the renderer of pictures is not installed.
    """
    names = ", ".join(one.model.name for one in subjects)
    compared = ""
    if len(subjects) > 1:
        table = tables.comparison(subjects)
        compared = (
            '<section id="comparison"><h2>Side by side</h2>'
            f'<div class="wide">{table}</div></section>'
        )
    sections = [_model(one, f"m{number}") for number, one in enumerate(subjects)]
    links = "".join(
        f'<a href="#m{number}">{escape(one.model.name)}</a>'
        for number, one in enumerate(subjects)
    )
    script = _file("page.js")
    return Template(_file("page.html")).substitute(
        title=escape(clean(names)),
        policy=_policy(script),
        style=_file("style.css"),
        links=links + ('<a href="#runs">Runs</a>' if runs else ""),
        alone="alone" if len(subjects) == 1 else "",
        comparison=compared,
        models="".join(sections),
        runs=curves(runs),
        script=script,
    )


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """No request at all, and no script but ours: it is named by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _model(subject: Subject, name: str) -> str:
    files = []
    for number, source in enumerate(sources_of(subject.spec.source, subject.model)):
        marks = marks_in(source, subject.model)
        lines = highlighted(source, marks, f"{name}-f{number}")
        title = escape(clean(Path(source.name).name))
        files.append(f"<h4>{title}</h4><pre><code>{lines}</code></pre>")
    parts = {
        "name": escape(subject.model.name),
        "id": name,
        "doc": doc(subject.model.doc and clean(subject.model.doc)),
        "facts": tables.facts(subject),
        "source": "".join(files),
        "diagram": _picture(subject, "model", name),
        "statements": tables.statements(subject),
        "claims": tables.claims(subject.analysis.claims, f"{name}-f0"),
        "certificate": tables.certificate(subject.certificate),
        "shifts": _picture(subject, "shift", f"{name}-s"),
        "receptive_field": receptive_field_widget(subject, f"{name}-receptive-field"),
    }
    return Template(_file("model.html")).substitute(parts)


def _picture(subject: Subject, view: View, name: str) -> str:
    """A view in both themes; the style shows the one that fits."""
    themes: tuple[ThemeName, ...] = ("light", "dark")
    return "".join(
        f'<div class="picture {theme}">{_inline(subject, view, theme, name)}</div>'
        for theme in themes
    )


def _inline(subject: Subject, view: View, theme: ThemeName, name: str) -> str:
    """An SVG as a part of the page: no prolog, no id used twice."""
    drawn = draw(subject.model, subject.analysis, view, theme)
    svg = drawn.render("svg").decode()
    svg = svg[svg.index("<svg") :]
    # In text a quotation mark is `&quot;`, so these are attributes.
    return re.sub(r' id="', f' id="{name}-{theme}-', svg)
