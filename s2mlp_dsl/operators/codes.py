"""Until every message is in the catalogue."""

from s2mlp_dsl.diagnostics.catalogue.plugins import NO_OPERATOR as NO_OPERATOR
from s2mlp_dsl.diagnostics.catalogue.plugins import NOT_LOADED as NOT_LOADED
from s2mlp_dsl.diagnostics.catalogue.plugins import REGISTERED_TWICE as REGISTERED_TWICE
from s2mlp_dsl.diagnostics.catalogue.shapes import CONV_GROUPS as CONV_GROUPS
from s2mlp_dsl.diagnostics.catalogue.shapes import EPS as EPS
from s2mlp_dsl.diagnostics.catalogue.shapes import EVEN_KERNEL as EVEN_KERNEL
from s2mlp_dsl.diagnostics.catalogue.shapes import GROUPS as GROUPS
from s2mlp_dsl.diagnostics.catalogue.shapes import HEADS as HEADS
from s2mlp_dsl.diagnostics.catalogue.shapes import IMAGE_AGAIN as IMAGE_AGAIN
from s2mlp_dsl.diagnostics.catalogue.shapes import KERNELS as KERNELS
from s2mlp_dsl.diagnostics.catalogue.shapes import NEEDS_TIME as NEEDS_TIME
from s2mlp_dsl.diagnostics.catalogue.shapes import NO_IMAGE as NO_IMAGE
from s2mlp_dsl.diagnostics.catalogue.shapes import NORM_GROUPS as NORM_GROUPS
from s2mlp_dsl.diagnostics.catalogue.shapes import NOT_A_MAP as NOT_A_MAP
from s2mlp_dsl.diagnostics.catalogue.shapes import NOT_RESTORED as NOT_RESTORED
from s2mlp_dsl.diagnostics.catalogue.shapes import NOT_TOKENS as NOT_TOKENS
from s2mlp_dsl.diagnostics.catalogue.shapes import PATCHES as PATCHES
from s2mlp_dsl.diagnostics.catalogue.shapes import PATTERN as PATTERN
from s2mlp_dsl.diagnostics.catalogue.shapes import WINDOW as WINDOW
