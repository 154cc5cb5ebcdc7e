"""A run in parts, side by side in one store and without a driver: each makes its own share of the shards.

Part i of N makes every N-th shard, counted from its i-th, in the order of the manifest. What other shards need
all parts make together: each its own share first, and then whatever is missing of a share that nobody is working
on. Who works on a share holds its lock, and nobody waits while holding one; so no shard is made twice, no part waits
for one that never comes, and any of them may be killed and started again. The store is closed by none of them.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from dsfu.errors import InputError
from dsfu.pipeline.plan import Plan, make_plan
from dsfu.pipeline.running.engines import Engine, EngineError, Make
from dsfu.pipeline.running.feeding import DEFAULT_RULES, FeedRules, Stop
from dsfu.pipeline.running.reporter import Reporter
from dsfu.pipeline.running.run import Run, RunResult, maker
from dsfu.pipeline.specs import ShardFailure, ShardSpec
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.ledger import DamagedEntry
from dsfu.pipeline.store.locks import (
    DEAD_AFTER_SECONDS,
    EVERYTHING,
    StoreLocked,
    WriterLock,
    live_writers,
    writer_lock,
)
from dsfu.pipeline.store.manifest_copy import keep_manifest
from dsfu.pipeline.store.own_names import refuse_foreign
from dsfu.pipeline.wanted import Wanted

_PART_LOCK: Final = re.compile(r"part-\d+-of-(\d+)")
_Spec = TypeVar("_Spec")
_POLL_SECONDS: Final = 1.0
_DEATH_IS_KNOWN_SECONDS: Final = DEAD_AFTER_SECONDS + 15.0


@dataclass(frozen=True)
class Part:
    """Part ``index``, from 1, of ``parts``."""

    index: int
    parts: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.parts:
            raise ValueError(f"part = {self.index}/{self.parts}: expected 1/{self.parts} to {self.parts}/{self.parts}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``3/8``."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None:
            raise ValueError(f"part = {text!r}: expected i/N, as 3/8")
        return cls(int(match[1]), int(match[2]))

    @property
    def lock_name(self) -> str:
        return f"part-{self.index}-of-{self.parts}"

    def share(self, specs: Sequence[_Spec]) -> Sequence[_Spec]:
        return specs[self.index - 1 :: self.parts]

    def others(self) -> list["Part"]:
        """All other parts, beginning with the next: parts that help do not all turn to the same one first."""
        return [Part((self.index - 1 + step) % self.parts + 1, self.parts) for step in range(1, self.parts)]


def run_part(
    wanted: Wanted,
    files: Files,
    part: Part,
    *,
    engine: Callable[[], AbstractContextManager[Engine]],
    reporter: Reporter,
    stop: Stop = lambda: False,
    make: Make | None = None,
    rules: FeedRules = DEFAULT_RULES,
) -> RunResult:
    """Make a part of what a manifest wants and the store lacks. The store is left open.

    Parameters are those of `dsfu.pipeline.running.run.run_store`.

    Raises
    ------
    StoreLocked
        If this part is being made already, or others are with another number of parts.
    """
    refuse_foreign(files)
    with _part_lock(files, part, stop) as lock:
        keep_manifest(files, wanted.loaded)
        run = _PartRun(wanted, files, engine, reporter, stop, make or maker(files.url), rules, lock)
        run.part = part
        run.result.part = f"{part.index}/{part.parts}"
        try:
            run.go()
        except KeyboardInterrupt:
            run.result.interrupted = True
        return run.finish()


@contextmanager
def _part_lock(files: Files, part: Part, stop: Stop) -> Iterator[WriterLock]:
    """The lock of a part; one whose holder was killed on another machine is waited for until that is known."""
    for other in live_writers(files):
        match = _PART_LOCK.fullmatch(other.name)
        if match and int(match[1]) != part.parts:
            raise StoreLocked(
                f"{other} makes this store in {match[1]} parts (lock '{other.name}')",
                where=files.url,
                expected=f"one division into parts at a time, not {part.parts} beside {match[1]}",
                remedy="wait until those have finished, or stop them",
            )
    patience = time.monotonic() + _DEATH_IS_KNOWN_SECONDS
    while True:
        lock = writer_lock(files, part.lock_name)
        try:
            held = lock.__enter__()
        except StoreLocked:
            if stop() or time.monotonic() > patience or _certainly_held(files, part.lock_name):
                raise
            time.sleep(_POLL_SECONDS)
            continue
        break
    try:
        yield held
    finally:
        held.release()


def _certainly_held(files: Files, name: str) -> bool:
    """Whether who refuses us is known to run, or makes the whole store. One that died just now has left no trace."""
    return any(
        holder.name == EVERYTHING
        or (holder.name == name and holder.process is not None and holder.process.is_running() is True)
        for holder in live_writers(files)
    )


class _PartRun(Run):
    part: Part

    def go(self) -> None:
        plan = make_plan(self._wanted.expected, self._ledger)
        *first, last = self._wanted.stages
        mine = {spec.key for stage in (*first, last) for spec in self.part.share(stage)}
        self._missing = {each.spec.key for each in plan.missing}
        self._damaged = self._missing & self._ledger.entries()
        self._failures_before = {each.key: each for each in self._ledger.failures()}
        self.result.present = len(mine - self._missing)
        self._begin(_only(plan, mine))
        if not self._missing or self._stop():
            return
        try:
            with self._open_engine() as engine, self._reporter:
                self._reporter.note(f"  part {self.part.index} of {self.part.parts}, on {engine.description}")
                for stage in first:
                    self._make_together(stage, engine)
                own = [spec for spec in self.part.share(last) if spec.key in self._missing]
                if own and not self._stop():
                    self._make_stage(own, engine)
        except EngineError as error:
            self.result.trouble = str(error)

    def finish(self) -> RunResult:
        result = super().finish()
        done = self._failed | self._ledger.entries()
        mine = [spec for stage in self._wanted.stages for spec in self.part.share(stage)]
        result.untried = sum(spec.key not in done for spec in mine)
        return result

    def _make_together(self, stage: Sequence[ShardSpec], engine: Engine) -> None:
        """Have all of it made, by whomever."""
        waiting = False
        shares = [self.part, *self.part.others()]
        while shares and not self._stop():
            left = [share for share in shares if not self._is_made(share, stage, engine)]
            if left == shares:
                if not waiting:
                    self._reporter.note("  waiting for what other parts are making")
                waiting = True
                self._lock.check()
                time.sleep(_POLL_SECONDS)
            shares = left

    def _is_made(self, share: Part, stage: Sequence[ShardSpec], engine: Engine) -> bool:
        """Make what is missing of a share, if nobody else is at it. False if somebody is."""
        if self._stop() or not self._lacking(share, stage):
            return True
        try:
            with writer_lock(self._files, f"share-{share.index}-of-{share.parts}"):
                lacking = self._lacking(share, stage)
                for spec in lacking:
                    if spec.key in self._damaged and spec.key in self._ledger.entries():
                        self._ledger.set_aside(spec.key, "found damaged by a run in parts")
                if lacking:
                    self._make_stage(lacking, engine)
        except StoreLocked:
            self._lock.check()
            return False
        return True

    def _lacking(self, share: Part, stage: Sequence[ShardSpec]) -> list[ShardSpec]:
        """Shards of a share that are still to be made, and have not failed since we began."""
        there = self._ledger.entries()
        failed = self._failures_by_key()
        return [
            spec
            for spec in share.share(stage)
            if spec.key in self._missing
            and spec.key not in failed
            and (spec.key not in there or (spec.key in self._damaged and self._is_damaged(spec.key)))
        ]

    def _is_damaged(self, key: str) -> bool:
        try:
            return self._ledger.check_quickly(self._ledger.read(key)) is not None
        except (DamagedEntry, FileNotFoundError):
            return True

    def _failures_by_key(self) -> dict[str, ShardFailure]:
        now = {each.key: each for each in self._ledger.failures()}
        theirs = {key: each for key, each in now.items() if self._failures_before.get(key) != each}
        return {**theirs, **super()._failures_by_key()}


def _only(plan: Plan, keys: set[str]) -> Plan:
    present = {key: entry for key, entry in plan.present.items() if key in keys}
    return replace(plan, missing=[each for each in plan.missing if each.spec.key in keys], present=present)


def parse_part(text: str) -> Part:
    """Read the option of a command line."""
    try:
        return Part.parse(text)
    except ValueError as error:
        raise InputError(str(error), where="--part", expected="i/N with i from 1 to N") from None
