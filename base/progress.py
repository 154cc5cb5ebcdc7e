"""How work that goes on is shown, on stderr: a line with a clock, bars on a terminal, lines now and then elsewhere."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

WIDE: Final = 92
"""Columns of a terminal that has room for a bar."""

_PATIENCE: Final = 1.0
"""Seconds before anything is shown: short work needs no line."""

_EVERY: Final = 0.5
_WIDTH: Final = 100
"""Columns of the line at most."""

Tell = Callable[[str], None]
Clock = Callable[[], float]


def is_watched() -> bool:
    """Whether somebody looks: a terminal, or a notebook's kernel."""
    if "ipykernel" in sys.modules:
        from IPython import get_ipython

        return get_ipython() is not None
    return sys.stderr.isatty()


@contextmanager
def waiting(title: str, tell: Tell | None = None) -> Iterator[Tell]:
    """Show a title, a clock, and the latest text that was told, until the block ends; then the line is taken away.

    Parameters
    ----------
    title
        What is being done.
    tell
        Who is told instead, if anybody. Else, where nobody looks, nothing is shown.
    """
    if tell is not None or not is_watched():
        yield tell or (lambda text: None)
        return
    line = _Line(title)
    try:
        yield line.tell
    finally:
        line.end()


@contextmanager
def counting(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A function that shows how many of how many are done, on a terminal; elsewhere it is silent."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    bars = ProgressBars()
    bars.add(what)
    bars.start()
    try:
        yield lambda done, total: bars.update(what, done, f"{done} of {total}", total=total)
    finally:
        bars.stop()


class PlainLines:
    """Lines for files and pipes. What is told all the time comes once in so many seconds."""

    def __init__(self, seconds: float, *, stream: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        self._seconds, self._stream, self._clock = seconds, stream, clock
        self._next = 0.0

    def later(self) -> None:
        """Leave out what is told all the time until so many seconds have passed."""
        self._next = self._clock() + self._seconds

    def due(self) -> bool:
        """Whether so many seconds have passed since the last time that they had."""
        if self._clock() < self._next:
            return False
        self.later()
        return True

    def say(self, text: str) -> None:
        """One line, at once."""
        stream = self._stream or sys.stderr
        stream.write(text + "\n")
        stream.flush()


class ProgressBars:
    """Bars on a terminal, one for each thing that is done, with words beside it; on a narrow one numbers alone.

    Parameters
    ----------
    clocks
        Whether the time that has gone and that is left is shown; for one bar whose words do not say it.
    """

    def __init__(self, *, clocks: bool = False) -> None:
        self._display = _display(clocks)
        self._tasks: dict[str, Any] = {}

    @property
    def wide(self) -> bool:
        """Whether there is room for bars."""
        return self._display.console.width >= WIDE

    def add(self, name: str, total: float | None = None, done: float = 0) -> None:
        """One more bar."""
        self._tasks[name] = self._display.add_task(name, total=total, said="")
        self._display.update(self._tasks[name], completed=done)

    def update(self, name: str, done: float, said: str, *, total: float | None = None) -> None:
        """How far one is, and the words beside it."""
        self._display.update(self._tasks[name], completed=done, said=said, total=total)

    def say(self, text: str) -> None:
        """A line above the bars, which stays."""
        self._display.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def start(self) -> None:
        self._display.start()

    def stop(self) -> None:
        self._display.stop()


def _display(clocks: bool) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    share = "{task.percentage:.1f} %" if clocks else "{task.percentage:>3.0f} %"
    columns: list[ProgressColumn] = [TextColumn("{task.description:<8}"), TextColumn(share)]
    if console.width >= WIDE:
        columns.insert(1, BarColumn(bar_width=min(40, console.width - 72)))
    if clocks:
        columns += [TimeElapsedColumn(), TimeRemainingColumn()]
    columns.append(TextColumn("{task.fields[said]}", markup=False))
    return Progress(*columns, console=console, refresh_per_second=4)


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
        width = min(_WIDTH, shutil.get_terminal_size().columns - 1)  # a line that fills the last column makes a new one
        sys.stderr.write(f"\r{text[:width]:<{width}}" + ("" if text else "\r"))
        sys.stderr.flush()
