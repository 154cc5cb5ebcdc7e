"""The verbs that keep a store in order: verify, gc."""

from typing import TYPE_CHECKING, Annotated

import typer

from dsfu.outputs import StoreArgument
from dsfu.pipeline.commands.common import (
    JsonOption,
    answer_json,
    existing_store,
    say,
)
from dsfu.progress import counting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsfu.pipeline.specs import LedgerEntry
    from dsfu.pipeline.store.files import Files
    from dsfu.pipeline.store.findings import VerifyReport
    from dsfu.pipeline.store.gc import Garbage
    from dsfu.pipeline.store.shard_checks import Recompute
    from dsfu.pipeline.wanted import Wanted

DAMAGE = 3
_MOST_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    for verb in (verify, gc):
        app.command()(verb)


def verify(
    store: StoreArgument,
    deep: Annotated[
        bool, typer.Option("--deep", help="Compute every shard again, and compare. Takes as long as making them.")
    ] = False,
    mark: Annotated[
        bool, typer.Option("--mark", help="Set damaged shards aside, so that the next run makes them again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read every file of a store and look for damage.

    Finds what is missing, truncated, changed by a single bit, or left over. The exit status is 3 if anything is
    damaged. Without --mark nothing is changed.
    """
    from contextlib import nullcontext

    from dsfu.pipeline.store.locks import writer_lock
    from dsfu.pipeline.store.verify import verify_store

    files, wanted = existing_store(store)
    with writer_lock(files) if mark else nullcontext(), counting("verify", quiet=as_json) as progress:
        found = verify_store(files, mark=mark, recompute=_recompute(files, wanted) if deep else None, progress=progress)
    if as_json:
        answer_json(found.to_dict())
    else:
        say(_verify_text(found, deep=deep))
    raise typer.Exit(DAMAGE if found.damage else 0)


def gc(
    store: StoreArgument,
    delete: Annotated[bool, typer.Option("--delete", help="Remove it, instead of only saying what it is.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find what a store holds without need.

    That is shards that the manifest of the last run does not ask for, what killed writers left behind, and records of
    troubles that are past. With --delete it is removed. Nothing that stands in an array is touched.
    """
    from dsfu.pipeline.store.gc import collect_garbage, find_garbage

    files, wanted = existing_store(store)
    keys = {spec.key for spec in wanted.specs}
    garbage = collect_garbage(files, keys) if delete else find_garbage(files, keys)
    if as_json:
        answer_json(
            {
                "removed": delete,
                "files": [{"path": each.path, "bytes": each.info.bytes, "why": each.why} for each in garbage.files],
                "bytes": garbage.bytes,
                "kept": list(garbage.kept),
                "spared": garbage.spared,
            }
        )
    else:
        say(_garbage_text(garbage, store, removed=delete))


def _recompute(files: "Files", wanted: "Wanted") -> "Recompute":
    """Makes the objects of a shard again, unless the manifest does not ask for it, or what it draws on is not there."""
    from dsfu.pipeline.store.records import DamagedRecord
    from dsfu.pipeline.tasks import remake

    specs = {spec.key: spec for spec in wanted.specs}

    def recompute(entry: "LedgerEntry") -> "Mapping[str, bytes] | None":
        try:
            return remake(files.url, specs[entry.key])
        except (KeyError, FileNotFoundError, DamagedRecord):
            return None

    return recompute


def _verify_text(found: "VerifyReport", *, deep: bool) -> str:
    from dsfu.words import count, duration, size

    rows = []
    for each in found.findings[:_MOST_SHOWN]:
        rows.append(str(each))
        rows.append(f"  remedy: {each.remedy}")
    if len(found.findings) > _MOST_SHOWN:
        rows.append(f"and {len(found.findings) - _MOST_SHOWN} more (--json shows all)")
    how = "computed again" if deep else "read"
    damage = count(len(found.damage), "damage", "damages") if found.damage else "no damage"
    clutter = len(found.findings) - len(found.damage)
    left_over = f", {count(clutter, 'file')} left over" if clutter else ""
    rows.append(
        f"{count(found.shards, 'shard')} {how}, {size(found.bytes)} in {duration(found.seconds)}: {damage}{left_over}."
    )
    if found.set_aside:
        rows.append(f"{count(len(found.set_aside), 'shard')} set aside; dsfu-pipeline run makes them again.")
    return "\n".join(rows)


def _garbage_text(garbage: "Garbage", store: str, *, removed: bool) -> str:
    from dsfu.words import count, size

    rows = [f"  {count(files, 'file')} {why}, {size(bytes_)}" for why, (files, bytes_) in garbage.by_reason().items()]
    if garbage.kept:
        rows.append(f"  {count(len(garbage.kept), 'shard')} still in the arrays, though not asked for: run first")
    if garbage.spared:
        rows.append(f"  {count(garbage.spared, 'file')} left alone, as somebody is writing to the store")
    if not garbage.files:
        return "\n".join(["There is nothing to remove.", *rows])
    head = f"{'Removed' if removed else 'Can be removed'}: {count(len(garbage.files), 'file')}, {size(garbage.bytes)}"
    rows = [head, *rows]
    return "\n".join(rows if removed else [*rows, f"To remove it: dsfu-pipeline gc {store} --delete"])
