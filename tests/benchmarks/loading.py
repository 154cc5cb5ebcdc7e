"""How fast samples come, against what a training step takes: python tests/benchmarks/loading.py STORE [STORE ...]

Each store is measured as it is: planes are read where they are stored, and fresh ones are made from the parameters of
any store. One thread computes; workers are further threads, which read and draw ahead. Ratios compare the processor's
time for a plane, which other work on the machine disturbs less than the clock's, with that of a training step of the
network `dsfu` (forward, backward and optimiser) in the same run.
"""

import argparse
import os
from collections.abc import Iterator
from time import perf_counter, process_time

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from torch.nn import functional

from dsfu.model.networks.build import build
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.shards import open_store
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig, DataConfig
from dsfu.model.problems.disorder.training.sources import open_source

BATCH = 16


def measured(batches: Iterator[Batch], count: int) -> tuple[float, float]:
    """Seconds of the clock, and of the processor, for each plane."""
    clock, processor = perf_counter(), process_time()
    planes = sum(len(next(batches)) for _ in range(count))
    return (perf_counter() - clock) / planes, (process_time() - processor) / planes


def endless(url: str, config: DataConfig) -> Iterator[Batch]:
    source = open_source(url, "train", config, batch_size=BATCH, seed=0)
    while True:
        yield from source.batches()


def training_step(url: str, pixels: int, count: int) -> float:
    """Seconds of the processor for each plane."""
    batch = next(endless(url, DataConfig(pixels=pixels, workers=0)))
    network = build("dsfu")
    optimiser = torch.optim.AdamW(network.parameters())
    times = []
    for _ in range(count + 1):
        start = process_time()
        form_factor, sro = network(batch.intensity, batch.live)
        loss = functional.l1_loss(form_factor, batch.form_factor.sqrt()) + functional.l1_loss(sro, batch.sro.sqrt())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        times.append(process_time() - start)
    return min(times[1:]) / BATCH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="+")
    parser.add_argument("--pixels", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--batches", type=int, default=12)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for pixels in arguments.pixels:
        step = training_step(arguments.stores[0], pixels, 2)
        print(f"\n{pixels} × {pixels}: a training step takes {step * 1e3:.0f} ms of the processor a plane")
        print(f"{'':52} planes/s  CPU ms/plane  × training")
        for url in arguments.stores:
            is_stored = open_store(url).split("train").materialised
            for source in ("store", "synthesis") if is_stored else ("synthesis",):
                for augment, name in ((AugmentConfig(), "dead zones only"), (AS_MEASURED, "all effects")):
                    for workers in (0, 1, 2) if augment is not AS_MEASURED else (0,):
                        # A buffer of about a pair, so that what is read is what is taken.
                        config = DataConfig(
                            source=source, pixels=pixels, workers=workers, augment=augment, buffer_planes=200
                        )
                        count = arguments.batches * (4 if source == "store" else 1)
                        clock, processor = measured(endless(url, config), count)
                        what = f"{'read' if source == 'store' else 'made'}, {name}, {workers} workers, {url[-12:]}"
                        print(
                            f"{what:52} {1 / clock:8.0f}  {processor * 1e3:12.2f}  {step / processor:10.1f}", flush=True
                        )


if __name__ == "__main__":
    main()
