"""A client that was left does not hold up whoever starts the next one."""

import faulthandler

from distributed import LocalCluster
from distributed.utils import LoopRunner

from dsfu.pipeline.running.dask_client import OwnClient


def test_collecting_a_client_that_was_not_closed_waits_for_no_lock():
    """Dask's own client stands still here, as the start of a cluster once did that happened to collect one."""
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster:
        client = OwnClient(cluster, set_as_default=False)
        faulthandler.dump_traceback_later(60, exit=True)
        try:
            with LoopRunner._lock:
                client.__del__()
        finally:
            faulthandler.cancel_dump_traceback_later()
        assert client.status == "running"
        client.close()
        assert client.status == "closed"
