"""Attack a small store in every way that is known, and count what was told, healed and left alone.

    python -m tests.benchmarks.attack [--each 8] [--kills 10]

A corruption is *told* if ``verify`` finds damage, and *healed* if the next run gives the store back, file by file. A
kill is survived if the next run gives the same store. Links, foreign folders and bombs: nothing of anyone's is touched,
and bombs are refused within a second.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dsfu.errors import InputError
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.gc import collect_garbage
from dsfu.pipeline.store.sealed import seal
from dsfu.pipeline.store.verify import verify_store
from dsfu.simulate.own_species import read_species
from tests.pipeline.tiny import checksums, manifest_text, tiny

WANTED = tiny(1)
FILES = {
    "planes": "*/form_factor/c/*/0/0",
    "record": "objects/*/*/record.npz",
    "sets": "objects/*/*/sets.npz",
    "masks": "objects/*/*/masks.npz",
    "entry": "ledger/??/*.json",
    "state": "state.json",
    "placement": "placement.json",
    "metadata": "**/zarr.json",
    "chunk": "*/*/c/0",
}


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    _put(path, bytes(data))


def truncate(path: Path, rng: random.Random) -> None:
    _put(path, path.read_bytes()[: rng.randrange(path.stat().st_size)])


def zeros(path: Path, _: random.Random) -> None:
    _put(path, bytes(path.stat().st_size))


def lose(path: Path, _: random.Random) -> None:
    path.unlink()


def folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path, _: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def forge(path: Path, rng: random.Random) -> None:
    """Sealed, and wrong."""
    values = [["a", "list"], {"key": 3}, {"arrays": {"../x": ["../y"]}}, {"objects": {"../../x": {"bytes": 1e99}}}]
    _put(path, seal(rng.choice(values)))  # type: ignore[arg-type]


def deep(path: Path, _: random.Random) -> None:
    _put(path, b'{"checksum":0,"sealed":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")


HARMS: tuple[Callable[[Path, random.Random], None], ...] = (flip, truncate, zeros, lose, folder, pipe, forge, deep)


def _put(path: Path, data: bytes) -> None:
    """Write without a trace in the time."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def run(store: Path) -> int:
    return run_store(WANTED, open_files(store), engine=InThisProcess, reporter=SilentReporter()).exit_status


def corruptions(whole: Path, each: int, rng: random.Random) -> None:
    expected = checksums(whole)
    print(f"{'corruption of':<14}{'cases':>6}{'told':>6}{'healed':>8}{'errors':>8}", flush=True)
    total = [0, 0, 0, 0]
    for first, (name, pattern) in enumerate(FILES.items()):
        counts = [0, 0, 0, 0]
        for number in range(first, first + each):
            store = _copy(whole)
            found = sorted(path for path in store.glob(pattern) if path.is_file() and path.name != "manifest.json")
            path = rng.choice(found)
            HARMS[number % len(HARMS)](path, rng)
            counts[0] += 1
            try:
                counts[1] += bool(verify_store(open_files(store), mark=True).damage)
                status = run(store)
                counts[2] += status == 0 and checksums(store) == expected
            except Exception as error:  # what a user would see as a traceback
                counts[3] += 1
                print(f"  {path.relative_to(store)}, {HARMS[number % len(HARMS)].__name__}: {error!r}"[:300])
            shutil.rmtree(store.parent)
        print(f"{name:<14}" + "".join(f"{c:>{w}}" for c, w in zip(counts, (6, 6, 8, 8), strict=True)), flush=True)
        total = [a + b for a, b in zip(total, counts, strict=True)]
    print(f"{'all':<14}" + "".join(f"{c:>{w}}" for c, w in zip(total, (6, 6, 8, 8), strict=True)))


