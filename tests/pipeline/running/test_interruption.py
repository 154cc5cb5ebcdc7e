"""Stopping when asked to."""

import os
import signal

import pytest

from dsfu.pipeline.running.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_and_the_second_insists(number, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    if number == signal.SIGHUP:  # the tests themselves may have been started with nohup
        monkeypatch.setattr("dsfu.pipeline.running.interruption._is_told_to_go_on", lambda _: False)
    before = signal.getsignal(number)
    with Interruption(lambda: told.append("asked")) as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert told == ["asked"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_who_was_started_with_nohup_goes_on():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
    finally:
        signal.signal(signal.SIGHUP, before)
