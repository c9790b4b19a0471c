"""What can be wrong with the meaning of a spec, before any figure is computed."""

from s2mlp_dsl.diagnostics import code

# shapes
RESIDUAL = code("A0204", "a residual must return to the shape it started from")
BRANCHES = code("A0213", "these branches do not fit together")
EMPTY = code("A0205", "there is nothing inside these braces")

# names
UNKNOWN_NAME = code("A0301", "this name is not declared")
UNKNOWN_STATEMENT = code("A0302", "there is no operator or block of this name")
DECLARED_TWICE = code("A0303", "this name is declared twice")
KEYWORD = code("A0304", "this word belongs to the language")
TAKEN = code("A0305", "this name belongs to an operator or a function")
WRONG_DECLARATION = code("A0306", "what this name stands for cannot be used here")
RECURSION = code("A0307", "this calls itself")
LABEL_TWICE = code("A0308", "this label stands twice in one body")

# arguments and values
TOO_MANY = code("A0401", "too many arguments")
UNKNOWN_ARGUMENT = code("A0402", "there is no parameter of this name")
GIVEN_TWICE = code("A0403", "this argument is given twice")
MISSING = code("A0404", "an argument is missing")
WRONG_KIND = code("A0405", "this is not the kind of value that is needed")
NOT_A_COUNT = code("A0406", "a count is a whole number")
UNKNOWN_CHOICE = code("A0407", "this word is not one of the choices")
DIVIDED_BY_ZERO = code("A0408", "this divides by zero")
OUT_OF_RANGE = code("A0409", "the list has no such item")
NO_DIM = code("A0410", "`dim` has no meaning here")
UNKNOWN_KIND = code("A0411", "there is no such kind of parameter")
POSITIONAL_LATE = code("A0412", "a positional argument stands after a named one")

# shifts
SHARES = code("A0421", "the groups of this shift are not all of its channels")
NO_EDGE = code("A0422", "the shift does not say its edge rule")
UNKNOWN_EDGE = code("A0423", "there is no such edge rule")
SAID_TWICE = code("A0424", "this can be said only once in a shift")

# recipes
RECIPE_SETTING = code("A0601", "a recipe has no such setting")
RECIPE_VALUE = code("A0602", "this setting cannot have this value")
RECIPE_MISSING = code("A0603", "the recipe leaves something out")

# studies
STUDY_KEY = code("A0611", "a study has no such setting")
STUDY_VALUES = code("A0612", "this is no list of values to vary over")
STUDY_SEEDS = code("A0613", "these are no seeds")
STUDY_PRINTED = code("A0614", "this is not what a paper prints for a row")
STUDY_LABEL = code("A0615", "two rows of this study have the same label")
STUDY_MISSING = code("A0616", "the study leaves something out")
STUDY_CONFLICT = code("A0617", "this is varied, and given as well")
STUDY_MODEL = code("A0618", "this model cannot be trained")

# files
UNREADABLE = code("A0701", "the file cannot be read")
IMPORT_MISSING = code("A0702", "there is no file to import")
IMPORT_OUTSIDE = code("A0703", "an import stays inside the project")
IMPORT_CYCLE = code("A0704", "these files import each other")
NOT_EXPORTED = code("A0705", "the imported file does not declare this name")

# bounds
FILE_SIZE = code("A0801", "the spec is too large to read")
DIGITS = code("A0802", "the number has too many digits")
STATEMENTS = code("A0803", "the model has too many statements")
PARAMETERS = code("A0804", "the model has too many parameters")
MAP = code("A0805", "the map is too large")
STEPS = code("A0806", "the model takes too many steps to work out")
FILES = code("A0807", "too many files are imported")
DISTINCT = code("A0808", "the model has too many statements that differ")
ACTIVATION = code("A0809", "the maps of one image are too large together")
GROUPS_MANY = code("A0810", "the shift has too many groups")
ROWS = code("A0811", "the study has too many rows")
