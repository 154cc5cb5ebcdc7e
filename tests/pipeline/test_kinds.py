"""Problems that are installed side by side have names, and kinds of shards, of their own."""

from types import SimpleNamespace
from typing import Any

import pytest

from dsfu.errors import InputError
from dsfu.pipeline import kinds
from dsfu.pipeline.kinds import Kind, every_kind, every_problem, kinds_of


def problem(name: str, *names_of_kinds: str) -> Any:
    made = [
        Kind(name=each, noun="item", words=each, science=1, make="m:f", seconds_per_item=1.0, bytes_per_item=1)
        for each in names_of_kinds
    ]
    return SimpleNamespace(name=name, kinds=tuple(made))


def test_no_two_problems_of_the_house_share_a_kind() -> None:
    assert len(every_kind()) == sum(len(each.kinds) for each in every_problem().values())


def test_a_kind_that_two_problems_have_is_refused() -> None:
    assert list(kinds_of([problem("sines", "waves"), problem("squares", "steps")])) == ["waves", "steps"]
    with pytest.raises(InputError) as told:
        kinds_of([problem("sines", "waves"), problem("squares", "steps", "waves")])
    text = str(told.value)
    assert "sines and squares both have a kind of shard called waves" in text
    assert "in the kinds of squares" in text


def test_two_problems_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [problem("sines", "waves"), problem("sines", "steps")]
    monkeypatch.setattr(kinds, "_found", lambda: iter(both))
    with pytest.raises(InputError, match="two problems that are installed are called sines"):
        every_problem.__wrapped__()
