"""No module needs itself: what is imported when modules are loaded goes one way, and so do folders of problems."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOMES = {"base": "dsfu", **{name: f"dsfu.{name}" for name in ("simulate", "pipeline", "model", "cluster")}}


def modules() -> dict[str, Path]:
    """Every module by its name."""
    found = {}
    for folder, package in HOMES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join((package, *(part for part in parts if part != "__init__")))] = path
    return found


def loaded_with(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that run when a module is loaded: not those of functions, nor those that only type checkers see."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If):
            waiting += node.orelse if "TYPE_CHECKING" in ast.dump(node.test) else [*node.body, *node.orelse]
        elif isinstance(node, ast.Try | ast.With | ast.ClassDef):
            waiting += list(ast.iter_child_nodes(node))


def needs(path: Path, known: dict[str, Path]) -> set[str]:
    found = set()
    for node in loaded_with(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in known}
            found |= {node.module} if any(f"{node.module}.{a.name}" not in known for a in node.names) else set()
    return found & known.keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Sets of nodes that need one another: what is left when all that nothing needs, or that needs nothing, is gone."""
    left = {node: set(to) - {node} for node, to in graph.items()}
    while True:
        needed = set().union(*left.values()) if left else set()
        gone = {node for node, to in left.items() if not to or node not in needed}
        if not gone:
            return [[node, *sorted(to)] for node, to in sorted(left.items())]
        left = {node: to - gone for node, to in left.items() if node not in gone}


def test_no_module_needs_itself():
    known = modules()
    assert len(known) > 500
    graph = {name: needs(path, known) for name, path in known.items()}
    assert sum(map(len, graph.values())) > 1000
    assert circles(graph) == []


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"], ["c", "b"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
