"""Being asked to stop: by a scheduler before the walltime, by an administrator, or by Ctrl-C."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self, TypeVar

SIGNALS: Final = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)

T = TypeVar("T")


class _Asked(BaseException):
    """Leaves work that may be broken off, through whatever catches errors."""


class StopRequests:
    """While in the block, signals are noted and nothing else happens; a second Ctrl-C interrupts as ever.

    Attributes
    ----------
    received
        Name of the first signal; empty as long as there was none.
    """

    def __init__(self) -> None:
        self.received = ""
        self._before: dict[signal.Signals, Any] = {}
        self._breaks_off = False

    def unless_asked(self, work: Callable[[], T]) -> T | None:
        """What ``work`` returns; None if a stop was asked for, which breaks it off. It must not change anything."""
        try:
            self._breaks_off = True
            result = None if self.received else work()
            self._breaks_off = False  # here, not outside: what is raised until now is caught below
        except _Asked:
            return None
        finally:
            self._breaks_off = False
        return result

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
            self._before = {each: signal.signal(each, self._note) for each in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number).name
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._breaks_off:
            self._breaks_off = False
            raise _Asked
