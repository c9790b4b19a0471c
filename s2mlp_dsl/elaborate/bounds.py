"""How large a spec may grow. No real model meets these; an explosion does.

Everything is checked by arithmetic before anything of that size is built.
"""

FILE_BYTES = 4 * 2**20
DIGITS = 60  # of a number, its exponent spelled out
STATEMENTS = 1_000_000  # after expansion, every iteration counted
ITERATIONS = 20_000  # of stacks whose iterations differ
PARAMETERS = 10**12
ACTIVATION = 2**32  # numbers in one map
