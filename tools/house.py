"""How large the house is: files, their lines, functions and comments, as docs/architecture.md tells them.

python tools/house.py
"""

import ast
import subprocess
import sys
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

MOST_LINES_OF_A_FILE: Final = 300
MOST_LINES_OF_A_FUNCTION: Final = 60


@dataclass(frozen=True, kw_only=True)
class HouseCount:
    """What stands in all Python files outside the tests.

    Attributes
    ----------
    files, functions
        Lines of each, by place; of a function from its ``def`` to its end, docstring included.
    commented, comments
        Lines that hold a comment, and those that hold nothing else.
    """

    files: dict[str, int]
    functions: dict[str, int]
    commented: int
    comments: int

    @property
    def lines(self) -> int:
        """Of all files."""
        return sum(self.files.values())

    def too_long(self) -> dict[str, int]:
        """Files and functions beyond what style allows."""
        files = {place: lines for place, lines in self.files.items() if lines > MOST_LINES_OF_A_FILE}
        return files | {place: lines for place, lines in self.functions.items() if lines > MOST_LINES_OF_A_FUNCTION}


def count_house() -> HouseCount:
    """Count what git tracks."""
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files, functions = dict[str, int](), dict[str, int]()
    commented = comments = 0
    for name in tracked.split():
        path = ROOT / name
        if name.startswith("tests/") or not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        files[name] = len(lines)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions[f"{name}:{node.name}:{node.lineno}"] = (node.end_lineno or 0) - node.lineno + 1
        with path.open("rb") as stream:
            places = [each.start for each in tokenize.tokenize(stream.readline) if each.type == tokenize.COMMENT]
        commented += len(places)
        comments += sum(not lines[row - 1][:column].strip() for row, column in places)
    return HouseCount(files=files, functions=functions, commented=commented, comments=comments)


def three(values: Sequence[int]) -> str:
    """Median, 90 % and largest."""
    rising = sorted(values)
    return ", ".join(str(rising[min(len(rising) - 1, int(share * len(rising)))]) for share in (0.5, 0.9, 1.0))


def main() -> None:
    found = count_house()
    rows = [
        ("files of Python outside the tests, lines", f"{len(found.files)}, {found.lines}"),
        ("lines of a file: median, 90 %, largest", three(list(found.files.values()))),
        ("lines of a function: median, 90 %, largest", three(list(found.functions.values()))),
        ("lines that hold a comment", f"{100 * found.commented / found.lines:.2f} %"),
        ("lines that hold nothing but one", f"{100 * found.comments / found.lines:.2f} %"),
    ]
    rows += [(f"too long: {place}", f"{lines} lines") for place, lines in found.too_long().items()]
    sys.stdout.write("".join(f"| {name} | {value} |\n" for name, value in rows))


if __name__ == "__main__":
    main()
