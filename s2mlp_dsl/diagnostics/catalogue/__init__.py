"""Every code with the ways it is said: the place to review wording.

A code and its messages stand together; the explanation with a wrong and a right
example is in `texts/CODE.md`.
"""

from s2mlp_dsl.diagnostics.catalogue import (
    arguments,
    claims,
    files,
    limits,
    names,
    plugins,
    recipes,
    shapes,
    shifts,
    studies,
    syntax,
    targets,
)
from s2mlp_dsl.diagnostics.record import Code

_MODULES = (
    syntax,
    shapes,
    names,
    plugins,
    arguments,
    shifts,
    claims,
    recipes,
    studies,
    files,
    limits,
    targets,
)

CODES = {
    one.number: one
    for module in _MODULES
    for one in vars(module).values()
    if isinstance(one, Code)
}
