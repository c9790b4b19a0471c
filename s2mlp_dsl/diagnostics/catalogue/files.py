"""Files and imports."""

from s2mlp_dsl.diagnostics.record import Code

UNREADABLE = Code("A0701", "cannot read the file")
NOT_READ = UNREADABLE.says("{reason}")
NOT_UTF8 = UNREADABLE.says(
    "line {line} is not UTF-8 text", help="save the file as UTF-8"
)

IMPORT_MISSING = Code("A0702", "imported file not found")
NO_FILE = IMPORT_MISSING.says(
    "no such file",
    help="paths are relative to this file, as in `import x from "
    '"x.arch"`; shipped files are imported as `std:NAME`',
)
BAD_PATH = IMPORT_MISSING.says("this is not a file name")

IMPORT_OUTSIDE = Code("A0703", "import outside the project")
ABSOLUTE_PATH = IMPORT_OUTSIDE.says(
    "this is an absolute path", help="write the path relative to this file"
)
LEAVES_PROJECT = IMPORT_OUTSIDE.says(
    "this file is outside the project",
    notes="the project is the nearest folder above with a pyproject.toml or .git, "
    "else the folder of the spec",
    help="copy the file into the project",
)

IMPORT_CYCLE = Code("A0704", "import cycle")
FILES_IN_A_CYCLE = IMPORT_CYCLE.says(
    "{cycle}", help="move what both need into a third file"
)

NOT_EXPORTED = Code("A0705", "name not found in the imported file")
NOT_IN_FILE = NOT_EXPORTED.says("`{file}` has no `{name}`")
