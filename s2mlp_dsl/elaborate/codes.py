"""Until every message is in the catalogue."""

from s2mlp_dsl.diagnostics.catalogue.arguments import DIVIDED_BY_ZERO as DIVIDED_BY_ZERO
from s2mlp_dsl.diagnostics.catalogue.arguments import GIVEN_TWICE as GIVEN_TWICE
from s2mlp_dsl.diagnostics.catalogue.arguments import MISSING as MISSING
from s2mlp_dsl.diagnostics.catalogue.arguments import NO_DIM as NO_DIM
from s2mlp_dsl.diagnostics.catalogue.arguments import NOT_A_COUNT as NOT_A_COUNT
from s2mlp_dsl.diagnostics.catalogue.arguments import OUT_OF_RANGE as OUT_OF_RANGE
from s2mlp_dsl.diagnostics.catalogue.arguments import POSITIONAL_LATE as POSITIONAL_LATE
from s2mlp_dsl.diagnostics.catalogue.arguments import TOO_MANY as TOO_MANY
from s2mlp_dsl.diagnostics.catalogue.arguments import (
    UNKNOWN_ARGUMENT as UNKNOWN_ARGUMENT,
)
from s2mlp_dsl.diagnostics.catalogue.arguments import UNKNOWN_CHOICE as UNKNOWN_CHOICE
from s2mlp_dsl.diagnostics.catalogue.arguments import UNKNOWN_KIND as UNKNOWN_KIND
from s2mlp_dsl.diagnostics.catalogue.arguments import WRONG_KIND as WRONG_KIND
from s2mlp_dsl.diagnostics.catalogue.files import IMPORT_CYCLE as IMPORT_CYCLE
from s2mlp_dsl.diagnostics.catalogue.files import IMPORT_MISSING as IMPORT_MISSING
from s2mlp_dsl.diagnostics.catalogue.files import IMPORT_OUTSIDE as IMPORT_OUTSIDE
from s2mlp_dsl.diagnostics.catalogue.files import NOT_EXPORTED as NOT_EXPORTED
from s2mlp_dsl.diagnostics.catalogue.files import UNREADABLE as UNREADABLE
from s2mlp_dsl.diagnostics.catalogue.limits import ACTIVATION as ACTIVATION
from s2mlp_dsl.diagnostics.catalogue.limits import DIGITS as DIGITS
from s2mlp_dsl.diagnostics.catalogue.limits import DISTINCT as DISTINCT
from s2mlp_dsl.diagnostics.catalogue.limits import FILE_SIZE as FILE_SIZE
from s2mlp_dsl.diagnostics.catalogue.limits import FILES as FILES
from s2mlp_dsl.diagnostics.catalogue.limits import GROUPS_MANY as GROUPS_MANY
from s2mlp_dsl.diagnostics.catalogue.limits import MAP as MAP
from s2mlp_dsl.diagnostics.catalogue.limits import PARAMETERS as PARAMETERS
from s2mlp_dsl.diagnostics.catalogue.limits import ROWS as ROWS
from s2mlp_dsl.diagnostics.catalogue.limits import STATEMENTS as STATEMENTS
from s2mlp_dsl.diagnostics.catalogue.limits import STEPS as STEPS
from s2mlp_dsl.diagnostics.catalogue.names import DECLARED_TWICE as DECLARED_TWICE
from s2mlp_dsl.diagnostics.catalogue.names import KEYWORD as KEYWORD
from s2mlp_dsl.diagnostics.catalogue.names import LABEL_TWICE as LABEL_TWICE
from s2mlp_dsl.diagnostics.catalogue.names import RECURSION as RECURSION
from s2mlp_dsl.diagnostics.catalogue.names import TAKEN as TAKEN
from s2mlp_dsl.diagnostics.catalogue.names import UNKNOWN_NAME as UNKNOWN_NAME
from s2mlp_dsl.diagnostics.catalogue.names import UNKNOWN_STATEMENT as UNKNOWN_STATEMENT
from s2mlp_dsl.diagnostics.catalogue.names import WRONG_DECLARATION as WRONG_DECLARATION
from s2mlp_dsl.diagnostics.catalogue.recipes import RECIPE_MISSING as RECIPE_MISSING
from s2mlp_dsl.diagnostics.catalogue.recipes import RECIPE_SETTING as RECIPE_SETTING
from s2mlp_dsl.diagnostics.catalogue.recipes import RECIPE_VALUE as RECIPE_VALUE
from s2mlp_dsl.diagnostics.catalogue.shapes import BRANCHES as BRANCHES
from s2mlp_dsl.diagnostics.catalogue.shapes import EMPTY as EMPTY
from s2mlp_dsl.diagnostics.catalogue.shapes import RESIDUAL as RESIDUAL
from s2mlp_dsl.diagnostics.catalogue.shifts import NO_EDGE as NO_EDGE
from s2mlp_dsl.diagnostics.catalogue.shifts import SAID_TWICE as SAID_TWICE
from s2mlp_dsl.diagnostics.catalogue.shifts import SHARES as SHARES
from s2mlp_dsl.diagnostics.catalogue.shifts import UNKNOWN_EDGE as UNKNOWN_EDGE
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_CONFLICT as STUDY_CONFLICT
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_KEY as STUDY_KEY
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_LABEL as STUDY_LABEL
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_MISSING as STUDY_MISSING
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_MODEL as STUDY_MODEL
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_PRINTED as STUDY_PRINTED
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_SEEDS as STUDY_SEEDS
from s2mlp_dsl.diagnostics.catalogue.studies import STUDY_VALUES as STUDY_VALUES
