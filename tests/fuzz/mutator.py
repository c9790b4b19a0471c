"""Specs mutated by their grammar: tokens, statements, settings, declarations."""

import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from s2mlp_dsl.operators import OPERATORS, SIGNATURES
from s2mlp_dsl.recipe.recipe import CALLS, Recipe, words_of

ROOT = Path(__file__).parents[2]
TOKEN = re.compile(
    r'"""[\s\S]*?"""|"[^"\n]*"|#[^\n]*|[A-Za-z_]\w*|\d[\w.]*%?|[ \t]+|\n|\.\.|[=!<>]=|.'
)
DECLARATION = re.compile(
    r"^(?:shift|block|model|claim|recipe|study) [^\n]*\{\n.*?^\}\n", re.M | re.S
)
# Sides, counts and factors at and beyond the limits of the language, of 32 and 64 bits.
NUMBERS = (
    *("0", "1", "2", "3", "7", "16", "255", "-1", "-8", "1/2", "1/3", "-1/7", "0.5"),
    *("1e-5", "1e20", "1e59", "1e400", "1/1e9", "2_147_483_647", "4_294_967_296"),
    *("62_041_106", "1000", "4000", "100_000", "10M", "0.2G", "1T", "2Ki", "50%"),
    *("9_007_199_254_740_993", "18_446_744_073_709_551_616", "1e12", "12.5%"),
)
PATTERNS = (
    *('"y x c -> c (y x)"', '"(y a) x c -> y x (a c)"', '"t y x c -> y x c t"'),
    *('"y x (s c) -> c s (y x)"', '"y x c -> x y c"', '"s c -> c s"'),
)
WRITTEN = 40_000  # characters that a mutated spec may have


SMALL = (
    """edition 1
import cross, s2mlp_block from "std:s2mlp"
model m(width = 16, depth = 2, size = 32) {
    image(3, size, size)
    patch(4, width)
    stack depth {
        s2mlp_block(ratio = 2, via = cross)
    }
    pool(mean)
    linear(10)
}
""",
    """edition 1
model m {
    image(4, 6, 8)
    stem: conv(8, 3)
    residual {
        norm(layer)
        depthwise(3)
        linear(dim)
    }
    pool(max, size = 2)
}
""",
    """edition 1
block mix(ratio) {
    residual {
        fold("y x c -> c (y x)") {
            linear(dim)
            gelu
        }
        linear(dim * ratio)
        linear(dim)
    }
}
model m(n: number = 3) {
    image(3, 8, 8)
    patch(2, 4 * n)
    linear(4 * n)
    stack n as i {
        mix(ratio = 2)
    }
}
""",
    """edition 1
shift s(step = 1) {
    edge circular
    1/4 right step
    1/4 up 2
    rest stay
}
model m {
    video(8, 2, 8, 8)
    shift(s)
    rearrange("t y x c -> (t y x) c")
    class_token
    attention(1)
    take(first)
}
""",
)


@cache
def texts() -> list[str]:
    """What mutations begin with: small models, shipped specs, and the kept inputs.

    Not those that were kept of mutations: seeds would draw other specs with each.
    """
    shipped = sorted((ROOT / "specs").glob("*.arch"))
    corpus = Path(__file__).parent / "corpus"
    kept = [*sorted(corpus.glob("check-*")), *sorted(corpus.glob("parse-*"))]
    found = [
        path.read_bytes().decode("utf-8", "replace") for path in shipped * 5 + kept
    ]
    return [*SMALL * 80, *(text for text in found if len(text) < WRITTEN)]


@cache
def tokens_of(number: int) -> tuple[str, ...]:
    return tuple(TOKEN.findall(texts()[number]))


@cache
def words() -> list[str]:
    return sorted(
        {token for number in range(len(texts())) for token in tokens_of(number)
         if token.isidentifier()}
    )  # fmt: skip


