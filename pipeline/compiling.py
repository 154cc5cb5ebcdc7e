"""Which kernels were compiled on this machine before: a first run waits for those that were not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


def compiled_before(module: str) -> bool:
    """Whether there is compiled code of a module, in any of the folders in which Numba may keep it."""
    package, _, name = module.rpartition(".")
    index = f"{name}.*.nbi"
    inside = f"{package.rpartition('.')[2]}_*/{index}"
    elsewhere = os.environ.get("NUMBA_CACHE_DIR")
    if elsewhere:
        return any(Path(elsewhere).glob(inside))
    found = find_spec(package)
    beside = [Path(folder) / "__pycache__" for folder in (found and found.submodule_search_locations) or ()]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"
    return any(any(folder.glob(index)) for folder in beside) or any(home.glob(inside))


@contextmanager
def compilations() -> Iterator[list[float]]:
    """Seconds of each kernel that is compiled meanwhile; there are none of one that was compiled before."""
    from numba.core.event import install_timer

    seconds: list[float] = []
    with install_timer("numba:compile", seconds.append):
        yield seconds
