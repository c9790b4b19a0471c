"""The two hashes of a program (the language's ninth law).

The function hash says what is computed: the expanded statements with all
arguments and operator versions, without labels, names, docs or comments. The
weight hash says which tensors there are: their names and shapes.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from s2mlp_dsl.ir.program import (
    Call,
    Kernels,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Shift,
    Stack,
    Statement,
    bodies,
)
from s2mlp_dsl.ir.row import Row

# The trainable tensors of an operator: name within it to shape.
TensorsOf = Callable[[Op], Mapping[str, tuple[int, ...]]]
# What stands under a name in the tree of names, and under as many numbers after it.
Child = tuple[str, int, bytes]


def function_hash(model: Model) -> str:
    """SHA-256 over what the program computes, as 64 hexadecimal digits.

    A body is the row of its statements' digests, calls and stacks opened, and the
    row is hashed as a tree (see `Row`), so that no iteration is repeated.
    """
    definitions: dict[str, Row] = {}
    for block in model.blocks:
        definitions[block.name] = _body(block.body, definitions)
    return _body(model.body, definitions).digest().hex()


def weight_hash(model: Model, tensors_of: TensorsOf) -> str:
    """SHA-256 over the names and shapes of a program's tensors.

    Names make a tree, parted at their dots, whose nodes are hashed from the leaves
    up. Neighbours with consecutive numbers and equal content, as iterations of a
    stack are, count together: the hash depends on names and shapes alone, however
    the program comes to them, and no stack is opened.
    """
    known: dict[str, bytes] = {}
    for block in model.blocks:
        known[block.name] = _node(_children(block.body, known, tensors_of))
    root = _node(_children(model.body, known, tensors_of))
    return (root or hashlib.sha256(b"[]").digest()).hex()  # some have no weights


def _children(
    body: tuple[Statement, ...], known: Mapping[str, bytes], tensors_of: TensorsOf
) -> Iterator[Child]:
    """The names that a body brings into its module."""
    for statement in body:
        match statement:
            case Op():
                yield statement.name, 1, _leaves(tensors_of(statement))
            case Residual() | Parallel() | Region():
                for inner in bodies(statement):
                    yield from _children(inner, known, tensors_of)
            case Call():
                yield statement.name, 1, known[statement.block]
            case Stack():
                runs, first = [], 0
                for run in statement.runs:
                    runs.append((str(first), run.count, known[run.block]))
                    first += run.count
                yield statement.name, 1, _node(runs)


def _leaves(tensors: Mapping[str, tuple[int, ...]]) -> bytes:
    """The tree of one operator's tensors, whose names may have dots as well."""
    inner: dict[str, dict[str, tuple[int, ...]]] = {}
    children: list[Child] = []
    for name, shape in tensors.items():
        top, _, rest = name.partition(".")
        if rest:
            inner.setdefault(top, {})[rest] = shape
        else:
            digest = hashlib.sha256(json.dumps(list(shape)).encode()).digest()
            children.append((top, 1, digest))
    return _node([*children, *((top, 1, _leaves(one)) for top, one in inner.items())])


def _node(children: Iterable[Child]) -> bytes:
    """The digest of what stands under a name; nothing for no tensors."""
    runs: list[Child] = []
    for name, count, digest in sorted(filter(lambda one: one[2], children), key=_place):
        if runs and name.isdecimal() and runs[-1][0].isdecimal():
            first, before, other = runs[-1]
            if other == digest and int(first) + before == int(name):
                runs[-1] = (first, before + count, digest)
                continue
        runs.append((name, count, digest))
    content = [[name, count, digest.hex()] for name, count, digest in runs]
    return hashlib.sha256(json.dumps(content).encode()).digest() if runs else b""


def _place(child: Child) -> tuple[int, str]:
    """Numbers in their order, then names in theirs."""
    name = child[0]
    return (int(name), "") if name.isdecimal() else (sys.maxsize, name)


def _body(body: tuple[Statement, ...], definitions: Mapping[str, Row]) -> Row:
    """One digest per statement in order; calls and stacks are opened."""
    parts: list[tuple[bytes | Row, int]] = []
    for statement in body:
        match statement:
            case Op():
                parts.append((_op(statement), 1))
            case Residual():
                inside = b"residual" + _body(statement.body, definitions).digest()
                parts.append((hashlib.sha256(inside).digest(), 1))
            case Parallel():
                branches = [_body(one, definitions) for one in statement.branches]
                inside = b"parallel" + str(statement.parts).encode()
                inside += b"".join(one.digest() for one in branches)
                inside += _op(statement.merge)
                parts.append((hashlib.sha256(inside).digest(), 1))
            case Region():
                parts.append((_body(statement.sequence, definitions), 1))
            case Call():
                parts.append((definitions[statement.block], 1))
            case Stack():
                parts += [(definitions[one.block], one.count) for one in statement.runs]
    return Row(parts)


def _op(op: Op) -> bytes:
    content = [op.operator, op.version, [[name, _plain(v)] for name, v in op.args]]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Shift):
        groups = [[g.channels, g.right, g.down, g.later] for g in value.groups]
        return [value.edge, value.interleaved, groups]
    if isinstance(value, Kernels):
        filters = [
            [[list(map(str, row)) for row in kernel] for kernel in one]
            for one in value.filters
        ]
        return [one for (one,) in filters] if value.is_single else filters
    return str(value) if isinstance(value, Fraction) else value
