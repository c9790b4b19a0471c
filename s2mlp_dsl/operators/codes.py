"""What an operator can refuse."""

from s2mlp_dsl.diagnostics import code

NOT_A_MAP = code("A0201", "this operator needs a map")
PATCHES = code("A0202", "the patches do not tile the map")
GROUPS = code("A0203", "the groups of this shift do not divide the channels")
EVEN_KERNEL = code("A0206", "a kernel needs a middle")
PATTERN = code("A0211", "this pattern does not fit")
NOT_RESTORED = code("A0212", "what leaves a scope cannot be put back")
REGISTERED_TWICE = code(
    "A0309", "more than one package registers this operator", exit_code=4
)
NOT_LOADED = code("A0310", "the package of this operator cannot be loaded", exit_code=4)
NO_OPERATOR = code("A0311", "what a package registers here is no operator", exit_code=4)
NEEDS_TIME = code("A0425", "an image has no time to move in")
NO_IMAGE = code("A0208", "a model begins with its image")
IMAGE_AGAIN = code("A0209", "the image can come in only once")
EPS = code("A0210", "a norm cannot use this eps")
WINDOW = code("A0216", "this window does not fit")
CONV_GROUPS = code("A0217", "the groups of this convolution do not divide the channels")
HEADS = code("A0214", "the heads do not divide the channels")
KERNELS = code("A0219", "these fixed kernels do not fit")
NOT_TOKENS = code("A0218", "this operator needs a row of tokens")
NORM_GROUPS = code("A0215", "a norm cannot use these groups")
