"""The LALR parser: a stack of states, and the value of what each has read.

Knuth 1965; DeRemer 1969. The tables say what to do; the builder makes values.
"""

from collections.abc import Mapping
from typing import Any

from s2mlp_dsl.frontend.build import Builder
from s2mlp_dsl.frontend.tables import Tables
from s2mlp_dsl.frontend.token import END, Token


class Unexpected(Exception):
    """A token that the grammar does not allow where it stands."""

    def __init__(self, token: Token) -> None:
        super().__init__(token)
        self.token = token


class Automaton:
    """A parser in the middle of a text, which its user may cut back."""

    def __init__(self, tables: Tables, start: str) -> None:
        self._tables = tables
        first, self._last = tables.starts[start]
        self.states = [first]
        self.values: list[Any] = []
        builder = Builder()
        # Of each rule, what makes its value.
        self._makers = [
            None if method is None else getattr(builder, method)
            for _, _, method in tables.rules
        ]

    @property
    def height(self) -> int:
        """How many states are on the stack."""
        return len(self.states)

    @property
    def allowed(self) -> Mapping[str, int]:
        """The kinds of tokens that do something here; some of them too late."""
        return self._tables.actions[self.states[-1]]

    def feed(self, token: Token) -> Any:
        """Take one token. After `END` this is the value of the whole, else None.

        Raises `Unexpected`, and what the builder raises.
        """
        states, values, kind = self.states, self.values, token.kind
        actions, gotos, rules = (
            self._tables.actions,
            self._tables.gotos,
            self._tables.rules,
        )
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                raise Unexpected(token)
            if action >= 0:
                states.append(action)
                values.append(token)
                return None
            origin, count, _ = rules[-1 - action]
            maker = self._makers[-1 - action]
            children = values[len(values) - count :]
            del states[len(states) - count :], values[len(values) - count :]
            value = children[0] if maker is None else maker(children)
            states.append(gotos[states[-1]][origin])
            values.append(value)
            if kind == END and states[-1] == self._last:
                return value

    def cut(self, height: int) -> None:
        """Forget what was read since the stack was so high."""
        del self.states[height:]
        del self.values[height - 1 :]

    def accepts(self) -> set[str]:
        """The kinds of tokens that can stand here."""
        return {kind for kind in self.allowed if self._takes(kind)}

    def _takes(self, kind: str) -> bool:
        """Whether the reductions that a token brings about lead to a place for it."""
        states = list(self.states)
        while (action := self._tables.actions[states[-1]].get(kind)) is not None:
            if action >= 0:
                return True
            origin, count, _ = self._tables.rules[-1 - action]
            del states[len(states) - count :]
            states.append(self._tables.gotos[states[-1]][origin])
            if kind == END and states[-1] == self._last:
                return True
        return False
