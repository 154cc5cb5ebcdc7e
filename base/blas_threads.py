"""One thread for the matrix products of numpy and scipy, while many small ones are made.

OpenBLAS shares even small products among all cores, and its threads wait in a loop for one another: with other work on
the machine that takes several times as long as one thread alone.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LOADED: Final = Path("/proc/self/maps")
_PREFIXES, _SUFFIXES = ("scipy_openblas", "openblas"), ("", "64_")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One thread in every OpenBLAS that is loaded now, and as many as before at the end. Does nothing but on Linux."""
    before = [(library, name, getattr(library, _named(name, "get"))()) for library, name in _libraries()]
    try:
        for library, name, _ in before:
            getattr(library, _named(name, "set"))(1)
        yield
    finally:
        for library, name, threads in before:
            getattr(library, _named(name, "set"))(threads)


def blas_threads() -> list[int]:
    """How many threads each OpenBLAS that is loaded uses."""
    return [int(getattr(library, _named(name, "get"))()) for library, name in _libraries()]


def _named(name: tuple[str, str], what: str) -> str:
    return f"{name[0]}_{what}_num_threads{name[1]}"


def _libraries() -> list[tuple[ctypes.CDLL, tuple[str, str]]]:
    """Each OpenBLAS, and what stands before and after the names of its functions: builds differ."""
    try:
        paths = {line.split(maxsplit=5)[5].strip() for line in _LOADED.open() if "openblas" in line.lower()}
    except (OSError, IndexError):
        return []
    found = []
    for path in sorted(paths):
        try:
            library = ctypes.CDLL(path)
        except OSError:  # a file that was replaced since it was loaded, or no library
            continue
        names = [(prefix, suffix) for prefix in _PREFIXES for suffix in _SUFFIXES]
        found += [(library, name) for name in names if hasattr(library, _named(name, "set"))][:1]
    return found
