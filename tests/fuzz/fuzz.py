"""Coverage-guided fuzzing of the parser or of `check`. See README.md beside this."""

import sys

import atheris

with atheris.instrument_imports(include=["s2mlp_dsl", "tests.fuzz.targets"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
