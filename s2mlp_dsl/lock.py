"""A lock on a file: one process holds it, and a process that dies holds none."""

import errno
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from s2mlp_dsl.errors import EnvironmentFailure

_HELD: set[int] = set()
_WRITING = 5.0  # seconds in which a process has written its name for sure
# A disk without locks, as some network file systems are.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class Lock:
    """A lock that is held until `release`, or until the process ends.

    The file is deleted at the end. One that a killed process left behind is no lock.
    """

    def __init__(self, path: Path, file: int) -> None:
        self.path, self.file = path, file

    @classmethod
    def acquire(cls, path: Path, patience: float = 0.0) -> "Lock | None":
        """Take the lock; None if another process has it for `patience` seconds.

        Raises EnvironmentFailure if the file cannot be made, or is a link.
        """
        until = time.monotonic() + patience
        while True:
            try:
                file = _take(path)
            except OSError as error:
                reason = "it is a link" if path.is_symlink() else error.strerror
                raise EnvironmentFailure(f"cannot lock {path}: {reason}") from error
            if file is not None:
                _HELD.add(file)
                return cls(path, file)
            if time.monotonic() >= until:
                return None
            time.sleep(0.1)

    def release(self) -> None:
        """Delete the file, then let go: whoever waits sees that it is gone."""
        if self.file not in _HELD:
            return
        _HELD.discard(self.file)
        if os.name == "nt":  # an open file cannot be deleted
            os.close(self.file)
        with suppress(OSError):
            self.path.unlink()
        if os.name != "nt":
            os.close(self.file)


def _open(path: Path, more: int = 0) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | more
    return os.open(path, flags, 0o666)


def _take(path: Path) -> int | None:
    """The open, locked file; None if another process has it."""
    lock = _system_lock()
    if lock is None:
        return _take_by_process(path)
    file = _open(path)
    try:
        locked = lock(file)
        # Its holder may have deleted the file between these two calls.
        if locked and os.path.samestat(os.fstat(file), os.lstat(path)):
            return file
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def _system_lock() -> Callable[[int], bool] | None:
    """What locks an open file until it is closed, on this system."""
    try:
        import fcntl
    except ImportError:
        return _windows_lock()

    def lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        return True

    return lock


def _windows_lock() -> Callable[[int], bool] | None:
    try:
        import msvcrt
    except ImportError:
        return None

    def lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

    return lock


def _take_by_process(path: Path) -> int | None:
    """Without locks of the system: the file names the process that made it."""
    try:
        file = _open(path, os.O_EXCL)
    except FileExistsError:
        if not _is_stale(path):
            return None
        with suppress(FileNotFoundError):
            path.unlink()
        return None
    os.write(file, f"{socket.gethostname()} {os.getpid()}".encode())
    return file


def _is_stale(path: Path) -> bool:
    """Whether the process that a lock file names has ended on this machine."""
    with suppress(OSError), path.open("rb") as file:
        host, _, number = file.read(300).decode("utf-8", "replace").rpartition(" ")
        if not number.isdecimal():  # it ended before it wrote its name
            return time.time() - os.fstat(file.fileno()).st_mtime > _WRITING
        if host != socket.gethostname():
            return False
        try:
            os.kill(int(number), 0)
        except (ProcessLookupError, OverflowError):
            return True
    return False


def _let_go() -> None:
    """A child process holds none of the locks that its parent holds."""
    for file in _HELD:
        with suppress(OSError):
            os.close(file)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
