"""Operators, and the shapes that they take and leave."""

from s2mlp_dsl.diagnostics.record import Code

NOT_A_MAP = Code("A0201", "operator needs a map")
PATCHES = Code("A0202", "patches do not tile the map")
GROUPS = Code("A0203", "shift groups do not divide the channels")
RESIDUAL = Code("A0204", "residual branch changes the shape")
EMPTY = Code("A0205", "empty body")
EVEN_KERNEL = Code("A0206", "kernel size must be odd")
NO_IMAGE = Code("A0208", "missing image")
IMAGE_AGAIN = Code("A0209", "duplicate `image` statement")
EPS = Code("A0210", "invalid eps")
PATTERN = Code("A0211", "pattern does not match the map")
NOT_RESTORED = Code("A0212", "region cannot be undone")
BRANCHES = Code("A0213", "branches cannot be merged")
HEADS = Code("A0214", "heads do not divide the channels")
NORM_GROUPS = Code("A0215", "invalid norm groups")
WINDOW = Code("A0216", "window does not fit the map")
CONV_GROUPS = Code("A0217", "convolution groups do not divide the channels")
NOT_TOKENS = Code("A0218", "operator needs tokens")
KERNELS = Code("A0219", "fixed kernels do not match")
NEEDS_TIME = Code("A0425", "temporal shift on a still image")
