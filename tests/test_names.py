"""A public class has a name of its own: whoever searches for it finds one."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("base", "simulate", "pipeline", "model", "cluster")


def homes_of_classes() -> dict[str, list[str]]:
    homes = defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].append(path.relative_to(ROOT).as_posix())
    return homes


def test_public_classes_have_names_of_their_own():
    homes = homes_of_classes()
    assert len(homes) > 300
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