class Mutator:
    """One mutated spec; equal seeds give equal texts."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.tokens = list(tokens_of(self.chance.randrange(len(texts()))))

    def text(self) -> str:
        likely = [self.number, self.statement, self.arguments_of, self.several]
        likely += [self.wrap, self.chain]
        likely += [self.setting]
        rare = [self.delete, self.duplicate, self.swap, self.word, self.splice]
        rare += [self.declaration]
        wild = self.chance.random() < 0.3
        for _ in range(self.chance.choice([1, 1, 1, 2, 3, 4])):
            self.chance.choice(likely + rare if wild else likely)()
            del self.tokens[20_000:]
        return "".join(self.tokens)[:WRITTEN]

    def places(self, pattern: str) -> list[int]:
        return [n for n, one in enumerate(self.tokens) if re.match(pattern, one)]

    def place(self, pattern: str) -> int | None:
        places = self.places(pattern)
        return self.chance.choice(places) if places else None

    def number(self) -> None:
        """A number becomes another one."""
        if (place := self.place(r"\d")) is not None:
            likely = ("1", "2", "3", "4", "5", "8", "12")
            self.tokens[place] = self.chance.choice(
                likely if self.chance.random() < 0.5 else NUMBERS
            )

    def body_place(self) -> int:
        """A place between two lines of a model or a block."""
        depth, inside, places = 0, False, []
        for place, token in enumerate(self.tokens):
            if not depth and token in ("model", "block", "shift", "recipe", "study"):
                inside = token in ("model", "block")
            depth += (token == "{") - (token == "}")
            if token in ("image", "video"):
                places.clear()
            elif depth and inside and token == "\n":
                places.append(place)
        return self.chance.choice(places) if places else len(self.tokens)

    def statement(self) -> None:
        """Any operator in a line of its own, with some of its arguments."""
        self.tokens.insert(self.body_place(), f"\n{self.call()}")

    def several(self) -> None:
        """Several operators behind one another, in a residual half of the time."""
        calls = "\n".join(self.call() for _ in range(1 + self.chance.randrange(8)))
        written = self.chance.choice([calls, f"residual {{\n{calls}\nlinear(dim)\n}}"])
        self.tokens.insert(self.body_place(), f"\n{written}")

    def chain(self) -> None:
        """One operator many times."""
        calls = [self.call()] * self.chance.choice([5, 50, 400])
        self.tokens.insert(self.body_place(), "\n" + "\n".join(calls))

    def arguments_of(self) -> None:
        """Other arguments for an operator of the text."""
        calls = [
            place
            for place, token in enumerate(self.tokens[:-1])
            if token in OPERATORS and self.tokens[place + 1] == "("
        ]
        if not calls:
            return
        place = self.chance.choice(calls)
        end, depth = place + 2, 1
        while end < len(self.tokens) and depth:
            depth += (self.tokens[end] == "(") - (self.tokens[end] == ")")
            end += 1
        written = ", ".join(self.arguments(self.tokens[place]))
        self.tokens[place + 1 : end] = [f"({written})"]

    def call(self) -> str:
        """A statement with one operator; a merge or a region with what it is around."""
        name = self.chance.choice(list(OPERATORS))
        written = f"{name}({', '.join(self.arguments(name))})"
        if "branches" in {one.name for one in OPERATORS[name].parameters}:
            feed = self.chance.choice(["copy", "split"])
            return (
                f"parallel({feed}, merge = {name}) {{\nbranch {{\n}}\nbranch {{\n}}\n}}"
            )
        return f"{written} {{\ngelu\n}}" if name in ("fold", "pad") else written

    def arguments(self, name: str) -> Iterator[str]:
        regions = {"fold": {"pattern"}, "pad": {"axis", "multiple"}}
        required = regions[name] if name in regions else SIGNATURES[name].required
        named = False
        for parameter in OPERATORS[name].parameters:
            needed = parameter.name in required and self.chance.random() < 0.98
            if not needed and self.chance.random() < 0.6:
                continue
            least = parameter.least
            rare = (self.chance.choice(NUMBERS), self.value(), str(least - 1))
            likely = tuple(parameter.choices or map(str, range(least, least + 4)))
            if name in ("fold", "rearrange"):
                likely = PATTERNS
            elif name == "shift":
                likely = ("none", "cross", "s")
            value = self.chance.choice(likely if self.chance.random() < 0.8 else rare)
            named = named or not needed or self.chance.random() < 0.2
            yield f"{parameter.name} = {value}" if named else str(value)

    def value(self) -> str:
        return self.chance.choice(
            [
                "dim", "none", "on", "cross", "[1, 2]", "[[1]]", "[[0, 1/3], [1, 2]]",
                "-dim", "dim * dim", "dim / 3", "dim - dim", "max(dim, 3)",
                *PATTERNS, "1 .. 5", "a = 3", "f(f(f(1)))", "[" * 40 + "1" + "]" * 40,
            ]
        )  # fmt: skip

    def delete(self) -> None:
        at = self.chance.randrange(len(self.tokens) + 1)
        del self.tokens[at : at + 1 + self.chance.randrange(6)]

    def duplicate(self) -> None:
        at = self.chance.randrange(len(self.tokens) + 1)
        part = self.tokens[at : at + 1 + self.chance.randrange(60)]
        self.tokens[at:at] = part * self.chance.choice([1, 1, 2, 30])

    def swap(self) -> None:
        if self.tokens:
            one, other = (self.chance.randrange(len(self.tokens)) for _ in range(2))
            tokens = self.tokens
            tokens[one], tokens[other] = tokens[other], tokens[one]

    def word(self) -> None:
        if (place := self.place(r"[A-Za-z_]")) is not None:
            self.tokens[place] = self.chance.choice(words())

    def splice(self) -> None:
        """Some lines of another text."""
        other = "".join(tokens_of(self.chance.randrange(len(texts()))))
        lines = other.splitlines(keepends=True) or [""]
        at = self.chance.randrange(len(lines))
        part = "".join(lines[at : at + 1 + self.chance.randrange(12)])
        place = self.place(r"\n")
        self.tokens.insert(place or 0, f"\n{part}")

    def declaration(self) -> None:
        """A whole declaration of another text, at the end."""
        other = "".join(tokens_of(self.chance.randrange(len(texts()))))
        if found := DECLARATION.findall(other):
            self.tokens.append(f"\n{self.chance.choice(found)}")

    def setting(self) -> None:
        """A setting of a recipe of the text, or else of one more."""
        line = self.setting_of(self.chance.choice(list(Recipe.model_fields)))
        recipes = [n for n in self.places("recipe$") if "{" in self.tokens[n : n + 4]]
        if recipes:
            place = self.tokens.index("{", self.chance.choice(recipes))
            self.tokens.insert(place + 1, f"\n{line}")
        else:
            needed = "data = digits\nepochs = 2\nbatch = 8"
            self.tokens.append(f"\nrecipe drawn {{\n{needed}\n{line}\n}}\n")

    def setting_of(self, name: str) -> str:
        words = sorted(words_of(Recipe.model_fields[name]))
        values = [self.chance.choice([*NUMBERS, *words, self.value()])]
        if name in CALLS:
            values = [self.component(name) for _ in range(1 + self.chance.randrange(3))]
        is_list = len(values) > 1 or self.chance.random() < 0.2
        written = ", ".join(values)
        return f"{name} = {f'[{written}]' if is_list else written}"

    def component(self, setting: str) -> str:
        """A data set, an optimizer, …, with some of its options."""
        name = self.chance.choice(list(CALLS[setting]))
        options: dict[str, Any] = CALLS[setting][name].model_fields
        chosen = [one for one in options if self.chance.random() < 0.4]
        drawn = (
            f"{one} = {self.chance.choice([*NUMBERS, *sorted(words_of(options[one]))])}"
            for one in chosen
        )
        return f"{name}({', '.join(drawn)})" if chosen else name

    def wrap(self) -> None:
        """A line within a composite, several deep."""
        kind = self.chance.choice(
            ["residual", f"stack {self.chance.choice(NUMBERS)}", "parallel(copy)",
             "parallel(split, merge = concat)", 'fold("y x c -> c (y x)")',
             f"pad(y, multiple = {self.chance.choice(NUMBERS)})"]
        )  # fmt: skip
        deep = self.chance.choice([1, 1, 2, 5, 60])
        inside = self.call()
        if kind.startswith("parallel"):
            inside, deep = f"branch {{\n{inside}\n}}\nbranch {{\ngelu\n}}", 1
        opened = f"{kind} {{\n" * deep
        self.tokens.insert(self.body_place(), f"\n{opened}{inside}\n{'}' * deep}")
