"""Until every message is in the catalogue."""

from s2mlp_dsl.diagnostics.catalogue.claims import CLAIM_FAILS as CLAIM_FAILS
from s2mlp_dsl.diagnostics.catalogue.claims import CLAIM_FORM as CLAIM_FORM
from s2mlp_dsl.diagnostics.catalogue.claims import CLAIM_MODEL as CLAIM_MODEL
from s2mlp_dsl.diagnostics.catalogue.claims import CLAIM_UNDECIDED as CLAIM_UNDECIDED
from s2mlp_dsl.diagnostics.catalogue.claims import DROPPED as DROPPED
from s2mlp_dsl.diagnostics.catalogue.claims import NO_ITERATION as NO_ITERATION
from s2mlp_dsl.diagnostics.catalogue.claims import SHAPES_DIFFER as SHAPES_DIFFER
from s2mlp_dsl.diagnostics.catalogue.claims import UNKNOWN_LABEL as UNKNOWN_LABEL
from s2mlp_dsl.diagnostics.catalogue.claims import UNKNOWN_OPERATOR as UNKNOWN_OPERATOR
