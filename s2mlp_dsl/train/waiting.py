"""How long a loop waits for what it iterates over."""

import time
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """An iterator that adds up the seconds spent in it."""

    def __init__(self, inner: Iterator[T]) -> None:
        self.inner, self.seconds = inner, 0.0

    def __iter__(self) -> "Waiting[T]":
        return self

    def __next__(self) -> T:
        start = time.monotonic()
        item = next(self.inner)
        self.seconds += time.monotonic() - start
        return item
