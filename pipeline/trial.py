"""What shards cost on this machine: a few of each kind are made, timed, and thrown away."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from dsfu.pipeline.compiling import compilations
from dsfu.pipeline.kinds import RECORD
from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.pipeline.plan import Rate
from dsfu.pipeline.specs import ShardSpec
from dsfu.pipeline.store.files import Files, open_files
from dsfu.pipeline.tasks import arrays_of, make_objects

SECONDS_OF_A_KIND: Final = 5.0
"""Shards of a kind are made until this time is up; one that takes longer is made once."""

_MOST_SHARDS: Final = 40


def measured_rates(
    specs: Sequence[ShardSpec], kinds: Collection[str], *, seconds_of_a_kind: float = SECONDS_OF_A_KIND
) -> dict[str, Rate]:
    """Rates of these kinds, in the order in which they are made, from shards spread over all that are wanted.

    A shard that needs others reads, in place of each, the first of its kind, since all of a bank would take as long as
    the run: the numbers differ, the work does not. Seconds are the processor's, so that other work on the machine
    changes them less.
    """
    kind_of = {spec.key: spec.kind for spec in specs}
    by_kind: dict[str, list[ShardSpec]] = {}
    for spec in specs:
        by_kind.setdefault(spec.kind, []).append(spec)
    to_make = set(kinds)
    for those in reversed(by_kind.values()):  # what is needed comes before what needs it
        if those[0].kind in to_make:
            to_make |= {kind_of[key] for spec in those for key in spec.needs}
    stand_ins: dict[str, Arrays] = {}

    def read(key: str, *names: str, record: str = RECORD) -> Arrays:
        return {name: stand_ins[kind_of[key]][name] for name in names}

    rates: dict[str, Rate] = {}
    for kind, those in by_kind.items():
        if kind not in to_make:
            continue
        start = process_time()
        with compilations() as compiled:
            stand_ins[kind] = arrays_of(those[0], read, Stopwatch())  # also loads what is compiled
        first = 0.0 if compiled else process_time() - start
        if kind in kinds:
            rate = _rate([those[i] for i in spread(len(those), _MOST_SHARDS)], read, seconds_of_a_kind)
            rates[kind] = replace(rate, once=max(0.0, first - rate.seconds * those[0].items))
    return rates


def spread(number: int, most: int) -> list[int]:
    """Some of 0 … number − 1, of which the first few are spread over all as well as the whole is.

    Shards in the order of a manifest are of one sort first, and then of others that cost more or less. So the k-th is
    at the digits of k in base 2 read backwards, as a share of all.
    """
    digits = max(1, (number - 1).bit_length())
    backwards = (int(f"{k:0{digits}b}"[::-1], 2) for k in range(2**digits))
    return list(islice((i for i in backwards if i < number), most))


def _timed(spec: ShardSpec, read: ReadNeeded, files: Files) -> tuple[Mapping[str, bytes], float]:
    """A shard, and what it takes. One that has kernels compiled is made again, as the run finds these compiled."""
    while True:
        start = process_time()
        with compilations() as compiled:
            objects = make_objects(spec, read, Stopwatch())
            for name, data in objects.items():  # writing is a tenth of what a shard may take
                files.write(name, data)
        if not compiled:
            return objects, process_time() - start


def _rate(specs: Sequence[ShardSpec], read: ReadNeeded, budget: float) -> Rate:
    items, seconds, size = 0, 0.0, 0
    with TemporaryDirectory(prefix="dsfu-plan-") as folder:
        files = open_files(folder)
        for spec in specs:
            if items and seconds + seconds / items * spec.items > budget:
                break
            objects, taken = _timed(spec, read, files)
            seconds += taken
            items += spec.items
            size += sum(map(len, objects.values()))
    return Rate(seconds=seconds / items, bytes=size / items)
