"""The one error for bad input, wherever it comes from: what is wrong, where, what was expected, and what to do."""


class InputError(Exception):
    """Something that the user gave cannot be used. Its text is complete; command lines print it and exit with 2.

    Parameters
    ----------
    what
        What is wrong, in a sentence.
    where
        File and line, key, path or option it concerns.
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
