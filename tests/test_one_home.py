"""A fact has one home: no function of some length stands in two files."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("base", "simulate", "pipeline", "model", "cluster")

LONG = 250
"""Characters of the dumped syntax tree: some three lines of code."""

NO_FACTS = {"after", "panels_of", "_row", "__repr__", "between"}
"""One-line methods of classes that have nothing else in common."""


def test_no_function_stands_in_two_files() -> None:
    places = defaultdict(set)
    for path in (each for folder in FOLDERS for each in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name not in NO_FACTS:
                text = "".join(ast.dump(each) for each in node.body if not isinstance(each, ast.Expr))
                if len(text) > LONG:
                    places[text].add(f"{path.relative_to(ROOT)}:{node.name}")
    assert [sorted(found) for found in places.values() if len({each.partition(":")[0] for each in found}) > 1] == []
