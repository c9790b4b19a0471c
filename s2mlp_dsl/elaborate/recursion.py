"""No block may reach itself through calls."""

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span


def check_recursion(unit: Unit, report: Report) -> None:
    """Report each call that closes a cycle among the blocks of a file.

    Imports have no cycles, so no cycle leaves the file.
    """
    calls = {
        name: _calls_in(declared.declaration.body)
        for name, declared in unit.own(tree.Block).items()
        if isinstance(declared.declaration, tree.Block)
    }
    done: set[str] = set()
    for start in calls:
        # Depth first: `path` holds the open blocks, `todo` what is left of each.
        path, todo = [start], [iter(calls[start].items())]
        while path:
            name, span = next(todo[-1], (None, None))
            if name is None or span is None:
                done.add(path.pop())
                todo.pop()
            elif name in path:
                chain = [*path[path.index(name) :], name]
                unit.circular.update(chain)
                report.add(
                    codes.RECURSION,
                    span,
                    " → ".join(chain),
                    help="repeat it with `stack n { … }` instead",
                )
            elif name in calls and name not in done:
                path.append(name)
                todo.append(iter(calls[name].items()))


def _calls_in(body: tree.Body) -> dict[str, Span]:
    """Names in statement position, each with where it stands first."""
    found: dict[str, Span] = {}
    todo = [body]
    while todo:
        for statement in todo.pop().statements:
            if isinstance(statement, tree.Operation):
                found.setdefault(statement.call.name.id, statement.call.name.span)
            todo += tree.bodies(statement)
    return found
