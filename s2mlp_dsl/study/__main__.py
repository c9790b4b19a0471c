"""`python -m s2mlp_dsl.study PAGE.md`: its blocks of studies from their records."""

import sys
from pathlib import Path

from s2mlp_dsl.study.embed import embed
from s2mlp_dsl.study.errors import StudyError


def main(pages: list[str]) -> int:
    """Write the pages that are named, and their pictures; the exit code."""
    if not pages or pages[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    for name in pages:
        try:
            made = embed(Path(name))
            for path, data in made.pictures.items():
                path.write_bytes(data)
            Path(name).write_text(made.text, encoding="utf-8")
        except (StudyError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 4
        print(f"{name}: {len(made.pictures)} studies")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
