"""Sentences are folded to the terminal; commands and what no terminal shows are not. Samples to use are counted."""

import io

import pytest

from dsfu.words import folded, folded_lines, usable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


SENTENCE = "note: " + "these data hardly tell a form factor from a background " * 3


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")


def test_long_lines_break_between_words_and_short_ones_stay() -> None:
    table = "1 0 0    6.100   -0.22006(13)"
    lines = folded_lines(f"{table}\n{SENTENCE}", stream=Terminal()).split("\n")
    assert lines[0] == table
    assert max(map(len, lines)) <= 50
    assert " ".join(line.strip() for line in lines[1:]) == SENTENCE.strip()
    assert all(line.startswith("  ") for line in lines[2:])


def test_a_command_stays_whole() -> None:
    command = "  remedy: dsfu-model inspect crystal.npy --cell a,b,c,alpha,beta,gamma --limits h,h,k,k,l,l"
    assert folded_lines(command, stream=Terminal()) == command


def test_files_and_pipes_get_lines_as_they_are() -> None:
    assert folded_lines(SENTENCE, stream=io.StringIO()) == SENTENCE


def test_what_follows_a_heading_stands_below_its_text() -> None:
    lines = folded(SENTENCE, "  note       ", stream=Terminal()).split("\n")
    assert all(line.startswith(" " * 13) for line in lines[1:])


def test_samples_that_are_not_to_be_used_are_told_with_the_reason() -> None:
    assert usable(3, 3, "repeat others") == "3 samples"
    assert usable(1, 3, "repeat others") == "1 sample to use, of 3: 2 repeat others"
