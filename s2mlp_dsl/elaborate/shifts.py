"""Declared shifts: their form, and what they are on a number of channels.

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
from typing import TypeVar, get_args

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported, Fix, Report, Suggestion
from s2mlp_dsl.diagnostics.catalogue import shifts
from s2mlp_dsl.diagnostics.catalogue.limits import SHIFT_GROUPS
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.values import EnumValue, Env, ShiftRef, names_in
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import DIRECTIONS, Edge, Shift, ShiftGroup
from s2mlp_dsl.source import Span

EDGES: tuple[Edge, ...] = get_args(Edge)
_RULES = ", ".join(EDGES)
_AXES = {"right": "to the right or left", "down": "down or up", "later": "in time"}
_FARTHEST = 10**9
_TERMS_SHOWN = 8

Item = TypeVar("Item")


def check_form(shift: tree.Shift, report: Report) -> bool:
    """Report what is wrong with a shift on any number of channels. True: nothing."""
    found = Report()
    items = shift.items
    rule = _item(items, tree.EdgeRule)
    if rule is None:
        found.add(
            shifts.EDGE_MISSING,
            shift.name.span,
            name=shift.name.id,
            others=", ".join(EDGES[1:]),
        )
    elif (word := _written_rule(rule.rule, shift.params)) and word.id not in EDGES:
        help = did_you_mean(word.id, EDGES, few=0)
        found.add(shifts.NO_EDGE_RULE, word.span, help=help, rules=_RULES)
    for kind in (tree.EdgeRule, tree.Each, tree.Interleave):
        _check_once([item.span for item in items if isinstance(item, kind)], found)
    _check_once([item.span for item in items if _is_rest(item)], found)
    for item in items:
        if isinstance(item, tree.ChannelGroup):
            _check_moves(item.moves, found)
        elif isinstance(item, tree.Each):
            _check_moves(item.ranges, found)
    report.extend(found)
    return not found.diagnostics


def _written_rule(name: tree.Name, params: Sequence[tree.Param]) -> tree.Name | None:
    """The word that is the edge rule: itself, or the default of the parameter."""
    for param in params:
        if param.name.id == name.id:
            default = param.default
            is_enum = param.kind is not None and param.kind.id == "enum"
            return default if is_enum and isinstance(default, tree.Name) else None
    return name


def _item(items: Sequence[tree.ShiftItem], kind: type[Item]) -> Item | None:
    """The item of a kind, of which there is at most one."""
    return next((item for item in items if isinstance(item, kind)), None)


def _is_rest(item: tree.ShiftItem) -> bool:
    return isinstance(item, tree.ChannelGroup) and item.share is None


def _check_once(spans: Sequence[Span], report: Report) -> None:
    for again in spans[1:]:
        report.add(shifts.ITEM_AGAIN, again, related=spans[0])


def _check_moves(moves: Sequence[tree.Move | tree.Range], report: Report) -> None:
    """Each axis once."""
    seen: dict[str, Span] = {}
    for move in moves:
        axis, _ = DIRECTIONS[move.direction]
        if axis in seen:
            first, words = seen[axis], _AXES[axis]
            report.add(shifts.AXIS_AGAIN, move.span, related=first, axis=words)
        seen.setdefault(axis, move.span)


def no_shift(channels: int) -> Shift:
    """What `shift(none)` does: every channel stays."""
    return Shift(name="none", edge="keep", groups=(ShiftGroup(channels=channels),))


def resolve_shift(
    ref: ShiftRef, channels: int, at: Span, evaluator: Evaluator
) -> Shift:
    """The groups of a shift on a map of so many channels, used at `at`."""
    declaration = ref.declared.declaration
    assert isinstance(declaration, tree.Shift)
    env = Env(ref.declared.unit, dict(ref.arguments), channels, dict(ref.origins))
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
        edge = _item(items, tree.EdgeRule)
        assert edge is not None  # by its form
        each = _item(items, tree.Each)
        rest = next((item for item in self._channel_groups if _is_rest(item)), None)
        interleave = _item(items, tree.Interleave)
        made: dict[int, list[ShiftGroup]] = {}
        for number, item in enumerate(items):
            if isinstance(item, tree.ChannelGroup) and item.share is not None:
                made[number] = [self._group(item, self._share(item.share))]
        left = self.channels - sum(group.channels for (group,) in made.values())
        if left < 0 or (left and rest is None and each is None):
            raise self._wrong_sum(left)
        if each is not None:
            groups = self._each(each, left, interleave is not None, rest is not None)
            made[items.index(each)] = groups
            left -= sum(group.channels for group in groups)
        last = [] if rest is None else [self._group(rest, left)]
        if rest is not None and interleave is None:
            made[items.index(rest)] = last
            last = []
        groups = [group for number in sorted(made) for group in made[number]]
        count = 0
        if interleave is not None:
            count = self._interleaved(groups, interleave)
        return Shift(
            name=self.declaration.name.id,
            edge=self._edge(edge),
            groups=tuple(group for group in (*groups, *last) if group.channels),
            interleaved=count,
        )

    @property
    def _channel_groups(self) -> list[tree.ChannelGroup]:
        items = self.declaration.items
        return [item for item in items if isinstance(item, tree.ChannelGroup)]

    @property
    def _shares(self) -> list[tree.Expr]:
        return [one.share for one in self._channel_groups if one.share is not None]

    def _edge(self, item: tree.EdgeRule) -> Edge:
        """The rule that is written, or the value of the parameter of this name."""
        name = item.rule.id
        given = self.env.values.get(name, EnumValue(name))
        for rule in EDGES:
            if given == rule:
                return rule
        if not isinstance(given, EnumValue):
            raise self.evaluator.wrong_kind(item.rule.span, "enum", given)
        help, fix = did_you_mean(given, EDGES, few=0), None
        if isinstance(help, Suggestion):
            fix = Fix(self.env.origins[name], help.replacement)
        raise self.evaluator.fail(
            shifts.WRONG_EDGE_RULE,
            item.rule.span,
            related=self.at,
            help=help,
            fix=fix,
            name=name,
            value=given,
            rules=_RULES,
        )

    def _interleaved(self, groups: list[ShiftGroup], at: tree.Interleave) -> int:
        """How many groups take turns. They must be equal, or nearly so in order."""
        sizes = [group.channels for group in groups if group.channels]
        if sizes and (sizes[0] - sizes[-1] > 1 or sizes != sorted(sizes)[::-1]):
            raise self.evaluator.fail(
                shifts.UNEQUAL_INTERLEAVED,
                at.span,
                sizes=_joined(", ", list(map(str, sizes))),
            )
        return len(sizes)

    def _share(self, share: tree.Expr) -> int:
        part = Fraction(self.evaluator.number(share, self.env))
        exact = part * self.channels
        if part < 0:
            raise self.evaluator.fail(
                shifts.NEGATIVE_SHARE, share.span, related=self.at, share=part
            )
        if exact.denominator != 1:
            step = self._step(part)
            lower = self.channels // step * step
            raise self.evaluator.fail(
                shifts.SHARE_NOT_WHOLE,
                self.at,
                related=share.span,
                share=part,
                channels=self.channels,
                exact=_decimal(exact),
                step=step,
                sizes=" or ".join(str(size) for size in (lower, lower + step) if size),
            )
        return exact.numerator

    def _step(self, part: Fraction) -> int:
        """What the width must be a multiple of, for every share that is a number."""
        fixed = [
            Fraction(self.evaluator.number(share, self.env))
            for share in self._shares
            if "dim" not in names_in(share)
        ]
        return lcm(part.denominator, *(share.denominator for share in fixed))

    def _wrong_sum(self, left: int) -> AlreadyReported:
        rest = Fraction(left, self.channels)
        return self.evaluator.fail(
            shifts.SHARES_BELOW_ONE if left > 0 else shifts.SHARES_ABOVE_ONE,
            self.declaration.name.span,
            terms=_joined(" + ", [share.span.text for share in self._shares]) or "0",
            total=1 - rest,
            rest=rest,
            excess=-rest,
        )

    def _group(self, item: tree.ChannelGroup, channels: int) -> ShiftGroup:
        steps = {"right": 0, "down": 0, "later": 0}
        for move in item.moves:
            axis, sign = DIRECTIONS[move.direction]
            amount = 1 if move.amount is None else self._steps(move.amount)
            steps[axis] += sign * amount
        return ShiftGroup(channels=channels, **steps)

    def _steps(self, node: tree.Expr) -> int:
        return self.evaluator.count(node, self.env, -_FARTHEST, _FARTHEST)

    def _amounts(self, ends: tree.Range) -> Sequence[int]:
        """How many steps each group of a range goes; there is at least one."""
        span = ends.span
        if ends.last is None:
            items = self.evaluator.value(ends.first, self.env)
            assert isinstance(items, tuple)
            if not items:
                raise self.evaluator.fail(shifts.EMPTY_LIST, span, text=span.text)
            return [
                self.evaluator.as_count(item, ends.first.span, -_FARTHEST, _FARTHEST)
                for item in items
            ]
        first, last = self._steps(ends.first), self._steps(ends.last)
        if last < first:
            raise self.evaluator.fail(
                shifts.EMPTY_RANGE, span, text=span.text, first=first, last=last
            )
        return range(first, last + 1)

    def _each(
        self, item: tree.Each, channels: int, interleave: bool, has_rest: bool
    ) -> list[ShiftGroup]:
        moves = self._displacements(item)
        count = len(moves)
        if interleave:
            equal, over = divmod(channels, count)
            sizes = [equal + (n < over and not has_rest) for n in range(count)]
        elif has_rest:
            sizes = [channels // count] * count
        else:
            run = -(-channels // count)
            sizes = [max(0, min(run, channels - n * run)) for n in range(count)]
        if 0 in sizes:
            raise self.evaluator.fail(
                shifts.GROUP_WITHOUT_CHANNELS,
                self.at,
                related=item.span,
                channels=channels,
                count=count,
            )
        return [
            ShiftGroup(channels=size, **steps)
            for size, steps in zip(sizes, moves, strict=True)
        ]

    def _displacements(self, item: tree.Each) -> list[dict[str, int]]:
        """The product of the ranges, the last of them fastest."""
        ranges = []
        total = 1
        for ends in item.ranges:
            axis, sign = DIRECTIONS[ends.direction]
            amounts = self._amounts(ends)
            total *= len(amounts)
            if total > limits().groups:
                raise self.evaluator.fail(
                    SHIFT_GROUPS, ends.span, found=total, limit=limits().groups
                )
            ranges.append([(axis, sign * steps) for steps in amounts])
        return [
            {"right": 0, "down": 0, "later": 0} | dict(moves)
            for moves in product(*ranges)
        ]


def _joined(separator: str, terms: list[str]) -> str:
    more = ["…"] if len(terms) > _TERMS_SHOWN else []
    return separator.join([*terms[:_TERMS_SHOWN], *more])


def _decimal(value: Fraction) -> str:
    """A fraction as decimals where they end, else as it is."""
    text = f"{float(value):.6g}"
    return text if Fraction(text) == value else str(value)
