"""Files whose owner is killed after so many operations, and closings in processes that die so."""

import os
from pathlib import Path

from dsfu.pipeline.problems.disorder.closing import ClosingSpec
from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store.closing import close_store
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.local_files import LocalFiles

DEAD = 9


class Killed(BaseException):
    """As if the process had been killed: nothing in the pipeline may catch it."""


class MortalFiles(LocalFiles):
    """Local files of which only so many writes, moves and removals are done.

    With ``torn_moves`` a move is a copy and a removal, as in object storage, and one may be killed in between.
    """

    def __init__(self, root: Path, operations: int, *, torn_moves: bool = False) -> None:
        super().__init__(root)
        self.operations_left = operations
        self.torn_moves = torn_moves

    def write(self, path: str, data: bytes) -> StoredObject:
        self._operation()
        return super().write(path, data)

    def move(self, source: str, target: str) -> None:
        self._operation()
        if not self.torn_moves:
            super().move(source, target)
            return
        super().write(target, self.read(source))
        self._operation()
        super().remove(source)

    def remove(self, path: str) -> None:
        self._operation()
        super().remove(path)

    def _operation(self) -> None:
        if self.operations_left == 0:
            self.die()
        self.operations_left -= 1

    def die(self) -> None:
        raise Killed


class DeadlyFiles(MortalFiles):
    """The same, but the whole process dies, with no time for anything."""

    def die(self) -> None:
        os._exit(DEAD)


def close_and_die(root: Path, spec: ClosingSpec, operations: int) -> None:
    """What a process does that is killed while it closes a store."""
    os.fsync = lambda _: None  # type: ignore[assignment]
    files = DeadlyFiles(root, operations)
    close_store(files, Ledger(files), spec)
