"""A declared shift, applied to a number of channels.

Shares are exact (the language's third law): they are whole numbers of channels
that add up, or the file is refused with the arithmetic. Only `each` has a
remainder rule: over n displacements it cuts its channels into runs of
⌈channels / n⌉, the last ones shorter; with `interleave`, channel c takes
displacement c mod n. Where a `rest` is declared, the channels beyond the
largest multiple of n belong to it either way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import AlreadyReported, Label
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.shift_form import (
    EDGES,
    RULES_ARE,
    check_form,
    one_of,
    rest_of,
)
from s2mlp_dsl.elaborate.values import EnumValue, Env, ShiftRef, show, words_in
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Edge, Shift, ShiftGroup
from s2mlp_dsl.operators.codes import GROUPS
from s2mlp_dsl.source import Span

# direction -> (axis, sign): the word says where the content goes
_DIRECTIONS = {
    "right": ("right", 1),
    "left": ("right", -1),
    "down": ("down", 1),
    "up": ("down", -1),
    "later": ("later", 1),
    "earlier": ("later", -1),
}
_TERMS_SHOWN = 8


def no_shift(channels: int) -> Shift:
    """What `shift(none)` does: every channel stays."""
    return Shift(name="none", edge="keep", groups=(ShiftGroup(channels=channels),))


def resolve_shift(
    ref: ShiftRef, channels: int, at: Span, evaluator: Evaluator
) -> Shift:
    """The groups of a shift on a map of so many channels, used at `at`."""
    declaration = ref.declared.declaration
    assert isinstance(declaration, tree.Shift)
    env = Env(ref.declared.unit, dict(ref.arguments), channels)
    return _Resolver(declaration, env, channels, at, evaluator).resolve()


@dataclass(eq=False, repr=False)
class _Resolver:
    """One declared shift on one number of channels."""

    declaration: tree.Shift
    env: Env
    channels: int
    at: Span
    evaluator: Evaluator

    def resolve(self) -> Shift:
        if not check_form(self.declaration, self.evaluator.report):
            raise AlreadyReported
        items = self.declaration.items
        edge = one_of(items, tree.EdgeRule)
        assert edge is not None  # by its form
        each, rest = one_of(items, tree.Each), rest_of(items)
        interleave = one_of(items, tree.Interleave)
        taken: dict[int, list[ShiftGroup]] = {}
        for number, item in enumerate(items):
            if isinstance(item, tree.ChannelGroup) and item.share is not None:
                taken[number] = [self._group(item, self._share(item.share))]
        left = self.channels - sum(one.channels for (one,) in taken.values())
        if left < 0 or (left and rest is None and each is None):
            raise self._wrong_sum(left)
        if each is not None:
            made = self._each(each, left, interleave is not None, rest is not None)
            taken[items.index(each)] = made
            left -= sum(group.channels for group in made)
        if rest is not None:
            taken[items.index(rest)] = [self._group(rest, left)]
        groups = [taken[number] for number in sorted(taken)]
        count = 0
        if interleave is not None:
            mixed = [taken[n] for n in sorted(taken) if items[n] is not rest]
            last = [] if rest is None else [taken[items.index(rest)]]
            groups = [*mixed, *last]
            count = self._interleaved([g for one in mixed for g in one], interleave)
        return Shift(
            name=self.declaration.name.id,
            edge=self._edge(edge),
            groups=tuple(g for one in groups for g in one if g.channels),
            interleaved=count,
        )

    def _edge(self, item: tree.EdgeRule) -> Edge:
        """The rule that is written, or that a parameter of this name holds."""
        given = self.env.values.get(item.rule.id, EnumValue(item.rule.id))
        for rule in EDGES:
            if given == rule:
                return rule
        if not isinstance(given, EnumValue):
            raise self.evaluator.wrong_kind(item.rule.span, "enum", given)
        raise self.evaluator.fail(
            codes.UNKNOWN_EDGE,
            item.rule.span,
            f"this is `{show(given)}`; {RULES_ARE}",
            secondary=[Label(self.at, "used here")],
            help=f"give `{item.rule.id}` one of them",
        )

    def _interleaved(self, groups: list[ShiftGroup], at: tree.Interleave) -> int:
        """How many groups take turns. They must be equal, or nearly so in order."""
        sizes = [group.channels for group in groups if group.channels]
        if sizes and (sizes[0] - sizes[-1] > 1 or sizes != sorted(sizes)[::-1]):
            raise self.evaluator.fail(
                codes.SHARES,
                at.span,
                f"groups take turns when equal; these have {_listed(sizes)} channels",
                help="make the shares equal, or remove `interleave`",
            )
        return len(sizes)

    def _share(self, share: tree.Expr) -> int:
        part = Fraction(self.evaluator.number(share, self.env))
        exact = part * self.channels
        if part < 0:
            raise self.evaluator.fail(
                codes.SHARES,
                share.span,
                f"this is {part}",
                secondary=[Label(self.at, "used here")],
                help="write a share between 0 and 1",
            )
        if exact.denominator != 1:
            step = self._step(part)
            lower = self.channels // step * step
            sizes = " or ".join(str(n) for n in (lower, lower + step) if n)
            raise self.evaluator.fail(
                GROUPS,
                self.at,
                f"the map here has {self.channels} channels",
                secondary=[
                    Label(
                        share.span,
                        f"{part} of {self.channels} channels is {_decimal(exact)}",
                    )
                ],
                help=f"make the width a multiple of {step}: {sizes}",
            )
        return exact.numerator

    def _step(self, part: Fraction) -> int:
        """What the width must be a multiple of, for every share that is a number."""
        fixed = [
            Fraction(self.evaluator.number(item.share, self.env))
            for item in self.declaration.items
            if isinstance(item, tree.ChannelGroup)
            and item.share is not None
            and "dim" not in words_in(item.share)
        ]
        return lcm(part.denominator, *(one.denominator for one in fixed))

    def _wrong_sum(self, left: int) -> AlreadyReported:
        groups = [
            item.share
            for item in self.declaration.items
            if isinstance(item, tree.ChannelGroup) and item.share is not None
        ]
        terms = [share.span.text for share in groups]
        shown = " + ".join(terms[:_TERMS_SHOWN]) or "0"
        if len(terms) > _TERMS_SHOWN:
            shown += " + …"
        total = Fraction(self.channels - left, self.channels)
        dropped = Fraction(left, self.channels)
        return self.evaluator.fail(
            codes.SHARES,
            self.declaration.name.span,
            f"{shown} = {total}, not 1",
            help=f"write `rest stay` for the {dropped} that is left"
            if left > 0
            else f"take away {-dropped}",
        )

    def _group(self, item: tree.ChannelGroup, channels: int) -> ShiftGroup:
        steps = {"right": 0, "down": 0, "later": 0}
        for move in item.moves:
            axis, sign = _DIRECTIONS[move.direction]
            amount = 1 if move.amount is None else self._whole(move.amount)
            steps[axis] += sign * amount
        return ShiftGroup(channels=channels, **steps)

    def _whole(self, node: tree.Expr) -> int:
        return self.evaluator.count(node, self.env, least=-(10**9))

    def _amounts(self, one: tree.Range) -> Sequence[int]:
        """How far the groups of a range go; there is at least one."""
        if one.last is None:
            items = self.evaluator.value(one.first, self.env)
            assert isinstance(items, tuple)
            at, least = one.first.span, -(10**9)
            amounts: Sequence[int] = [
                self.evaluator.as_count(item, at, least) for item in items
            ]
            hint = "write how far each group goes: `[1, -1]`"
        else:
            first, last = self._whole(one.first), self._whole(one.last)
            amounts = range(first, last + 1)
            hint = f"write the smaller end first: `{last} .. {first}`"
        if not amounts:
            raise self.evaluator.fail(
                codes.SHARES,
                one.span,
                f"`{one.span.text}` makes 0 displacements",
                help=hint,
            )
        return amounts

    def _each(
        self, item: tree.Each, channels: int, interleave: bool, has_rest: bool
    ) -> list[ShiftGroup]:
        ranges = []
        total = 1
        for one in item.ranges:
            axis, sign = _DIRECTIONS[one.direction]
            amounts = self._amounts(one)
            total *= len(amounts)
            if total > limits().groups:
                raise self.evaluator.fail(
                    codes.GROUPS_MANY,
                    one.span,
                    f"{total:,} displacements; the limit is {limits().groups:,}",
                    notes=[how_to_raise("groups")],
                    help="shift less far, or along fewer axes",
                )
            ranges.append([(axis, sign * step) for step in amounts])
        moves = []
        for combination in product(*ranges):
            steps = {"right": 0, "down": 0, "later": 0}
            for axis, step in combination:
                steps[axis] += step
            moves.append(steps)
        if interleave:
            equal, over = divmod(channels, len(moves))
            sizes = [equal + (n < over and not has_rest) for n in range(len(moves))]
        elif has_rest:
            sizes = [channels // len(moves)] * len(moves)
        else:
            run = -(-channels // len(moves))
            sizes = [max(0, min(run, channels - n * run)) for n in range(len(moves))]
        if 0 in sizes:
            raise self.evaluator.fail(
                GROUPS,
                self.at,
                f"the map here has {channels} channels for them",
                secondary=[
                    Label(
                        item.span,
                        f"{len(moves)} displacements, and one would get no channel",
                    )
                ],
                help=f"make the width a multiple of {len(moves)}",
            )
        return [
            ShiftGroup(channels=size, **steps)
            for size, steps in zip(sizes, moves, strict=True)
        ]


def _listed(sizes: list[int]) -> str:
    shown = ", ".join(map(str, sizes[:_TERMS_SHOWN]))
    return f"{shown}, …" if len(sizes) > _TERMS_SHOWN else shown


def _decimal(value: Fraction) -> str:
    """A fraction as decimals where they end, else as it is."""
    text = f"{float(value):.6g}"
    return text if Fraction(text) == value else str(value)
