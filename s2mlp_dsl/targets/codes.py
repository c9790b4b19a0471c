"""Until every message is in the catalogue."""

from s2mlp_dsl.diagnostics.catalogue.targets import ANOTHER as ANOTHER
from s2mlp_dsl.diagnostics.catalogue.targets import NOT_SAID as NOT_SAID
