"""`python -m s2mlp_dsl.study PAGE.md`: its blocks of studies from their records."""

import sys
from pathlib import Path

from s2mlp_dsl.study.embed import embed


def main() -> None:
    """Write the pages that are named, and their pictures."""
    for name in sys.argv[1:]:
        made = embed(Path(name))
        for path, data in made.pictures.items():
            path.write_bytes(data)
        Path(name).write_text(made.text, encoding="utf-8")
        print(f"{name}: {len(made.pictures)} studies")


if __name__ == "__main__":
    main()
