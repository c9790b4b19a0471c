"""The two hashes of a program (the language's ninth law).

The function hash says what is computed: the expanded statements with all
arguments and operator versions, without labels, names, docs or comments. The
weight hash says which tensors there are: their names and shapes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from s2mlp_dsl.ir.program import (
    Call,
    Kernels,
    Model,
    Op,
    Parallel,
    Residual,
    Scope,
    Shift,
    Stack,
    Statement,
)


def function_hash(model: Model) -> str:
    """SHA-256 over what the program computes, as 64 hexadecimal digits."""
    definitions: dict[str, bytes] = {}
    for block in model.blocks:
        definitions[block.name] = _body(block.body, definitions)
    return hashlib.sha256(_body(model.body, definitions)).hexdigest()


def weight_hash(tensors: Iterable[tuple[str, tuple[int, ...]]]) -> str:
    """SHA-256 over the names and shapes of a program's tensors."""
    lines = sorted(f"{name} {list(shape)}" for name, shape in tensors)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _body(body: tuple[Statement, ...], definitions: Mapping[str, bytes]) -> bytes:
    """One digest per statement in order; calls and stacks are opened."""
    digests = []
    for statement in body:
        match statement:
            case Op():
                digests.append(_op(statement))
            case Residual():
                inside = b"residual" + _body(statement.body, definitions)
                digests.append(hashlib.sha256(inside).digest())
            case Parallel():
                branches = [_body(one, definitions) for one in statement.branches]
                inside = b"parallel" + str(statement.parts).encode()
                inside += b"".join(hashlib.sha256(one).digest() for one in branches)
                inside += _op(statement.fuse)
                digests.append(hashlib.sha256(inside).digest())
            case Scope():
                digests.append(_body(statement.sequence, definitions))
            case Call():
                digests.append(definitions[statement.block])
            case Stack():
                digests += [
                    definitions[run.block] * run.count for run in statement.runs
                ]
    return b"".join(digests)


def _op(op: Op) -> bytes:
    content = [op.operator, op.version, [[name, _plain(v)] for name, v in op.args]]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Shift):
        groups = [[g.channels, g.right, g.down, g.later] for g in value.groups]
        return [value.edge, value.interleaved, groups]
    if isinstance(value, Kernels):
        return [[list(map(str, row)) for row in one] for one in value.kernels]
    return str(value) if isinstance(value, Fraction) else value
