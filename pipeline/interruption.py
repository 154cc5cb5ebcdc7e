"""Stopping when asked to: the first Ctrl-C or SIGTERM asks for a clean end, a second one insists."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, is true once the process has been asked to stop.

    Parameters
    ----------
    on_first
        Called at the first request, with its name: to say what happens now.
    """

    def __init__(self, on_first: Callable[[str], None] = lambda name: None) -> None:
        self._asked_by: signal.Signals | None = None
        self._on_first = on_first
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        return self._asked_by is not None

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._ask) for each in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked_by is not None:
            raise KeyboardInterrupt
        self._asked_by = signal.Signals(number)
        self._on_first(self._asked_by.name)
