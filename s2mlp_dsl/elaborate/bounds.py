"""How large a spec may grow. No real model meets these; an explosion does.

Everything is checked by arithmetic before anything of that size is built.
"""

FILE_BYTES = 2**20  # of a spec and what it imports, together
FILES = 64
DIGITS = 60  # of a number, its exponent spelled out
NESTING = 64  # blocks, residuals and stacks inside one another
STEPS = 250_000  # of evaluation, for one model; see Evaluator.step
STATEMENTS = 100_000  # after expansion, every iteration counted
DISTINCT = 10_000  # of them, equal iterations of a stack counted once
PARAMETERS = 10**12
ACTIVATION = 2**32  # numbers in one map
