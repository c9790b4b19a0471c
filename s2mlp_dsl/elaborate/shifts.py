"""A declared shift, applied to a number of channels.

Shares are exact (the language's third law): they are whole numbers of channels
that add up, or the file is refused with the arithmetic. Only `each` has a
remainder rule: over n displacements it cuts its channels into runs of
⌈channels / n⌉, the last ones shorter; with `interleave`, channel c takes
displacement c mod n, and where a `rest` is declared the channels beyond the
largest multiple of n belong to it.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import cast, get_args

from s2mlp_dsl.diagnostics import Label
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.suggest import did_you_mean
from s2mlp_dsl.elaborate.values import Env, ShiftRef
from s2mlp_dsl.ir.program import Edge, Shift, ShiftGroup
from s2mlp_dsl.ops.codes import GROUPS
from s2mlp_dsl.source import Span
from s2mlp_dsl.syntax import tree

# direction -> (axis, sign): the word says where the content goes
_DIRECTIONS = {
    "right": ("right", 1),
    "left": ("right", -1),
    "down": ("down", 1),
    "up": ("down", -1),
    "later": ("later", 1),
    "earlier": ("later", -1),
}
_MOST_GROUPS = 4096


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


@dataclass
class _Resolver:
    declaration: tree.Shift
    env: Env
    channels: int
    at: Span
    evaluator: Evaluator

    def resolve(self) -> Shift:
        items = self.declaration.items
        edge = self._edge()
        interleave = self._once(tree.Interleave)
        each = self._once(tree.Each)
        rests = [
            item
            for item in items
            if isinstance(item, tree.ChannelGroup) and item.share is None
        ]
        self._twice(rests)
        taken: dict[tree.ShiftItem, list[ShiftGroup]] = {}
        for item in items:
            if isinstance(item, tree.ChannelGroup) and item.share is not None:
                taken[item] = [self._group(item, self._share(item.share))]
        left = self.channels - sum(one.channels for (one,) in taken.values())
        if left < 0 or (left and not rests and each is None):
            raise self._wrong_sum(left)
        if each is not None:
            taken[each] = self._each(each, left, interleave is not None, bool(rests))
            left -= sum(group.channels for group in taken[each])
        if rests:
            taken[rests[0]] = [self._group(rests[0], left)]
        return self._assemble(edge, taken, interleave, each)

    def _assemble(
        self,
        edge: Edge,
        taken: dict[tree.ShiftItem, list[ShiftGroup]],
        interleave: tree.ShiftItem | None,
        each: tree.ShiftItem | None,
    ) -> Shift:
        """Groups in the order of the text; interleaved ones come first."""
        ordered = [item for item in self.declaration.items if item in taken]
        count = 0
        if interleave is not None:
            # Stable: what is interleaved first, the rest after it.
            ordered.sort(key=_is_rest)
            mixed = [item for item in ordered if not _is_rest(item)]
            sizes = [group.channels for item in mixed for group in taken[item]]
            count = len(sizes)
            fair = sorted(sizes, reverse=True) == sizes and sizes[0] - sizes[-1] <= 1
            if not fair or (each is not None and len(mixed) > 1):
                raise self.evaluator.report.add(
                    codes.SHARES,
                    interleave.span,
                    f"interleaved groups are equal; these have {sizes} channels",
                    help="make the shares equal, or use `each` alone",
                )
        groups = tuple(g for item in ordered for g in taken[item] if g.channels)
        return Shift(
            name=self.declaration.name.id, edge=edge, groups=groups, interleaved=count
        )

    def _edge(self) -> Edge:
        rule = self._once(tree.EdgeRule)
        if rule is None:
            raise self.evaluator.report.add(
                codes.NO_EDGE,
                self.declaration.name.span,
                help="write `edge keep` (the paper), clamp, zero, wrap or reflect",
            )
        assert isinstance(rule, tree.EdgeRule)
        if rule.rule.id not in get_args(Edge):
            raise self.evaluator.report.add(
                codes.UNKNOWN_EDGE,
                rule.rule.span,
                help=did_you_mean(rule.rule.id, get_args(Edge)),
            )
        return cast(Edge, rule.rule.id)

    def _once(self, kind: type[tree.ShiftItem]) -> tree.ShiftItem | None:
        found = [item for item in self.declaration.items if isinstance(item, kind)]
        self._twice(found)
        return found[0] if found else None

    def _twice(self, items: "list[tree.ShiftItem] | list[tree.ChannelGroup]") -> None:
        if len(items) > 1:
            raise self.evaluator.report.add(
                codes.SAID_TWICE,
                items[1].span,
                secondary=[Label(items[0].span, "first here")],
                help="remove one of them",
            )

    def _share(self, share: tree.Expr) -> int:
        part = Fraction(self.evaluator.number(share, self.env))
        exact = part * self.channels
        if part < 0 or exact.denominator != 1:
            step = part.denominator
            lower = self.channels // step * step
            sizes = " or ".join(str(n) for n in (lower, lower + step) if n)
            raise self.evaluator.report.add(
                GROUPS,
                self.at,
                f"the map here has {self.channels} channels",
                secondary=[
                    Label(share.span, f"{part} of {self.channels} is {_decimal(exact)}")
                ],
                help=f"make the width a multiple of {step}: {sizes}",
            )
        return exact.numerator

    def _wrong_sum(self, left: int) -> Exception:
        shares = [
            item.share
            for item in self.declaration.items
            if isinstance(item, tree.ChannelGroup) and item.share is not None
        ]
        terms = " + ".join(share.span.text for share in shares) or "0"
        total = Fraction(self.channels - left, self.channels)
        more = "add a group, or `rest stay`" if left > 0 else "make a share smaller"
        return self.evaluator.report.add(
            codes.SHARES,
            self.declaration.name.span,
            f"{terms} = {total}, not 1",
            help=more,
        )

    def _group(self, item: tree.ChannelGroup, channels: int) -> ShiftGroup:
        steps = {"right": 0, "down": 0, "later": 0}
        for move in item.moves:
            axis, sign = self._axis(move.direction, move.span)
            amount = 1 if move.amount is None else self._whole(move.amount)
            steps[axis] += sign * amount
        return ShiftGroup(channels=channels, **steps)

    def _axis(self, direction: str, span: Span) -> tuple[str, int]:
        axis, sign = _DIRECTIONS[direction]
        if axis == "later":
            raise self.evaluator.report.add(
                codes.NEEDS_TIME, span, help="move right, left, down or up"
            )
        return axis, sign

    def _whole(self, node: tree.Expr) -> int:
        return self.evaluator.count(node, self.env, least=-(10**9))

    def _each(
        self, item: tree.Each, channels: int, interleave: bool, has_rest: bool
    ) -> list[ShiftGroup]:
        ranges = []
        total = 1
        for one in item.ranges:
            axis, sign = self._axis(one.direction, one.span)
            first, last = self._whole(one.first), self._whole(one.last)
            total *= max(0, last - first + 1)
            if not 0 < total <= _MOST_GROUPS:
                raise self.evaluator.report.add(
                    codes.SHARES,
                    one.span,
                    f"{first} .. {last} makes {total:,} displacements",
                )
            ranges.append([(axis, sign * step) for step in range(first, last + 1)])
        moves = []
        for combination in product(*ranges):
            steps = {"right": 0, "down": 0, "later": 0}
            for axis, step in combination:
                steps[axis] += step
            moves.append(steps)
        if interleave:
            equal, over = divmod(channels, len(moves))
            sizes = [equal + (n < over and not has_rest) for n in range(len(moves))]
        else:
            run = -(-channels // len(moves))
            sizes = [max(0, min(run, channels - n * run)) for n in range(len(moves))]
        if 0 in sizes:
            raise self.evaluator.report.add(
                GROUPS,
                self.at,
                f"{channels} channels for {len(moves)} displacements",
                secondary=[Label(item.span, "one displacement would get no channel")],
                help=f"make the width a multiple of {len(moves)}",
            )
        return [
            ShiftGroup(channels=size, **steps)
            for size, steps in zip(sizes, moves, strict=True)
        ]


def _is_rest(item: tree.ShiftItem) -> bool:
    return isinstance(item, tree.ChannelGroup) and item.share is None


def _decimal(value: Fraction) -> str:
    """A fraction as decimals where they end, else as it is."""
    text = f"{float(value):.6g}"
    return text if Fraction(text) == value else str(value)
