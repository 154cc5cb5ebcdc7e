"""Stopping when asked to: the first Ctrl-C, SIGTERM or SIGHUP asks for a clean end, a second one insists."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class Interruption:
    """While entered, is true once the process has been asked to stop.

    Parameters
    ----------
    on_first
        Called at the first request, to say what happens now.
    """

    def __init__(self, on_first: Callable[[], None] = lambda: None) -> None:
        self._asked = False
        self._on_first = on_first
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        return self._asked

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._ask) for each in _SIGNALS if not _is_told_to_go_on(each)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._on_first()


def _is_told_to_go_on(number: signal.Signals) -> bool:
    """Whether who started us, ``nohup`` say, wants no end at a hang-up."""
    return number not in (signal.SIGINT, signal.SIGTERM) and signal.getsignal(number) is signal.SIG_IGN
