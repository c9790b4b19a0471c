"""Until every message is in the catalogue."""

from s2mlp_dsl.diagnostics.catalogue.syntax import ASSIGNED as ASSIGNED
from s2mlp_dsl.diagnostics.catalogue.syntax import BAD_CHARACTER as BAD_CHARACTER
from s2mlp_dsl.diagnostics.catalogue.syntax import BAD_EDITION as BAD_EDITION
from s2mlp_dsl.diagnostics.catalogue.syntax import BAD_NUMBER as BAD_NUMBER
from s2mlp_dsl.diagnostics.catalogue.syntax import NO_EDITION as NO_EDITION
from s2mlp_dsl.diagnostics.catalogue.syntax import NOT_CLOSED as NOT_CLOSED
from s2mlp_dsl.diagnostics.catalogue.syntax import NOT_OPENED as NOT_OPENED
from s2mlp_dsl.diagnostics.catalogue.syntax import OPEN_STRING as OPEN_STRING
from s2mlp_dsl.diagnostics.catalogue.syntax import TOO_DEEP as TOO_DEEP
from s2mlp_dsl.diagnostics.catalogue.syntax import UNEXPECTED as UNEXPECTED
