"""How fast a closed store is read: python tests/benchmarks/reading.py STORE [--processes 4]

One core, in seconds of the processor, which other work on the machine disturbs less than those of the clock. Everything
is in the cache of the operating system, as it is after the first epoch of a training. "The bytes" is the reading of a
file and nothing else, "and LZ4" Blosc's decompression of each plane into memory that is used again. Several processes
read other samples each at the same time; what each takes of the processor is held against one of them alone.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier
from time import process_time

for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import zarr
from numcodecs import blosc

from dsfu.model.problems.disorder.data.shards import open_store
from dsfu.pipeline.problems.disorder.recompute import Recomputer


def seconds(action: Callable[[], object], repeats: int = 7) -> float:
    """The best of several."""
    action()
    times = []
    for _ in range(repeats):
        start = process_time()
        action()
        times.append(process_time() - start)
    return min(times)


class Floor:
    """What a shard costs at least."""

    def __init__(self, paths: Sequence[str], planes: int, pixels: int) -> None:
        self._paths, self._planes = paths, planes
        self._out = np.empty((planes, pixels, pixels), np.uint16)

    def read(self) -> list[bytes]:
        return [Path(path).read_bytes() for path in self._paths]

    def read_and_decompress(self) -> None:
        for data in self.read():
            view = memoryview(data)
            index = np.frombuffer(data[-16 * self._planes - 4 : -4], "<u8").reshape(-1, 2)
            for plane, (start, size) in zip(self._out, index.tolist(), strict=True):
                blosc.decompress(view[start : start + size], plane)


def samples_at_once(url: str, processes: int) -> list[float]:
    """Seconds of the processor that a sample takes each of several processes that start in the same moment."""
    context = get_context("spawn")
    barrier = context.Barrier(processes)
    with context.Pool(processes, initializer=_share, initargs=(barrier,)) as pool:
        each = pool.starmap(_own_samples, [(url, seed) for seed in range(processes)], chunksize=1)
        pool.close()
        pool.join()
    return each


def _share(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _own_samples(url: str, seed: int) -> float:
    split = open_store(url).split("train")
    some = np.random.default_rng(seed).integers(0, len(split), 200).tolist()
    _together.wait()
    return seconds(lambda: [split.sample(i) for i in some]) / len(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--processes", type=int, default=4)
    options = parser.parse_args()
    url = options.store
    split = open_store(url).split("train")
    count, pixels = split.planes_per_pair, split.pixels
    some = np.random.default_rng(0).integers(0, len(split), 50).tolist()
    arrays = [zarr.open_array(url, path=f"train/{name}", mode="r") for name in ("form_factor", "sro")]
    recomputer = Recomputer(url)
    rows = slice(0, count)
    floor = Floor([f"{url}/train/{name}/c/0/0/0" for name in ("form_factor", "sro")], count, pixels)
    per_sample = {
        "a shard: the bytes": seconds(floor.read) / count,
        "a shard: the bytes, and LZ4": seconds(floor.read_and_decompress) / count,
        "zarr-python, one sample": seconds(lambda: [array[i] for i in some for array in arrays]) / len(some),
        "planes(i)": seconds(lambda: [split.planes(i) for i in some]) / len(some),
        "sample(i), normalised and masked": seconds(lambda: [split.sample(i) for i in some]) / len(some),
        "zarr-python, a shard": seconds(lambda: [array[rows] for array in arrays]) / count,
        "shard(j)": seconds(lambda: split.shard(0)) / count,
        "samples_of_shard(j)": seconds(lambda: split.samples_of_shard(0)) / count,
        "recomputed, one by one": seconds(lambda: [recomputer("train", i) for i in some], 3) / len(some),
    }
    reference = {"planes(i)": "zarr-python, one sample", "shard(j)": "zarr-python, a shard"}
    print(f"{url}: {len(split)} samples of 2 planes of {pixels} × {pixels}, {count} a pair")
    print(f"{'':34} ms/sample  samples/s  MB/s  of the floor  × zarr-python")
    least = per_sample["a shard: the bytes, and LZ4"]
    for what, time in per_sample.items():
        ratio = f"{per_sample[reference[what]] / time:10.1f}" if what in reference else ""
        print(
            f"{what:34} {time * 1e3:9.3f} {1 / time:10.0f} {4 * pixels**2 / time / 1e6:5.0f} "
            f"{least / time:12.0%} {ratio}"
        )
    alone, *_ = samples_at_once(url, 1)
    together = samples_at_once(url, options.processes)
    each_alone = ", ".join(f"{each * 1e3:.3f}" for each in together)
    ratio = sum(together) / len(together) / alone
    print(f"sample(i) in 1 process: {alone * 1e3:.3f} ms of the processor; ", end="")
    print(f"in {options.processes} at once: {each_alone} (× {ratio:.2f})")


if __name__ == "__main__":
    main()
