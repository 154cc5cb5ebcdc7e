"""Say that work goes on: one line on a terminal or in a notebook, with what is done and a clock; silent elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE: Final = 1.0
"""Seconds before anything is shown: short work needs no line."""

_EVERY: Final = 0.5
_WIDTH: Final = 100

Tell = Callable[[str], None]


def is_watched() -> bool:
    """Whether somebody looks: a terminal, or a notebook's kernel."""
    if "ipykernel" in sys.modules:
        from IPython import get_ipython

        return get_ipython() is not None
    return sys.stderr.isatty()


@contextmanager
def waiting(title: str, *, shown: bool | None = None) -> Iterator[Tell]:
    """Show a title, a clock, and the latest text that was told, until the block ends; then the line is taken away.

    Parameters
    ----------
    title
        What is being done.
    shown
        Whether to show anything; None: where somebody looks.
    """
    if not (is_watched() if shown is None else shown):
        yield lambda text: None
        return
    line = _Line(title)
    try:
        yield line.tell
    finally:
        line.end()


class _Line:
    """The line and the thread that keeps its clock going."""

    def __init__(self, title: str) -> None:
        self._title, self._text, self._begun = title, "", time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tell(self, text: str) -> None:
        self._text = text

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        if time.monotonic() - self._begun > _PATIENCE:
            self._write("")

    def _run(self) -> None:
        if self._over.wait(_PATIENCE):
            return
        while True:
            parts = (self._title, f"{time.monotonic() - self._begun:.0f} s", self._text)
            self._write(" · ".join(part for part in parts if part))
            if self._over.wait(_EVERY):
                return

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text[:_WIDTH]:<{_WIDTH}}\r" if not text else f"\r{text[:_WIDTH]:<{_WIDTH}}")
        sys.stderr.flush()
