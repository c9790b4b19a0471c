"""SIGTERM and Ctrl-C as a flag that is polled between steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class StopRequest:
    """Whether somebody asked the process to stop, and with which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def receive(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.signal == signal.SIGINT:
            raise KeyboardInterrupt  # a second Ctrl-C means now
        self.signal = number


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Catch both signals while the block runs, then restore the handlers.

    Only a process's main thread may; elsewhere the flag is never set.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before: dict[int, Any] = {n: signal.signal(n, stop.receive) for n in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            # None: set by C code, which Python cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
