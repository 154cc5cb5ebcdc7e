"""The one error for bad input to ``dsfu-model``: what is wrong, where, what was expected, and what to do."""

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Something that the user gave cannot be used. Its text is complete; the command line prints it and exits with 2.

    Parameters
    ----------
    what
        What is wrong, in a sentence.
    where
        The file, dataset or option that it concerns.
    expected
        What would have been right.
    remedy
        What to do now.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", remedy: str = "") -> None:
        self.what, self.where, self.expected, self.remedy = what, where, expected, remedy
        lines = [f"{where}: {what}" if where else what]
        lines += [f"  expected: {expected}"] if expected else []
        lines += [f"  remedy: {remedy}"] if remedy else []
        super().__init__("\n".join(lines))


def near_miss(word: str, words: Iterable[str]) -> str | None:
    """The one of some words that was probably meant, if one is like it. Capitals make no difference."""
    by_lower_case = {each.lower(): each for each in words}
    near = difflib.get_close_matches(word.lower()[:80], by_lower_case, 1, 0.6)
    return by_lower_case[near[0]] if near else None
