"""The last words of a run."""

import shlex
from typing import Any, Final

from dsfu.pipeline.running.run import RunResult
from dsfu.words import count, duration, rate, size, usable

_MOST_FAILURES: Final = 10


def summary_dict(result: RunResult) -> dict[str, Any]:
    """A run's result for programs."""
    closing = result.closing
    return {
        "exit_status": result.exit_status,
        "store": result.store,
        "made": result.made,
        "present_before": result.present,
        "failed": [
            {"shard": each.identity, "key": each.key, "error": each.error, "attempts": each.attempts}
            for each in result.failures
        ],
        "untried": result.untried,
        "items_made": dict(result.items_made),
        "bytes_made": result.bytes_made,
        "seconds": round(result.seconds, 3),
        "samples_per_second": result.samples_per_second,
        "samples": dict(closing.samples) if closing else None,
        "kept": dict(closing.kept) if closing else None,
        "interrupted": result.interrupted,
        "trouble": result.trouble,
    }


def summary_text(result: RunResult, run_again: str) -> str:
    """A run's result for people.

    Parameters
    ----------
    run_again
        The command that goes on with this run.
    """
    rows = [_headline(result), f"  made          {_made(result)}"]
    rows += [f"  there before  {count(result.present, 'shard')}"] if result.present else []
    rows += [f"  failed        {count(len(result.failures), 'shard')}"] if result.failures else []
    rows += [f"  still to make {count(result.untried, 'shard')}"] if result.untried else []
    rows += [f"  store         {result.store}{'' if result.closing else ' (not closed)'}", *_samples(result)]
    rows += [f"  next          {_next(result, run_again)}"]
    return "\n".join(rows + _failures(result))


def _headline(result: RunResult) -> str:
    after = f"after {duration(result.seconds)}"
    if result.interrupted:
        return f"Stopped {after}; nothing that was made is lost."
    if result.trouble:
        return f"Cut short {after}: {result.trouble}. Nothing that was made is lost."
    if result.failures:
        return f"Done {after}, but for {count(len(result.failures), 'shard')} that could not be made."
    whole = f"Part {result.part} is done" if result.part else "Done"
    return f"{whole} {after}." if result.made else "Nothing was missing."


def _made(result: RunResult) -> str:
    told = count(result.made, "shard")
    if result.made:
        told += f", {size(result.bytes_made)}"
    if result.samples_made:
        told += f", {count(result.samples_made, 'sample')}"
    if result.samples_per_second:
        told += f" at {rate(result.samples_per_second, 'samples')}"
    return told


def _samples(result: RunResult) -> list[str]:
    if result.closing is None:
        return []
    return [
        f"    {split:<12}{usable(result.closing.kept[split], samples, result.left_out)}"
        for split, samples in result.closing.samples.items()
    ]


def _next(result: RunResult, run_again: str) -> str:
    if result.part and not result.exit_status:
        return f"when all {result.part.partition('/')[2]} parts are done: dsfu-pipeline close"
    return run_again if result.exit_status else f"dsfu-pipeline report {shlex.quote(result.store)}"


def _failures(result: RunResult) -> list[str]:
    if not result.failures:
        return []
    shown = result.failures[:_MOST_FAILURES]
    rows = ["What could not be made:"]
    rows += [f"  {each.identity}: {each.error} ({count(each.attempts, 'attempt')})" for each in shown]
    if len(result.failures) > len(shown):
        rows.append(f"  and {count(len(result.failures) - len(shown), 'more', 'more')}")
    return [*rows, f"Their tracebacks: dsfu-pipeline status {shlex.quote(result.store)} --failures"]
