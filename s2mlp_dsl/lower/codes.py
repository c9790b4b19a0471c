"""Until every message is in the catalogue."""

from s2mlp_dsl.diagnostics.catalogue.targets import LOWERING as LOWERING
