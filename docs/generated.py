"""Pages of the reference that are made from the program itself: command lines, manifest, statuses, Python."""

import importlib
import json
from pathlib import Path
from typing import Any

from typer.main import get_command

PROGRAMS = {"dsfu-model": "dsfu.model.cli", "dsfu-pipeline": "dsfu.pipeline.cli"}


def write_all(folder: Path) -> None:
    """Write every page; one that has not changed is left alone."""
    folder.mkdir(exist_ok=True)
    for program, module in PROGRAMS.items():
        _write(folder / f"{program}.md", command_line(program, get_command(importlib.import_module(module).app)))
    _write(folder / "python.md", front_door())
    _write(folder / "manifest-keys.md", manifest_keys())


def command_line(program: str, group: Any) -> str:
    """All verbs of a program with their arguments and options."""
    rows = [f"# {program}", "", _text(group.help), "", _text(group.epilog), ""]
    for name, verb in sorted(group.commands.items()):
        rows += [f"## {program} {name}", "", _text(verb.help), "", "| | | default |", "|---|---|---|"]
        rows += [_parameter(each) for each in verb.params if not getattr(each, "hidden", False)]
        rows.append("")
    return "\n".join(rows)


def _parameter(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    name = parameter.metavar or parameter.name.upper() if is_argument else ", ".join(parameter.opts)
    if not is_argument and parameter.metavar and not parameter.is_flag:
        name += f" {parameter.metavar}"
    default = parameter.default
    shown = "" if default is None or callable(default) or isinstance(default, bool) else str(default)
    shown = "" if "Sentinel" in shown or shown in ("()", "[]") else shown
    cells = (f"`{name}`", (parameter.help or "").replace("\n", " "), f"`{shown}`" if shown else "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(help_text: str | None) -> str:
    """Help of a terminal: what is indented there stays as it is."""
    paragraphs = (help_text or "").split("\n\n")
    return "\n\n".join(f"```text\n{each[2:].rstrip()}\n```" if each.startswith("\b\n") else each for each in paragraphs)


def front_door() -> str:
    """What ``import dsfu`` offers."""
    import dsfu

    rows = ["# Python: `import dsfu`", "", str(dsfu.__doc__), ""]
    for name in dsfu.__all__:
        if not name.startswith("_"):
            rows += [f"## dsfu.{name}", "", "```text", (getattr(dsfu, name).__doc__ or "").strip(), "```", ""]
    return "\n".join(rows)


def manifest_keys() -> str:
    """Every key of a manifest, from its JSON Schema."""
    schema = json.loads((Path(__file__).parent / "manifest.schema.json").read_text(encoding="utf-8"))
    rows = [
        "# Keys of a manifest",
        "",
        "Of the problem disorder; `dsfu-pipeline schema --problem NAME` has the others.",
        "",
    ]
    rows += ["| key | meaning | default |", "|---|---|---|", *_keys(schema, schema.get("$defs", {}), "")]
    return "\n".join(rows) + "\n"


def _keys(part: dict[str, Any], parts: dict[str, Any], before: str) -> list[str]:
    rows = []
    for name, value in part.get("properties", {}).items():
        meaning = str(value.get("description", "")).replace("|", "\\|").replace("\n", " ")
        default = f"`{json.dumps(value['default'])}`".replace("|", "\\|") if "default" in value else ""
        rows.append(f"| `{before}{name}` | {meaning} | {default} |")
        choices = [value, *value.get("anyOf", []), *value.get("allOf", [])]
        for each in choices:
            if "$ref" in each and before.count(".") < 4:
                rows += _keys(parts[each["$ref"].rpartition("/")[2]], parts, f"{before}{name}.")
    return rows


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
