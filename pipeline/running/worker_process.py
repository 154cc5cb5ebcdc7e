"""What a worker process of a local cluster does first: see to it that it ends with its parent, and serve no pages.

A Dask preload module.
"""

import ctypes
import signal
import sys
from typing import Any, Final

from dsfu.cluster.dashboard import close_pages

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends (Linux).

    Dask's own watch for the parent is a Python thread, and must wait for a kernel that does not let go of the
    interpreter; meanwhile the next run could start on the same store.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def dask_setup(worker: Any) -> None:
    die_with_parent()
    close_pages(worker)
