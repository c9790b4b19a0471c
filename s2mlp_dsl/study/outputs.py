"""The outputs of a study for people: tables, plots, a page and a record."""

from pathlib import Path

from s2mlp_dsl import disk
from s2mlp_dsl.study import table
from s2mlp_dsl.study.bundle import pack
from s2mlp_dsl.study.page import page
from s2mlp_dsl.study.plots import NoPlots, draw
from s2mlp_dsl.study.store import read_plan, read_results
from s2mlp_dsl.study.summary import Summary, summarise

PAGE, RECORD, PICTURE = "page.md", "record.json", "plot.svg"


def read_summary(out: Path) -> Summary:
    """The present state of a study's folder. Raises OSError and `DamagedError`."""
    return summarise(read_plan(out), read_results(out))


def write_outputs(out: Path) -> list[str]:
    """Write table.*, plot.*, page.md and record.json into a study's folder.

    Returns messages for the user, such as that matplotlib is missing. Raises OSError,
    `DamagedError` and EnvironmentFailure.
    """
    plan, results = read_plan(out), read_results(out)
    summary = summarise(plan, results)
    texts = {
        "table.txt": table.text(summary),
        "table.md": table.markdown(summary),
        "table.csv": table.as_csv(summary),
        "table.json": table.as_json(summary),
        "table.tex": table.latex(summary),
        RECORD: pack(plan, results),
    }
    for name, text in texts.items():  # first: no picture that fails loses a figure
        disk.replace(out / name, text.encode())
    said, pictures = [], {}
    try:
        pictures = {PICTURE: draw(summary, "svg"), "plot.png": draw(summary, "png")}
    except NoPlots as reason:
        said.append(str(reason))
    disk.replace(out / PAGE, page(summary, PICTURE if pictures else None).encode())
    for name, data in pictures.items():
        disk.replace(out / name, data)
    return said
