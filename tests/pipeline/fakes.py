"""Shards that are quick to make, and ways in which making one goes wrong. Importable by workers."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsfu.pipeline.running.engines import Engine
from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec


def spec(number: int, *, kind: str = "noop", seconds: float = 1e-3, **parameters: Any) -> ShardSpec:
    return ShardSpec(
        kind=kind,
        identity=f"{kind}/{number}",
        inputs={"number": str(number)},
        parameters=parameters,
        items=1,
        seconds_expected=seconds,
    )


def entry_of(spec: ShardSpec, **made: Any) -> LedgerEntry:
    return LedgerEntry(
        key=spec.key,
        kind=spec.kind,
        identity=spec.identity,
        inputs=spec.inputs,
        items=spec.items,
        objects={},
        made={"pid": os.getpid(), **made},
    )


def make(spec: ShardSpec) -> LedgerEntry:
    """Make a shard as its parameters say.

    ``log`` to a file, ``sleep`` seconds, ``raise`` a message, ``raise_unless`` a file exists, ``die``,
    ``grip`` the interpreter, ``eat`` bytes; say that it ``took`` seconds.
    """
    wanted = spec.parameters
    if "log" in wanted:
        with Path(wanted["log"]).open("a") as log:
            log.write(f"{spec.identity} {os.getpid()}\n")
    time.sleep(wanted.get("sleep", 0.0))
    if "raise" in wanted:
        raise ValueError(wanted["raise"])
    if "raise_unless" in wanted:
        flag = Path(wanted["raise_unless"])
        if not flag.exists():
            flag.touch()
            raise ValueError("the first attempt fails")
    if wanted.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if "grip" in wanted:
        pow(3, wanted["grip"])  # one call that holds the interpreter's lock
    if "eat" in wanted:
        food = b"x" * wanted["eat"]
        time.sleep(5.0)
        del food
    return entry_of(spec, **({"seconds": wanted["took"]} if "took" in wanted else {}))


@dataclass
class Notes:
    """A watcher that writes everything down."""

    made: list[LedgerEntry] = field(default_factory=list)
    failures: list[ShardFailure] = field(default_factory=list)
    retries: list[tuple[str, str]] = field(default_factory=list)
    most_in_flight: int = 0
    ticks: int = 0

    def finished(self, entry: LedgerEntry) -> None:
        self.made.append(entry)

    def failed(self, failure: ShardFailure) -> None:
        self.failures.append(failure)

    def retried(self, spec: ShardSpec, why: str) -> None:
        self.retries.append((spec.identity, why))

    def tick(self, engine: Engine) -> None:
        self.ticks += 1
        self.most_in_flight = max(self.most_in_flight, engine.in_flight)

    def identities(self) -> list[str]:
        return sorted(entry.identity for entry in self.made)


def identities(specs: Sequence[ShardSpec]) -> list[str]:
    return sorted(spec.identity for spec in specs)
