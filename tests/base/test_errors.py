import pickle

import pytest

from dsfu.errors import InputError, did_you_mean, near_miss, refuse_unknown


def test_an_error_is_its_own_finished_text() -> None:
    error = InputError("disk is full", where="/data", excerpt="  1 | x", expected="3 GB", remedy="free some")
    assert str(error) == "/data: disk is full\n  1 | x\n  expected: 3 GB\n  remedy: free some"
    assert str(InputError("disk is full")) == "disk is full"
    assert error.problems == (error,)


def test_errors_together_are_flat_and_in_order() -> None:
    first, second, third = (InputError(word, where=f"line {n}") for n, word in enumerate("abc"))
    inner = InputError.together([first, second], where="x")
    whole = InputError.together([inner, third], where="m.yaml")
    assert whole.problems == (first, second, third)
    assert str(whole) == "m.yaml: 3 mistakes\n\nline 0: a\n\nline 1: b\n\nline 2: c"


def test_one_error_together_is_that_one() -> None:
    error = InputError("a")
    assert InputError.together([error], where="m.yaml") is error


def test_errors_travel_between_processes() -> None:
    error = InputError("a", where="b", position=(3, 4), remedy="c")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.what, again.where, again.position, again.remedy) == (str(error), "a", "b", (3, 4), "c")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("bank_sise", "bank_size"), ("BANK_SIZE", "bank_size"), ("Targets", "targets"), ("q", None), ("", None)],
)
def test_near_misses(word: str, expected: str | None) -> None:
    assert near_miss(word, ["bank_size", "targets", "box"]) == expected


def test_of_equally_near_words_the_one_that_begins_alike_is_meant() -> None:
    assert near_miss("mmn", ["mmm", "pmm", "m-3"]) == "mmm"
    assert near_miss("pmn", ["mmm", "pmm", "m-3"]) == "pmm"


def test_near_misses_of_endless_words_take_no_time() -> None:
    assert near_miss("x" * 10**6, ["bank_size"] * 100) is None
    assert near_miss("a", []) is None


def test_an_unknown_name_is_told_with_those_known_and_the_one_that_was_meant() -> None:
    refuse_unknown("box", ["box", "targets"])
    with pytest.raises(InputError) as error:
        refuse_unknown("target", ["box", "targets"], "settings")
    assert str(error.value).startswith("settings: target is not known; did you mean targets?")
    assert "box, targets" in str(error.value)
    assert did_you_mean("zzz", ["box"]) == ""
