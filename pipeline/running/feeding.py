"""Hands shards to an engine, a window at a time, and sees each of them made or set aside.

- Only a few tasks for each thread are handed over at once: a scheduler must not sit on a million shards.
- Shards that take little time go several to a task.
- A shard that raises is tried again. So is one whose worker died under it; but as it may only have stood beside the
  culprit, its last attempt is made alone, with nothing else in flight, and only that one convicts it.
- Asked to stop, it hands over nothing more, and waits for what is being made.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Protocol

from dsfu.pipeline.running.engines import Engine, Make, Result, Task, failure_of
from dsfu.pipeline.specs import KEY_DIGITS, LedgerEntry, ShardFailure, ShardSpec, digest

Stop = Callable[[], bool]

TASKS_PER_SECOND: Final = 200
"""How many tasks a second may end: half of what scheduler and driver manage (``tests/benchmarks/scheduler.py``)."""


class Watcher(Protocol):
    """Is told what happens, in the thread that feeds."""

    def finished(self, entry: LedgerEntry) -> None: ...

    def failed(self, failure: ShardFailure) -> None: ...

    def retried(self, spec: ShardSpec, why: str) -> None: ...

    def tick(self, engine: Engine) -> None:
        """Called a few times a second."""
        ...


@dataclass(frozen=True, kw_only=True)
class FeedRules:
    """How shards are handed over.

    Attributes
    ----------
    retries
        Further attempts at a shard that raises, or whose worker dies.
    tasks_per_thread, least_window
        Tasks in flight for each thread of the engine, and at least: the quicker tasks are done, the more must wait.
    threads_hoped_for
        As if there were at least so many threads: workers that are still to come are asked for by what waits for them.
    task_seconds
        Shards are put together until their task is expected to take so long; on large clusters longer, see
        `TASKS_PER_SECOND`.
    task_shards
        Most shards in a task.
    """

    retries: int = 2
    tasks_per_thread: int = 4
    least_window: int = 32
    threads_hoped_for: int = 1
    task_seconds: float = 1.0
    task_shards: int = 64


DEFAULT_RULES: Final = FeedRules()


def run_shards(
    specs: Sequence[ShardSpec],
    make: Make,
    *,
    engine: Engine,
    watcher: Watcher,
    stop: Stop = lambda: False,
    scope: str = "",
    rules: FeedRules = DEFAULT_RULES,
) -> None:
    """Have every shard made, or set aside as failed, or return early because ``stop()`` turned true.

    Parameters
    ----------
    specs
        What has to be made, most urgent first.
    make
        Makes one shard, on a worker; it has to be importable there.
    scope
        Set apart from all else that the engine may be working on: the address of the store, say.
    """
    feed = _Feed(specs, make, engine, watcher, scope, rules)
    while not stop() and feed.hand_over():
        feed.settle(engine.collect(timeout_seconds=0.25))
        watcher.tick(engine)
    engine.drop_waiting()
    while engine.in_flight:
        feed.settle(engine.collect(timeout_seconds=0.25))
        watcher.tick(engine)


class _Feed:
    def __init__(
        self,
        specs: Sequence[ShardSpec],
        make: Make,
        engine: Engine,
        watcher: Watcher,
        scope: str,
        rules: FeedRules,
    ) -> None:
        self._fresh = deque(specs)
        self._again: deque[tuple[ShardSpec, int]] = deque()
        self._suspects: deque[tuple[ShardSpec, int]] = deque()
        self._alone = False
        self._pace = _Pace()
        self._make, self._engine, self._watcher, self._rules = make, engine, watcher, rules
        self._scope = digest(scope)[:8]

    def hand_over(self) -> bool:
        """Fill the window. False when all is done."""
        if self._engine.in_flight == 0:
            self._alone = False
        if not self._alone:
            tasks = list(self._next_tasks(self._window() - self._engine.in_flight))
            if not tasks and self._engine.in_flight == 0 and self._suspects:
                spec, attempt = self._suspects.popleft()
                tasks, self._alone = [self._task([spec], attempt)], True
            if tasks:
                self._engine.submit(tasks)
        return self._engine.in_flight > 0

    def settle(self, results: Sequence[Result]) -> None:
        for result in results:
            specs = {spec.key: spec for spec in result.task.specs}
            for outcome in result.outcomes:
                self._settle(specs.pop(outcome.key), outcome, result.task.attempt + 1)
            for spec in specs.values():
                self._settle_lost(spec, result.lost or "its task returned nothing for it", result)

    def _settle(self, spec: ShardSpec, outcome: LedgerEntry | ShardFailure, attempts: int) -> None:
        if isinstance(outcome, LedgerEntry):
            self._pace.learn(outcome)
            self._watcher.finished(outcome)
        elif attempts > self._rules.retries:
            self._watcher.failed(replace(outcome, attempts=attempts))
        else:
            self._watcher.retried(spec, outcome.error)
            self._again.append((spec, attempts))

    def _settle_lost(self, spec: ShardSpec, why: str, result: Result) -> None:
        attempts = result.task.attempt + result.counts
        if attempts > self._rules.retries and self._alone:
            self._watcher.failed(failure_of(spec, why, why, attempts))
            return
        self._watcher.retried(spec, why)
        last = attempts >= self._rules.retries
        (self._suspects if last and result.counts else self._again).append((spec, attempts))

    def _window(self) -> int:
        return max(self._fair_window(), self._rules.least_window)

    def _fair_window(self) -> int:
        threads = max(self._engine.threads, self._rules.threads_hoped_for, 1)
        return threads * self._rules.tasks_per_thread

    def _next_tasks(self, room: int) -> Iterator[Task]:
        for _ in range(room):
            if self._again:
                spec, attempt = self._again.popleft()
                yield self._task([spec], attempt)
            elif self._fresh:
                yield self._task(self._next_batch(), 0)

    def _next_batch(self) -> list[ShardSpec]:
        """New shards for one task, as many as are cheap, of one kind, and not so many that threads would go idle."""
        task_seconds = max(self._rules.task_seconds, self._engine.threads / TASKS_PER_SECOND)
        fair_share = -(-len(self._fresh) // self._fair_window())
        most = min(self._rules.task_shards, fair_share)
        batch = [self._fresh.popleft()]
        while (
            len(batch) < most
            and self._fresh[0].kind == batch[0].kind
            and sum(map(self._pace.seconds, batch)) < task_seconds
        ):
            batch.append(self._fresh.popleft())
        return batch

    def _task(self, specs: Sequence[ShardSpec], attempt: int) -> Task:
        name = specs[0].key if len(specs) == 1 else digest([spec.key for spec in specs])[:KEY_DIGITS]
        return Task(group=f"{specs[0].kind}-{self._scope}", name=name, attempt=attempt, specs=specs, make=self._make)


class _Pace:
    """Seconds that a shard may be expected to take: as others of its kind took, or as planned, or many."""

    def __init__(self) -> None:
        self._items: dict[str, int] = defaultdict(int)
        self._seconds: dict[str, float] = defaultdict(float)

    def learn(self, entry: LedgerEntry) -> None:
        if "seconds" in entry.made:
            self._items[entry.kind] += entry.items
            self._seconds[entry.kind] += float(entry.made["seconds"])

    def seconds(self, spec: ShardSpec) -> float:
        if self._items[spec.kind]:
            return spec.items * self._seconds[spec.kind] / self._items[spec.kind]
        return spec.seconds_expected or inf
