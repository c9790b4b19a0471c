"""Where specs are read from, and how much of them."""

from pathlib import Path

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import Report, SpecError
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source, Span

_PROJECT = (
    "the project is the nearest folder above with a pyproject.toml or .git, else the "
    "folder of the spec"
)


class UnreadableSpec(SpecError):
    """The spec itself cannot be read: a mistake of the caller, not of the spec."""

    @property
    def exit_code(self) -> int:
        """Wrong usage."""
        return 2


def read_source(path: Path, name: str, report: Report) -> Source:
    """Read a spec. Raises `UnreadableSpec` if there is nothing to read."""
    most = limits().bytes
    nowhere = Span(Source(name, "", path), 0, 0)
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        report.add(codes.UNREADABLE, nowhere, reason.lower())
        raise UnreadableSpec(report.sorted()) from error
    if len(data) > most:
        report.add(
            codes.FILE_SIZE,
            nowhere,
            f"it has more than {most:,} bytes",
            notes=[how_to_raise("bytes")],
            help="split it, and import what the model needs",
        )
        report.raise_errors()
    try:
        return Source(name, data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        report.add(
            codes.UNREADABLE,
            nowhere,
            f"line {line} is not UTF-8 text",
            help="save the file as UTF-8",
        )
        raise SpecError(report.sorted()) from error


def locate(source: Source, origin: tree.Text, report: Report) -> Path:
    """Resolve an import, links followed, and hold it inside the project."""
    if origin.value.startswith("std:"):
        folder, name = shipped("specs"), origin.value.removeprefix("std:")
        root, wanted = folder, folder / f"{name}.arch"
    else:
        here = source.path or Path("spec.arch")
        root, wanted = _root(here.resolve()), here.resolve().parent / origin.value
        if Path(origin.value).is_absolute():
            raise report.add(
                codes.IMPORT_OUTSIDE,
                origin.span,
                "this is an absolute path",
                help="name the file relative to this one",
            )
    try:
        path, root = wanted.resolve(), root.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise report.add(
            codes.IMPORT_MISSING, origin.span, "this is no name of a file"
        ) from error
    if not path.is_relative_to(root):
        raise report.add(
            codes.IMPORT_OUTSIDE,
            origin.span,
            "this leads out of the project",
            notes=[_PROJECT],
            help="copy the file into the project",
        )
    return path


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _root(spec: Path) -> Path:
    for folder in spec.parents:
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return folder
    return spec.parent
