"""What is handed to an engine, when, and what becomes of shards that go wrong."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.pipeline.running.engines import InThisProcess, Result, Task, make_all
from dsfu.pipeline.running.feeding import FeedRules, run_shards
from tests.pipeline.fakes import Notes, identities, make, spec


class Rehearsal:
    """An engine of so many threads whose workers die of some shards, taking down what runs beside them."""

    description = "a rehearsal"
    dashboard: str | None = None

    def __init__(self, threads: int, deadly: Sequence[str] = ()) -> None:
        self.threads = threads
        self.deadly = set(deadly)
        self.waiting: list[Task] = []
        self.log: list[Task] = []
        self.most = 0

    @property
    def in_flight(self) -> int:
        return len(self.waiting)

    def submit(self, tasks: Sequence[Task]) -> None:
        self.waiting.extend(tasks)
        self.most = max(self.most, len(self.waiting))

    def collect(self, timeout_seconds: float) -> Sequence[Result]:
        running, self.waiting = self.waiting[: self.threads], self.waiting[self.threads :]
        self.log.extend(running)
        if any(each.identity in self.deadly for task in running for each in task.specs):
            return [Result(task=task, lost="the worker died") for task in running]
        return [Result(task=task, outcomes=make_all(task.make, task.specs)) for task in running]

    def drop_waiting(self) -> None:
        self.waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def test_every_shard_is_made_once():
    specs = [spec(i) for i in range(500)]
    notes = Notes()
    run_shards(specs, make, engine=InThisProcess(), watcher=notes)
    assert notes.identities() == identities(specs)
    assert not notes.failures
    assert not notes.retries


@given(
    kinds=st.lists(st.sampled_from(["cheap", "dear"]), max_size=150),
    threads=st.integers(1, 5),
    tasks_per_thread=st.integers(1, 4),
    task_shards=st.integers(1, 9),
    deadly=st.sets(st.integers(0, 149), max_size=2),
    raising=st.sets(st.integers(0, 149), max_size=3),
    retries=st.integers(0, 2),
    least_window=st.sampled_from([1, 32]),
)
def test_only_the_guilty_are_set_aside(
    kinds, threads, tasks_per_thread, task_shards, deadly, raising, retries, least_window
):
    seconds = {"cheap": 0.001, "dear": 5.0}
    specs = [
        spec(i, kind=kind, seconds=seconds[kind], **({"raise": "no"} if i in raising else {}))
        for i, kind in enumerate(kinds)
    ]
    guilty = [each for i, each in enumerate(specs) if i in deadly | raising]
    engine = Rehearsal(threads, [each.identity for i, each in enumerate(specs) if i in deadly])
    notes = Notes()
    rules = FeedRules(
        retries=retries, tasks_per_thread=tasks_per_thread, task_shards=task_shards, least_window=least_window
    )
    run_shards(specs, make, engine=engine, watcher=notes, rules=rules)
    assert sorted(failure.identity for failure in notes.failures) == identities(guilty)
    assert notes.identities() == identities([each for each in specs if each not in guilty])
    assert engine.most <= max(threads * tasks_per_thread, least_window)
    for task in engine.log:
        assert len(task.specs) <= task_shards
        assert len({each.kind for each in task.specs}) == 1
        assert len(task.specs) == 1 or task.specs[0].kind == "cheap"


def test_a_shard_that_raises_is_retried_and_then_told_with_its_traceback():
    bad: dict[str, Any] = {"raise": "the lattice has no volume"}
    specs = [spec(0), spec(1, **bad), spec(2)]
    notes = Notes()
    run_shards(specs, make, engine=InThisProcess(), watcher=notes, rules=FeedRules(retries=2))
    (failure,) = notes.failures
    assert (failure.key, failure.identity, failure.attempts) == (specs[1].key, "noop/1", 3)
    assert failure.error == "ValueError: the lattice has no volume"
    assert failure.traceback.startswith(f"noop/1 (shard {specs[1].key}):\nTraceback")
    assert "fakes.py" in failure.traceback
    assert len(notes.made) == len(notes.retries) == 2


def test_a_shard_that_succeeds_at_its_second_attempt_is_made(tmp_path):
    notes = Notes()
    run_shards([spec(0, raise_unless=str(tmp_path / "flag"))], make, engine=InThisProcess(), watcher=notes)
    assert len(notes.made) == len(notes.retries) == 1
    assert notes.failures == []


def test_a_maker_that_makes_something_else_has_failed():
    notes = Notes()
    rules = FeedRules(retries=0)
    run_shards([spec(0)], lambda each: make(spec(1)), engine=InThisProcess(), watcher=notes, rules=rules)
    assert "instead" in notes.failures[0].error


def test_a_deadly_shard_is_convicted_alone_and_last():
    specs = [spec(i, seconds=9.0) for i in range(40)]
    engine = Rehearsal(4, ["noop/3"])
    notes = Notes()
    run_shards(specs, make, engine=engine, watcher=notes)
    assert [failure.identity for failure in notes.failures] == ["noop/3"]
    assert "the worker died" in notes.failures[0].traceback
    tries = Counter(each.identity for task in engine.log for each in task.specs)
    assert tries["noop/3"] == 3
    assert max(count for identity, count in tries.items() if identity != "noop/3") <= 3


def test_what_was_lost_with_the_engine_is_no_attempt():
    class Forgetful(Rehearsal):
        forgets = 5

        def collect(self, timeout_seconds: float) -> Sequence[Result]:
            if self.forgets and self.waiting:
                self.forgets -= 1
                return [Result(task=self.waiting.pop(), lost="the scheduler went away", counts=False)]
            return super().collect(timeout_seconds)

    notes = Notes()
    run_shards([spec(0)], make, engine=Forgetful(1), watcher=notes, rules=FeedRules(retries=0))
    assert notes.identities() == ["noop/0"]
    assert len(notes.retries) == 5


@pytest.mark.parametrize("after", [0, 1, 7])
def test_asked_to_stop_it_hands_over_nothing_more(after):
    notes = Notes()
    specs = [spec(i, seconds=9.0) for i in range(100)]
    run_shards(specs, make, engine=InThisProcess(), watcher=notes, stop=lambda: len(notes.made) >= after)
    assert len(notes.made) == after


def test_task_names_are_the_same_for_the_same_shards_of_the_same_store():
    def names(scope: str) -> list[tuple[str, str, int]]:
        engine = Rehearsal(2)
        run_shards([spec(i) for i in range(30)], make, engine=engine, watcher=Notes(), scope=scope)
        return [(task.group, task.name, task.attempt) for task in engine.log]

    assert names("s3://one") == names("s3://one")
    assert len(set(names("s3://one"))) == len(names("s3://one"))
    assert not set(names("s3://one")) & set(names("s3://two"))


def test_workers_that_are_hoped_for_are_asked_for():
    engine = Rehearsal(1)
    rules = FeedRules(threads_hoped_for=8, tasks_per_thread=2, least_window=1)
    run_shards([spec(i, seconds=9.0) for i in range(100)], make, engine=engine, watcher=Notes(), rules=rules)
    assert engine.most == 16


@pytest.mark.parametrize(("planned", "took", "first", "later"), [(0.0, 0.2, 1, 5), (9.0, 0.2, 1, 5), (0.2, 9.0, 5, 1)])
def test_how_many_go_to_a_task_follows_from_what_they_take(planned, took, first, later):
    engine = Rehearsal(1)
    rules = FeedRules(least_window=1)
    specs = [spec(i, seconds=planned, took=took) for i in range(300)]
    run_shards(specs, make, engine=engine, watcher=Notes(), rules=rules)
    sizes = [len(task.specs) for task in engine.log]
    assert sizes[0] == first
    assert sizes[6] == later


def test_tasks_on_a_large_cluster_are_longer_so_that_one_scheduler_can_keep_up():
    engine = Rehearsal(2000)
    specs = [spec(i, seconds=1.0) for i in range(24_000)]
    run_shards(specs, make, engine=engine, watcher=Notes(), rules=FeedRules(tasks_per_thread=1))
    assert len(engine.log[0].specs) == 10
