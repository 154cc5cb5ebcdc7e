"""What a batch job runs: Dask's worker, listening on the address where the driver reaches it and on no other.

    python -m dsfu.cluster.worker tls://DRIVER:PORT --key FILE [options of `dask worker`]

Also a Dask preload module: workers serve no pages.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsfu.cluster.dashboard import close_pages


def arguments_of(given: Sequence[str]) -> list[str]:
    """What ``dask worker`` is told: the run's key in all its roles, and the host to listen on if no interface is."""
    from distributed.comm.addressing import get_address_host
    from distributed.utils import get_ip

    at = given.index("--key")
    key = _here(given[at + 1])
    told = [*given[:at], *given[at + 2 :], "--tls-ca-file", key, "--tls-cert", key, "--tls-key", key]
    told += ["--preload", "dsfu.cluster.worker", "--worker-class", "dsfu.cluster.leaving.LeavingWorker"]
    return told if "--interface" in told else [*told, "--host", get_ip(get_address_host(given[0]))]


def _here(file: str) -> str:
    """A file, or the copy of it that HTCondor has brought to a node that does not see its folder."""
    folder = os.environ.get("_CONDOR_SCRATCH_DIR")
    copy = Path(folder or "") / Path(file).name
    return str(copy) if folder and copy.exists() and not Path(file).exists() else file


def dask_setup(worker: Any) -> None:
    close_pages(worker)


def main() -> None:
    from distributed.cli.dask_worker import main as dask_worker

    dask_worker(arguments_of(sys.argv[1:]))


if __name__ == "__main__":
    main()
