"""The two hashes of a program (the language's ninth law).

The function hash identifies what is computed: the expanded statements with all
arguments and operator versions, without labels, names, docs or comments. The weight
hash identifies the tensors: their names and shapes.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from s2mlp_dsl.ir.digests import DigestSequence
from s2mlp_dsl.ir.program import (
    Body,
    Invocation,
    Kernels,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Shift,
)
from s2mlp_dsl.ir.walk import fold, within

# The trainable tensors of an operator: name within it to shape.
TensorsOf = Callable[[Op], Mapping[str, tuple[int, ...]]]
# An entry in the tree of names: its name, how many consecutive numbers have the same
# content, and the digest of that.
Entry = tuple[str, int, bytes]


def function_hash(model: Model) -> str:
    """SHA-256 over what the program computes, as 64 hexadecimal digits.

    A body is the sequence of its statements' digests, calls and stacks opened, and is
    hashed as a tree (see `DigestSequence`), so that no iteration is repeated.
    """
    return fold(model, _computed).digest().hex()


def _computed(body: Body, definitions: Mapping[str, DigestSequence]) -> DigestSequence:
    """One digest per statement in order; what invocations run is part of the body."""
    parts: list[tuple[bytes | DigestSequence, int]] = []
    for statement in body:
        match statement:
            case Op():
                parts.append((_op(statement), 1))
            case Invocation():
                parts += [(definitions[run.block], run.count) for run in statement.runs]
            case Region():
                parts.append((_computed(statement.sequence, definitions), 1))
            case Residual():
                inside = b"residual" + _computed(statement.body, definitions).digest()
                parts.append((hashlib.sha256(inside).digest(), 1))
            case Parallel():
                inside = b"parallel" + str(statement.parts).encode()
                for branch in statement.branches:
                    inside += _computed(branch, definitions).digest()
                inside += _op(statement.merge)
                parts.append((hashlib.sha256(inside).digest(), 1))
    return DigestSequence(parts)


def _op(op: Op) -> bytes:
    content = [op.operator, op.version, [[name, _plain(v)] for name, v in op.args]]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Shift):
        groups = [[g.channels, g.right, g.down, g.later] for g in value.groups]
        return [value.edge, value.interleaved, groups]
    if isinstance(value, Kernels):
        filters = [
            [[list(map(str, row)) for row in kernel] for kernel in kernels]
            for kernels in value.filters
        ]
        return [kernel for (kernel,) in filters] if value.is_single else filters
    return str(value) if isinstance(value, Fraction) else value


def weight_hash(model: Model, tensors_of: TensorsOf) -> str:
    """SHA-256 over the names and shapes of a program's tensors.

    Names make a tree, split at their dots, whose nodes are hashed from the leaves up.
    Neighbours with consecutive numbers and equal content, as iterations of a stack are,
    are counted: the hash depends on names and shapes alone, however the program comes
    to them, and no stack is opened.
    """

    def node_of(body: Body, definitions: Mapping[str, bytes]) -> bytes:
        return _node(_entries(body, definitions, tensors_of))

    root = fold(model, node_of)
    return (root or hashlib.sha256(b"[]").digest()).hex()  # some have no weights


def _entries(
    body: Body, definitions: Mapping[str, bytes], tensors_of: TensorsOf
) -> Iterator[Entry]:
    """The names that a body adds to its module."""
    for statement in within(body):
        if isinstance(statement, Op):
            yield statement.name, 1, _leaves(tensors_of(statement))
        elif isinstance(statement, Invocation) and statement.numbered:
            iterations, first = [], 0
            for run in statement.runs:
                iterations.append((str(first), run.count, definitions[run.block]))
                first += run.count
            yield statement.name, 1, _node(iterations)
        elif isinstance(statement, Invocation):
            (run,) = statement.runs
            yield statement.name, 1, definitions[run.block]


def _leaves(tensors: Mapping[str, tuple[int, ...]]) -> bytes:
    """The tree of one operator's tensors, whose names may have dots too."""
    inner: dict[str, dict[str, tuple[int, ...]]] = {}
    entries: list[Entry] = []
    for name, shape in tensors.items():
        top, _, rest = name.partition(".")
        if rest:
            inner.setdefault(top, {})[rest] = shape
        else:
            digest = hashlib.sha256(json.dumps(list(shape)).encode()).digest()
            entries.append((top, 1, digest))
    return _node([*entries, *((top, 1, _leaves(one)) for top, one in inner.items())])


def _node(entries: Iterable[Entry]) -> bytes:
    """The digest of what is under a name; empty for no tensors."""
    runs: list[Entry] = []
    for name, count, digest in sorted(filter(lambda one: one[2], entries), key=_place):
        if runs and name.isdecimal() and runs[-1][0].isdecimal():
            first, before, other = runs[-1]
            if other == digest and int(first) + before == int(name):
                runs[-1] = (first, before + count, digest)
                continue
        runs.append((name, count, digest))
    content = [[name, count, digest.hex()] for name, count, digest in runs]
    return hashlib.sha256(json.dumps(content).encode()).digest() if runs else b""


def _place(entry: Entry) -> tuple[int, str]:
    """Numbers in their order, then names in theirs."""
    name = entry[0]
    return (int(name), "") if name.isdecimal() else (sys.maxsize, name)
