"""A run: see what is missing, have it made, and close the store; whatever happens, say how it went."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from dsfu.pipeline.kinds import is_sample
from dsfu.pipeline.plan import Plan, make_plan
from dsfu.pipeline.running.engines import Engine, EngineError, Make, failure_of
from dsfu.pipeline.running.feeding import DEFAULT_RULES, FeedRules, Stop, run_shards
from dsfu.pipeline.running.reporter import Reporter
from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec
from dsfu.pipeline.store.closing import ClosingSummary, MissingObjects, close_store
from dsfu.pipeline.store.files import Files, StorageError
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.locks import EVERYTHING, WriterLock, writer_lock
from dsfu.pipeline.store.manifest_copy import keep_manifest
from dsfu.pipeline.store.own_names import refuse_foreign
from dsfu.pipeline.store.records import DamagedRecord
from dsfu.pipeline.wanted import Wanted
from dsfu.words import count

DONE: Final = 0
FAILED_SHARDS: Final = 3
CUT_SHORT: Final = 4
INTERRUPTED: Final = 130

_MOST_REASONS: Final = 8
_MOST_REFUSALS: Final = 3
_MOST_ROUNDS: Final = 5
"""How often a run begins again because closing finds shards damaged that seemed to be there."""


@dataclass(kw_only=True)
class RunResult:
    """How a run went.

    Attributes
    ----------
    made, present, failures, untried
        Shards made by this run, there before, given up, and not come to.
    items_made, seconds_of_kind
        Samples, and items of other kinds, that were made, and how long their stage took, by kind.
    closing
        What closing did, if it was done.
    trouble
        Why the run ended early, in words, if it did.
    part
        Which part of the whole it was, if it was one: ``3/8``.
    left_out
        What those samples do that are not to be used.
    """

    store: str
    left_out: str = ""
    made: int = 0
    present: int = 0
    failures: list[ShardFailure] = field(default_factory=list)
    untried: int = 0
    items_made: Counter[str] = field(default_factory=Counter)
    seconds_of_kind: dict[str, float] = field(default_factory=dict)
    bytes_made: int = 0
    seconds: float = 0.0
    closing: ClosingSummary | None = None
    interrupted: bool = False
    trouble: str = ""
    part: str = ""

    @property
    def exit_status(self) -> int:
        if self.interrupted:
            return INTERRUPTED
        if self.trouble:
            return CUT_SHORT
        return FAILED_SHARDS if self.failures else DONE

    @property
    def samples_made(self) -> int:
        return sum(number for kind, number in self.items_made.items() if is_sample(kind))

    @property
    def samples_per_second(self) -> float | None:
        seconds = sum(seconds for kind, seconds in self.seconds_of_kind.items() if is_sample(kind))
        return self.samples_made / seconds if seconds and self.samples_made else None


def run_store(
    wanted: Wanted,
    files: Files,
    *,
    engine: Callable[[], AbstractContextManager[Engine]],
    reporter: Reporter,
    stop: Stop = lambda: False,
    make: Make | None = None,
    rules: FeedRules = DEFAULT_RULES,
) -> RunResult:
    """Make what a manifest wants and the store lacks, and close the store.

    Parameters
    ----------
    engine
        Opens what makes the shards; called only if there is something to make.
    stop
        Asked a few times a second; the run ends cleanly once it is true.
    make
        Makes one shard, on a worker; `dsfu.pipeline.tasks.make_shard` if not given.
    """
    refuse_foreign(files)
    with writer_lock(files, EVERYTHING) as lock:
        keep_manifest(files, wanted.loaded)
        run = Run(wanted, files, engine, reporter, stop, make or maker(files.url), rules, lock)
        try:
            run.go()
        except KeyboardInterrupt:
            run.result.interrupted = True
        return run.finish()


def maker(store_url: str) -> Make:
    from dsfu.pipeline.tasks import make_shard

    return partial(make_shard, store_url)


class Run:
    """One run under way. It is the watcher of what is fed, and passes on to the reporter."""

    def __init__(
        self,
        wanted: Wanted,
        files: Files,
        engine: Callable[[], AbstractContextManager[Engine]],
        reporter: Reporter,
        stop: Stop,
        make: Make,
        rules: FeedRules,
        lock: WriterLock,
    ) -> None:
        self.result = RunResult(store=files.url, left_out=wanted.problem.left_out)
        self._wanted, self._files, self._ledger = wanted, files, Ledger(files)
        self._open_engine, self._reporter, self._asked_to_stop = engine, reporter, stop
        self._make, self._rules, self._lock = make, rules, lock
        self._failed: set[str] = set()
        self._refusals = 0
        self._start = time.monotonic()

    def go(self) -> None:
        for round_ in range(_MOST_ROUNDS):
            plan = make_plan(self._wanted.expected, self._ledger)
            if round_ == 0:
                self.result.present = len(plan.present)
            self._begin(plan)
            try:
                self._make_missing(plan)
            except EngineError as error:
                self.result.trouble = str(error)
            if self._close():
                return
        self.result.trouble = (
            self.result.trouble or "closing finds damage again and again; dsfu-pipeline verify says more"
        )

    def finish(self) -> RunResult:
        self.result.seconds = time.monotonic() - self._start
        self.result.interrupted |= self._asked_to_stop()
        done = self._failed | self._ledger.entries()
        self.result.untried = sum(spec.key not in done for spec in self._wanted.specs)
        return self.result

    def finished(self, entry: LedgerEntry) -> None:
        self._refusals = 0
        self.result.made += 1
        self.result.items_made[entry.kind] += entry.items
        self.result.bytes_made += sum(each.bytes for each in entry.objects.values())
        self._reporter.finished(entry)

    def failed(self, failure: ShardFailure) -> None:
        self._give_up(failure)
        self._reporter.failed(failure)
        self._mind_refusals(failure.error)

    def retried(self, spec: ShardSpec, why: str) -> None:
        self._reporter.retried(spec, why)
        self._mind_refusals(why)

    def _mind_refusals(self, error: str) -> None:
        """A storage that refuses again and again, being full perhaps, will refuse every other shard too."""
        name, _, text = error.partition(": ")
        if name == StorageError.__name__:
            self._refusals += 1
            if self._refusals >= _MOST_REFUSALS:
                self.result.trouble = text

    def tick(self, engine: Engine) -> None:
        self._lock.check()
        self._reporter.tick(engine)

    def _stop(self) -> bool:
        return self._asked_to_stop() or bool(self.result.trouble)

    def _begin(self, plan: Plan) -> None:
        """Take leave of what is damaged, and say what there is to do."""
        entries = self._ledger.entries()
        for each in plan.missing:
            if each.spec.key in entries:
                self._ledger.set_aside(each.spec.key, each.reason.removeprefix("damaged: "))
        self._reporter.note(f"{self._wanted.loaded.manifest.name}: {count(len(plan.present), 'shard')} there")
        reasons = list(plan.by_reason().items())
        for reason, specs in reasons[:_MOST_REASONS]:
            self._reporter.note(f"  to make: {count(len(specs), 'shard')} of {reason}")
        if len(reasons) > _MOST_REASONS:
            rest = sum(len(specs) for _, specs in reasons[_MOST_REASONS:])
            self._reporter.note(f"  to make: {count(rest, 'shard')} for other reasons; see dsfu-pipeline plan")

    def _make_missing(self, plan: Plan) -> None:
        missing = {each.spec.key for each in plan.missing} - self._failed
        stages = [[spec for spec in stage if spec.key in missing] for stage in self._wanted.stages]
        stages = [stage for stage in stages if stage]
        if not stages or self._stop():
            return
        with self._open_engine() as engine, self._reporter:
            dashboard = f", dashboard at {engine.dashboard}" if engine.dashboard else ""
            self._reporter.note(f"  on {engine.description}{dashboard}")
            for stage in stages:
                if not self._stop():
                    self._make_stage(stage, engine)

    def _make_stage(self, stage: Sequence[ShardSpec], engine: Engine) -> None:
        possible = self._possible(stage)
        begin = time.monotonic()
        self._reporter.stage(possible)
        run_shards(
            possible,
            self._make,
            engine=engine,
            watcher=self,
            stop=self._stop,
            scope=self._files.url,
            rules=self._rules,
        )
        for kind in {spec.kind for spec in possible}:
            self.result.seconds_of_kind[kind] = time.monotonic() - begin

    def _possible(self, stage: Sequence[ShardSpec]) -> list[ShardSpec]:
        """A stage without the shards that lack something they need; those have failed already."""
        failures = self._failures_by_key()
        possible: list[ShardSpec] = []
        lacking: Counter[str] = Counter()
        for spec in stage:
            missing = next((failures[key] for key in spec.needs if key in failures), None)
            if missing is None:
                possible.append(spec)
            else:
                why = f"it needs {missing.identity}, which could not be made: {missing.error}"
                self._give_up(failure_of(spec, why, why, attempts=0))
                lacking[missing.identity] += 1
        for identity, number in lacking.items():
            self._reporter.note(f"failed: {count(number, 'shard')} that cannot be made without {identity}")
        return possible

    def _failures_by_key(self) -> dict[str, ShardFailure]:
        return {failure.key: failure for failure in self.result.failures}

    def _give_up(self, failure: ShardFailure) -> None:
        self.result.failures.append(failure)
        self._failed.add(failure.key)
        try:
            self._ledger.write_failure(failure)
        except StorageError as error:
            self.result.trouble = self.result.trouble or str(error)

    def _forget_failures_over(self, damaged: Collection[str]) -> None:
        """Give shards that failed over a damaged one, which they need, another chance: that one is made again."""
        specs = {spec.key: spec for spec in self._wanted.expected.specs}
        again = {key for key in self._failed if key in specs and not set(specs[key].needs).isdisjoint(damaged)}
        self._failed -= again
        self.result.failures = [failure for failure in self.result.failures if failure.key not in again]

    def _close(self) -> bool:
        """Close the store with what is complete. False if that brought damage to light, and it is worth another go."""
        self._lock.check()
        self._reporter.note("Closing the store.")
        complete = self._ledger.entries()
        try:
            self.result.closing = close_store(self._files, self._ledger, self._wanted.closing_spec(complete))
        except (MissingObjects, DamagedRecord) as error:
            self._reporter.note(f"Closing found damage: {error}")
            for key in error.keys:
                self._ledger.set_aside(key, str(error))
            self._forget_failures_over(error.keys)
            return self._stop()
        except StorageError as error:
            self.result.trouble = self.result.trouble or str(error)
        return True
