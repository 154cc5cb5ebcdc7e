"""The one error for bad input, wherever it comes from: what is wrong, where, what was expected, and what to do."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Final

MOST_SHOWN: Final = 20
"""Problems that are written out where there are several; of more, only the number is told."""

_LONGEST_WORD: Final = 80


class InputError(Exception):
    """Something that the user gave cannot be used. Its text is complete; command lines print it and exit with 2.

    Parameters
    ----------
    what
        What is wrong, in a sentence.
    where
        File and line, path, host or option that it concerns.
    position
        Line and column, from 1, where it is about a place in a file.
    excerpt
        The lines it is about, ready to be printed.
    expected
        What would have been right.
    remedy
        What to do now.

    Attributes
    ----------
    problems
        The errors that this one gathers (see `together`); otherwise itself alone.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        position: tuple[int, int] = (0, 0),
        excerpt: str = "",
        expected: str = "",
        remedy: str = "",
    ) -> None:
        self.what, self.where, self.position = what, where, position
        self.excerpt, self.expected, self.remedy = excerpt, expected, remedy
        self.problems: tuple[InputError, ...] = (self,)
        lines = [f"{where}: {what}" if where else what]
        lines += [excerpt] if excerpt else []
        lines += [f"  expected: {expected}"] if expected else []
        lines += [f"  remedy: {remedy}"] if remedy else []
        super().__init__("\n".join(lines))

    @classmethod
    def together(cls, problems: "Iterable[InputError]", *, where: str = "", further: int = 0) -> "InputError":
        """One error that tells several, in their order; of a single one, that one.

        ``further`` is the number of problems that are not among them, because nobody would read so many.
        """
        every = [each for problem in problems for each in problem.problems]
        number = len(every) + further
        if number == 1:
            return every[0]
        shown = [str(each) for each in every[:MOST_SHOWN]]
        if number > MOST_SHOWN:
            shown.append(f"… and {number - MOST_SHOWN} more")
        whole = cls("\n\n".join([f"{number} mistakes", *shown]), where=where)
        whole.problems = tuple(every)
        return whole


def near_miss(word: str, words: Iterable[str]) -> str | None:
    """The one of some words that was probably meant, if one is like it. Capitals make no difference.

    Of several that are equally like it the one that begins as it does: ``mmn`` is mmm and not pmm.
    """
    by_lower_case = {each.lower(): each for each in words}
    lower = word[:_LONGEST_WORD].lower()
    near: Sequence[str] = difflib.get_close_matches(lower, by_lower_case, 3, 0.6)

    def likeness(each: str) -> tuple[float, bool]:
        return difflib.SequenceMatcher(None, each, lower).ratio(), each[:1] == lower[:1]

    return by_lower_case[max(near, key=likeness)] if near else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """What ends a refusal of a word: the one of some words that was probably meant; nothing if none is like it."""
    near = near_miss(word, words)
    return f"; did you mean {near}?" if near else ""


def refuse_unknown(name: str, known: Collection[str], where: str = "") -> None:
    """Refuse a name that is not one of those known."""
    if name not in known:
        raise InputError(f"{name} is not known{did_you_mean(name, known)}", where=where, expected=", ".join(known))


def how_to_install(extra: str) -> str:
    """How to get what an extra brings: the package is on no index."""
    return f"from a clone: pip install '.[{extra}]'; else from its address: pip install 'dsfu[{extra}] @ git+URL'"
