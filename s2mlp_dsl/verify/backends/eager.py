"""The module itself."""

from s2mlp_dsl.verify.backends import Backend


class Eager(Backend):
    """What `compile` returns."""

    api = 1
    doc = "the module; also on an image one patch higher"
    any_size = True
