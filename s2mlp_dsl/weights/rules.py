"""A name map: rules from another model's tensor names to ours.

One rule per line, `theirs -> ours`, with comments after `#`. A rule names a tensor, or
a module with all of its tensors. `{i}` stands for a number, the same on both sides; the
right side may have an offset, `{i-1}`. The first rule that matches applies.
"""

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"\\\{(\w+)\\\}")
_MOVED = re.compile(r"\{(\w+)([+-][0-9]+)?\}")


class RuleError(Exception):
    """A line of a name map is not a rule."""

    exit_code = 2


@dataclass(frozen=True)
class Rule:
    """One line of a name map."""

    pattern: re.Pattern[str]
    ours: str

    def rename(self, name: str) -> str | None:
        """Our name for one of their tensors, None if the rule does not match."""
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        numbers = found.groupdict()

        def number(at: re.Match[str]) -> str:
            return str(int(numbers[at[1]]) + int(at[2] or 0))

        return _MOVED.sub(number, self.ours) + (numbers["rest_"] or "")


def parse_rules(text: str, name: str) -> list[Rule]:
    """The rules of a name map. Raises `RuleError` with the line."""
    rules = []
    for number, line in enumerate(text.splitlines(), start=1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        theirs, arrow, ours = (part.strip() for part in said.partition("->"))
        if not (theirs and arrow and ours):
            raise RuleError(f"{name}:{number}: write `theirs -> ours`, not `{said}`")
        known = set(re.findall(r"\{(\w+)\}", theirs))
        if unknown := [at[1] for at in _MOVED.finditer(ours) if at[1] not in known]:
            raise RuleError(f"{name}:{number}: `{{{unknown[0]}}}` is not on the left")
        pattern = _NUMBER.sub(r"(?P<\1>[0-9]+)", re.escape(theirs))
        rules.append(Rule(re.compile(rf"{pattern}(?P<rest_>\..+)?"), ours))
    return rules
