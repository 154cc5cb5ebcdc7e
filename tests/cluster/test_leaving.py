"""Workers of batch jobs that leave in time: nothing that they were making counts as a failure."""

import asyncio
import time

import pytest
from distributed import Client, Scheduler, Worker

from dsfu.cluster import leaving
from dsfu.cluster.leaving import LeavingWorker


def slowly(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


async def leaves_alone(kind: type[Worker], *, fetched: bool) -> str:
    """How a task ends whose worker leaves while it is made, with no other worker there to take results over."""
    async with Scheduler(dashboard=False, port=0) as scheduler:
        scheduler.allowed_failures = 0
        async with Client(scheduler.address, asynchronous=True) as client:
            async with kind(scheduler.address, nthreads=1) as worker:
                first = client.submit(slowly, 0.0)
                await first
                if fetched:
                    first.release()
                second = client.submit(slowly, 1.0)
                while not worker.state.executing_count:
                    await asyncio.sleep(0.01)
                await worker.close_gracefully(reason="worker-lifetime-reached")
            async with Worker(scheduler.address, nthreads=1):
                await second._state.wait()
                return str(second.status)


@pytest.mark.parametrize("fetched", [True, False], ids=["fetched", "unfetched"])
def test_the_last_worker_leaves_without_blame(monkeypatch, fetched):
    """Of Dask's own worker the task ends as an error where a result was not fetched."""
    monkeypatch.setattr(leaving, "_BETWEEN_TRIES_SECONDS", 0.01)
    assert asyncio.run(leaves_alone(LeavingWorker, fetched=fetched)) == "finished"
