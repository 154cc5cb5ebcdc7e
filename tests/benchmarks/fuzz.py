"""Feed both programs files that are nearly right, and count what they do not take calmly.

    python -m tests.benchmarks.fuzz [--minutes 10] [--seed 0] [--only manifest,cif] [--keep FOLDER]

A case is calm if the program ends in time with one of its exit statuses that are not "unexpected" (1), without a
traceback. What is not calm is printed with its last line, and kept with the file that did it.
"""

import argparse
import contextlib
import faulthandler
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil
import yaml

from tests.benchmarks.fuzz_files import Target, seeds

TAKEN, REFUSED = {0, 3}, {2, 4}
PATIENCE_SECONDS = 60
"""Of the processor, so that other work on the machine makes no hangs."""
ASLEEP_SECONDS = 60
"""By the clock, without any use of the processor: a child that waits for ever. One that is starved gets a little."""
MEMORY_BYTES = 12 * 2**30


def one(target: Target, folder: Path, seed: int | None) -> tuple[str, list[str]]:
    """Harm the file of a target, run its command in a child, and say how it ended: ``calm``, or what it was instead.

    Without a seed the file stays whole.
    """
    harmed = folder / target.seed.name
    if target.seed.is_dir():
        shutil.copytree(target.seed, harmed)
    else:
        shutil.copyfile(target.seed, harmed)
    with contextlib.suppress(OSError, KeyError, TypeError, ValueError, yaml.YAMLError):  # half harmed is harmed too
        if seed is not None:
            target.harm(harmed, random.Random(seed))
    words = [str(harmed) if word == "FILE" else word for word in target.command]
    child = os.fork()
    if not child:
        _be_the_program(words, folder)
    return _how_it_ended(child, folder), words


def _be_the_program(words: Sequence[str], folder: Path) -> None:
    """In the child: a program of its own, as from a shell."""
    os.chdir(folder)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE_SECONDS, PATIENCE_SECONDS + 1))
    faulthandler.enable(sys.__stderr__)
    for asked in (signal.SIGUSR1, signal.SIGXCPU):
        faulthandler.register(asked, sys.__stderr__)
    sys.argv = [f"dsfu-{words[0]}", *words[1:]]
    status = 1
    try:
        if words[0] == "model":
            from dsfu.model.cli import main
        else:
            from dsfu.pipeline.cli import main
        main()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else bool(leaving.code)
    except BaseException as error:
        print(f"escaped: {error!r}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _how_it_ended(child: int, folder: Path) -> str:
    process, used_before, since = psutil.Process(child), 0.0, time.monotonic()
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            told = (folder / "stderr").read_text(errors="replace") if (folder / "stderr").exists() else ""
            if code == -signal.SIGKILL and used.ru_utime + used.ru_stime >= PATIENCE_SECONDS:
                return f"hangs: {PATIENCE_SECONDS} s of the processor"
            if code in TAKEN | REFUSED and "Traceback" not in told:
                return "calm, taken" if code in TAKEN else "calm"
            return f"status {code}: {' '.join(told.split())[:300]}"
        if time.monotonic() > since + ASLEEP_SECONDS:
            used_now = sum(process.cpu_times()[:2])
            if used_now == used_before:
                break
            used_before, since = used_now, time.monotonic()
        time.sleep(0.01)
    os.kill(child, signal.SIGUSR1)
    time.sleep(0.5)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return f"hangs: asleep for {ASLEEP_SECONDS} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="kinds of files, commas between them")
    parser.add_argument("--keep", type=Path, help="folder for what was not taken calmly")
    given = parser.parse_args()
    import dsfu.model.cli
    import dsfu.pipeline.cli  # noqa: F401  (children find it loaded)

    with tempfile.TemporaryDirectory() as parent:
        home = Path(parent) / "seeds"
        home.mkdir()
        wanted = set(given.only.split(",")) if given.only else set()
        targets = seeds(home, crystals=not wanted <= WITHOUT_CRYSTALS or not wanted)
        targets = {name: target for name, target in targets.items() if name in wanted or not wanted}
        case = Path(parent) / "case"
        for name, target in [(name, target) for name, own in targets.items() for target in own]:
            case.mkdir()
            how, words = one(target, case, None)
            if how != "calm, taken":
                raise RuntimeError(f"the whole file {name} is not taken by {' '.join(words)}: {how}")
            shutil.rmtree(case)
        counts: Counter[tuple[str, str]] = Counter()
        end, number = time.monotonic() + 60 * given.minutes, given.seed
        while time.monotonic() < end or number < given.seed + len(targets):
            name = list(targets)[number % len(targets)]
            target = targets[name][number // len(targets) % len(targets[name])]
            case.mkdir()
            how, words = one(target, case, number)
            kind = how if how.startswith("calm") else "hang" if how.startswith("hangs") else "other"
            counts[name, kind] += 1
            if not how.startswith("calm"):
                print(f"{name} {number}: {' '.join(words[:2])}: {how}", flush=True)
                if given.keep:
                    shutil.copytree(case, given.keep / f"{name}-{number}", dirs_exist_ok=True)
            shutil.rmtree(case, ignore_errors=True)
            number += 1
        print(f"{'file':<14}{'cases':>8}{'refused':>9}{'taken':>8}{'errors':>8}{'hangs':>7}")
        for name in [*targets, "all"]:
            row = [sum(n for (a, k), n in counts.items() if name in (a, "all") and k in kinds) for kinds in KINDS]
            print(f"{name:<14}" + "".join(f"{n:>{w}}" for n, w in zip((sum(row), *row), (8, 9, 8, 8, 7), strict=True)))


WITHOUT_CRYSTALS = {"manifest", "site", "config", "store", "pdf", "reflections", "powder"}
KINDS = ({"calm"}, {"calm, taken"}, {"other"}, {"hang"})

if __name__ == "__main__":
    main()
