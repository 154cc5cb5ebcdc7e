"""Stopping when asked to."""

import os
import signal

import pytest

from dsfu.pipeline.running.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_insists(number):
    told: list[str] = []
    before = signal.getsignal(number)
    with Interruption(lambda: told.append("asked")) as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert told == ["asked"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
