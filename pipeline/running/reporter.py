"""What a run says while it runs: a live display on a terminal, plain lines elsewhere, or events for programs.

All of it goes to stderr, but for the events, which are lines of JSON on stdout.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self, TextIO

from dsfu.pipeline.kinds import noun_of
from dsfu.pipeline.running.engines import Engine
from dsfu.pipeline.running.meter import Meter
from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec
from dsfu.progress import Clock, PlainLines, ProgressBars
from dsfu.words import count, duration, grouped, rate

PLAIN_LINE_SECONDS: Final = 5.0
EVENT_SECONDS: Final = 1.0


class Reporter(Protocol):
    """Is told what a run does. It is a `dsfu.pipeline.running.feeding.Watcher` as well."""

    def note(self, text: str) -> None:
        """Something that happened once, in a sentence."""
        ...

    def stage(self, specs: Sequence[ShardSpec]) -> None:
        """What is handed over from now on."""
        ...

    def finished(self, entry: LedgerEntry) -> None: ...

    def failed(self, failure: ShardFailure) -> None: ...

    def retried(self, spec: ShardSpec, why: str) -> None: ...

    def tick(self, engine: Engine) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_reporter(*, as_json: bool, quiet: bool = False) -> Reporter:
    """The reporter that suits where the output goes."""
    if as_json:
        return JsonReporter(sys.stdout)
    if quiet:
        return SilentReporter()
    return LiveReporter() if sys.stderr.isatty() else PlainReporter(sys.stderr)


class _Counting:
    """Keeps a meter for each kind of shard in the stage; what is said, and how, is left to subclasses."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._meters: dict[str, Meter] = {}
        self._items: dict[str, int] = {}
        self._last_finished = clock()

    def note(self, text: str) -> None: ...

    def stage(self, specs: Sequence[ShardSpec]) -> None:
        self._items = {spec.key: spec.items for spec in specs}
        self._meters = {}
        self._last_finished = self._clock()
        for kind in dict.fromkeys(spec.kind for spec in specs):
            of_kind = [spec.items for spec in specs if spec.kind == kind]
            self._meters[kind] = Meter(len(of_kind), sum(of_kind), self._clock())

    def finished(self, entry: LedgerEntry) -> None:
        meter, now = self._meters[entry.kind], self._clock()
        if not meter.shards_done:
            meter.begin(self._last_finished)
        meter.finished(entry, now)
        self._last_finished = now

    def failed(self, failure: ShardFailure) -> None:
        self._meters[failure.kind].failed(self._items[failure.key])

    def retried(self, spec: ShardSpec, why: str) -> None: ...

    def tick(self, engine: Engine) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SilentReporter(_Counting):
    """Says nothing."""


class JsonReporter(_Counting):
    """One JSON object a line: `event` says what it is."""

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._stream = stream
        self._events = PlainLines(EVENT_SECONDS, stream=stream, clock=clock)

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def stage(self, specs: Sequence[ShardSpec]) -> None:
        super().stage(specs)
        self._events = PlainLines(EVENT_SECONDS, stream=self._stream, clock=self._clock)

    def failed(self, failure: ShardFailure) -> None:
        super().failed(failure)
        self._say("failed", shard=failure.identity, key=failure.key, error=failure.error, attempts=failure.attempts)

    def retried(self, spec: ShardSpec, why: str) -> None:
        self._say("retried", shard=spec.identity, key=spec.key, why=why)

    def tick(self, engine: Engine) -> None:
        if not self._events.due():
            return
        now = self._clock()
        for kind, meter in self._meters.items():
            self._say(
                "progress",
                kind=kind,
                shards=meter.shards_done,
                shards_wanted=meter.shards,
                items=meter.items_done,
                items_wanted=meter.items,
                failed=meter.shards_failed,
                items_per_second=meter.per_second(now),
                seconds_left=meter.seconds_left(now),
                threads=engine.threads,
            )

    def _say(self, event: str, **values: Any) -> None:
        print_event(self._stream, event, values)


def print_event(stream: TextIO, event: str, values: Mapping[str, Any]) -> None:
    """Write one line of JSON, at once."""
    stream.write(json.dumps({"event": event, **values}) + "\n")
    stream.flush()


class PlainReporter(_Counting):
    """A line every few seconds, for files and pipes."""

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._lines = PlainLines(PLAIN_LINE_SECONDS, stream=stream, clock=clock)
        self._lines.later()

    def note(self, text: str) -> None:
        self._lines.say(text)

    def failed(self, failure: ShardFailure) -> None:
        super().failed(failure)
        self.note(failed_line(failure))

    def retried(self, spec: ShardSpec, why: str) -> None:
        self.note(retried_line(spec, why))

    def tick(self, engine: Engine) -> None:
        if self._lines.due():
            for kind, meter in self._meters.items():
                if meter.left:
                    self.note(progress_line(kind, meter, self._clock(), engine))


class LiveReporter(_Counting):
    """A bar for each kind of shard, on a terminal."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._bars = ProgressBars()

    def note(self, text: str) -> None:
        self._bars.say(text)

    def stage(self, specs: Sequence[ShardSpec]) -> None:
        super().stage(specs)
        for kind, meter in self._meters.items():
            self._bars.add(kind, meter.items)

    def failed(self, failure: ShardFailure) -> None:
        super().failed(failure)
        self.note(failed_line(failure))

    def retried(self, spec: ShardSpec, why: str) -> None:
        self.note(retried_line(spec, why))

    def tick(self, engine: Engine) -> None:
        now = self._clock()
        for kind, meter in self._meters.items():
            done = meter.items_done + meter.items_failed
            said = _short(kind, meter, now, engine)
            if self._bars.wide:
                said = f"{grouped(done)} of {grouped(meter.items)}, {said}"
            self._bars.update(kind, done, said)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


def failed_line(failure: ShardFailure) -> str:
    return f"failed: {failure.identity}: {failure.error} ({count(failure.attempts, 'attempt')})"


def retried_line(spec: ShardSpec, why: str) -> str:
    return f"trying again: {spec.identity}: {why}"


def progress_line(kind: str, meter: Meter, now: float, engine: Engine) -> str:
    """Such as ``images: 412 of 1147 shards, 82 400 of 223 912 images, 310 images/s, 7 min 36 s left``."""
    parts = [
        f"{kind}: {grouped(meter.shards_done)} of {count(meter.shards, 'shard')}",
        f"{grouped(meter.items_done)} of {count(meter.items, noun_of(kind))}",
        _short(kind, meter, now, engine),
    ]
    return ", ".join(parts)


def _short(kind: str, meter: Meter, now: float, engine: Engine) -> str:
    parts = []
    speed, left = meter.per_second(now), meter.seconds_left(now)
    if speed is not None:
        parts.append(rate(speed, noun_of(kind) + "s"))
    if left:
        parts.append(f"{duration(left)} left")
    if meter.shards_failed:
        parts.append(f"{meter.shards_failed} failed")
    if meter.left and not engine.threads:
        parts.append("waiting for workers")
    elif speed is None and meter.left:
        parts.append(f"compiling or waiting, {duration(meter.waiting(now))}")
    return ", ".join(parts)
