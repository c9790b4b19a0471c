"""Files and imports."""

from s2mlp_dsl.diagnostics.record import Code

UNREADABLE = Code("A0701", "cannot read the file")
IMPORT_MISSING = Code("A0702", "imported file not found")
IMPORT_OUTSIDE = Code("A0703", "import outside the project")
IMPORT_CYCLE = Code("A0704", "import cycle")
NOT_EXPORTED = Code("A0705", "name not found in the imported file")
