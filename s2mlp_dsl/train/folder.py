"""Taking a run folder: one process, for one run, and nothing left of a refused one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from s2mlp_dsl import disk
from s2mlp_dsl.errors import EnvironmentFailure, RunError, UsageError
from s2mlp_dsl.lock import Lock
from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.curves import CURVES
from s2mlp_dsl.train.distributed import Distributed
from s2mlp_dsl.train.logger import METRICS, TENSORBOARD
from s2mlp_dsl.train.run import MODEL_TEXT, RUN, SUMMARY, Run

LOCK = "lock"
PATIENCE = 5.0  # seconds; a process that was killed needs some to go


def folder_in_use(path: Path, resume: bool) -> bool:
    """Whether the folder contains a run to resume.

    Raises UsageError if the folder is used and may not be, EnvironmentFailure if it
    is not a folder.
    """
    with disk.reported(path, "read"):
        exists = path.exists()
    if not exists:
        return False
    if not path.is_dir():
        raise EnvironmentFailure(f"cannot write a run to {path}: it is a file")
    if (path / RUN).exists():
        if not resume:
            raise _has_a_run(path)
        return True
    with disk.reported(path, "read"):
        names = {entry.name for entry in path.iterdir()}
    # A run that was killed at its very start leaves these and nothing else.
    left = {LOCK, MODEL_TEXT} if resume else {LOCK}
    if {name for name in names if not disk.is_leftover(name)} - left:
        raise UsageError(
            f"{path} is not empty and not a run folder; choose another folder"
        )
    return False


def _has_a_run(path: Path) -> UsageError:
    return UsageError(
        f"{path} already contains a run; continue it with --resume or choose another "
        "folder"
    )


@contextmanager
def taken(run: Run, old: Run | None, distributed: Distributed) -> Iterator[None]:
    """Hold the run's folder, which is created unless it has the run `old`.

    All ranks enter together. Raises UsageError if another process holds the folder,
    changed it meanwhile, or if it has links where files are written.
    """
    distributed.barrier()  # nobody writes before all have looked
    folder, refused = None, None
    if distributed.is_main:
        try:
            folder = _Folder(run, old)
        except RunError as error:
            refused = error
    (failed,) = distributed.all_reduce_max(refused is not None)
    if failed:
        raise refused or UsageError(f"rank 0 cannot take the run folder {run.path}")
    try:
        if not (run.path / RUN).is_file():
            raise EnvironmentFailure(
                f"rank {distributed.rank} cannot see {run.path}: the run folder must "
                "be on a disk that all machines share"
            )
        yield
    finally:
        if folder is not None:
            folder.leave()


class _Folder:
    """The folder in the hands of the process that writes to it."""

    def __init__(self, run: Run, old: Run | None) -> None:
        self.path, self.is_new = run.path, old is None
        self.created = disk.make_folder(run.path)
        lock = Lock.acquire(run.path / LOCK, PATIENCE)
        if lock is None:
            raise UsageError(f"another process is training in {run.path}")
        self.lock = lock
        try:
            self._check(old, run.job.model_text)
            disk.remove_leftovers(run.path)
            disk.remove_leftovers(run.path / checkpoints.FOLDER)
            if old is None:
                run.create()
        except BaseException:
            self.leave()
            raise

    def _check(self, old: Run | None, model_text: str) -> None:
        path = self.path
        if old is None and (path / RUN).exists():
            self.is_new = False
            raise _has_a_run(path)
        text = path / MODEL_TEXT
        if old is None and text.exists() and disk.read(text) != model_text.encode():
            self.is_new = False
            raise UsageError(f"{text} is of another run; choose another folder")
        if old is not None and Run.open(path) != old:
            raise UsageError(f"{path} was changed by another process")
        names = (RUN, MODEL_TEXT, SUMMARY, METRICS, CURVES)
        folders = [path / name for name in (checkpoints.FOLDER, TENSORBOARD)]
        disk.require_no_links(path, *(path / name for name in names), *folders)
        for folder in folders:
            if folder.is_dir():
                inside = (p for p in folder.iterdir() if not disk.is_leftover(p.name))
                disk.require_no_links(path, *inside)

    def leave(self) -> None:
        """Let go; a new run that came to nothing leaves nothing behind."""
        nothing = self.is_new and not checkpoints.stored(self.path)
        metrics = self.path / METRICS
        with suppress(OSError, EnvironmentFailure):
            if nothing and not (metrics.exists() and metrics.stat().st_size):
                self._remove()
        self.lock.release()
        if nothing:
            for folder in self.created:
                with suppress(OSError):  # it is not empty
                    folder.rmdir()

    def _remove(self) -> None:
        disk.remove_leftovers(self.path / checkpoints.FOLDER)
        disk.remove_leftovers(self.path)
        for name in (RUN, MODEL_TEXT, METRICS):  # without RUN it is no run
            (self.path / name).unlink(missing_ok=True)
        if (self.path / TENSORBOARD).is_dir():
            disk.remove_folder(self.path / TENSORBOARD)
        if (self.path / checkpoints.FOLDER).is_dir():
            (self.path / checkpoints.FOLDER).rmdir()