def kills(whole: Path, number: int, rng: random.Random) -> None:
    expected, survived, hit = checksums(whole), 0, 0
    for _ in range(number):
        parent = Path(tempfile.mkdtemp())
        manifest = parent / "tiny.yaml"
        manifest.write_text(manifest_text(1))
        command = [sys.executable, "-m", "dsfu.pipeline.cli", "run", str(manifest), "--store", str(parent / "store")]
        process = subprocess.Popen([*command, "--scheduler", "sync", "-q"], stdout=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0.5, 5.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            hit += 1
        survived += run(parent / "store") == 0 and checksums(parent / "store") == expected
        shutil.rmtree(parent)
    print(f"kills: {number} runs, {hit} of them killed at some moment; {survived} gave the same store in the end")


def links(whole: Path) -> None:
    places = ("objects/zz", "ledger/zz", "train/photos", "train/form_factor/c/77", "masks/x", "locks/x")
    kept = 0
    for place in places:
        store = _copy(whole)
        home = store.parent / "home"
        (home / "deep").mkdir(parents=True)
        for name in ("letter.txt", "deep/letter.txt", "zarr.json"):
            (home / name).write_text(name)
        before = checksums(home)
        (store / place).symlink_to(home, target_is_directory=True)
        run(store)
        collect_garbage(open_files(store), {spec.key for spec in WANTED.expected.specs})
        kept += checksums(home) == before
        shutil.rmtree(store.parent)
    print(f"links: {len(places)} to somebody's folder, run and gc --delete: {kept} left as they were")


def foreign(whole: Path) -> None:
    names = ("train/photos/a.jpg", "zarr.json", "objects/mine/a", "ledger/2025.csv", "notes.txt", "masks/bits/c/0/0/0")
    refused = spared = 0
    for name in names:
        parent = Path(tempfile.mkdtemp())
        (parent / name).parent.mkdir(parents=True, exist_ok=True)
        (parent / name).write_text("mine")
        try:
            run(parent)
        except InputError:
            refused += [path.name for path in parent.rglob("*") if path.is_file()] == [Path(name).name]
        store = _copy(whole)
        if not (store / name).exists():
            (store / name).parent.mkdir(parents=True, exist_ok=True)
            (store / name).write_text("mine")
            run(store)
            collect_garbage(open_files(store), {spec.key for spec in WANTED.expected.specs})
            spared += (store / name).read_text() == "mine"
        else:
            spared += 1
        shutil.rmtree(parent)
        shutil.rmtree(store.parent)
    print(f"foreign folders: {len(names)}, {refused} refused with nothing written; files of others in a store: "
          f"{spared} of {len(names)} stayed")  # fmt: skip


def bombs() -> None:
    parent, most, refused = Path(tempfile.mkdtemp()), 0.0, 0
    texts = {
        "claim.xyz": "1000000000000\nx\nH 0 0 0\n",
        "many.xyz": "30000\n\n" + "".join(f"H {i} 0 0\n" for i in range(30_000)),
        "huge.xyz": " " * (9 * 2**20),
        "POSCAR": "x\n1.0\n9 0 0\n0 9 0\n0 0 9\nH\n100000000000\nDirect\n0 0 0\n",
    }
    from ase.io import read  # noqa: F401 -- imported first, so that the time is that of the refusal

    for name, text in texts.items():
        (parent / name).write_text(text)
        start = time.process_time()
        try:
            read_species(parent / name, "bomb", 0, cell_lengths=(9.0, 9.0, 9.0))
        except ValueError:
            refused += 1
        most = max(most, time.process_time() - start)
    shutil.rmtree(parent)
    print(f"bombs in structure files: {len(texts)}, {refused} refused, the slowest in {most:.2f} s of processor time "
          "(those in records: tests/pipeline/store/test_archives.py)")  # fmt: skip


def _copy(whole: Path) -> Path:
    target = Path(tempfile.mkdtemp()) / "store"
    shutil.copytree(whole, target)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=16, help="corruptions of each kind of file")
    parser.add_argument("--kills", type=int, default=10)
    chosen = parser.parse_args()
    rng = random.Random(2026)
    with tempfile.TemporaryDirectory() as parent:
        whole = Path(parent) / "store"
        assert run(whole) == 0
        links(whole)
        foreign(whole)
        bombs()
        corruptions(whole, chosen.each, rng)
        kills(whole, chosen.kills, rng)


if __name__ == "__main__":
    main()
