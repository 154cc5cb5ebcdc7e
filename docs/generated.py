"""Pages of the reference that are made from the program itself: command lines, manifest, statuses, Python."""

import importlib
import json
import re
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
    _write(folder / "training-settings.md", training_settings())
    _write(folder / "statuses.md", statuses())
    _write(folder / "versions.md", versions())


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


def training_settings() -> str:
    """Every setting of a training on planes of disorder, from the classes that hold them."""
    from dsfu.model.problems.disorder.training.data_config import DataConfig
    from dsfu.model.training.config import Config

    rows = [
        "# Settings of trainings",
        "",
        "`KEY=VALUE` on the command line of `dsfu-model train`, or a file for `--config`. The section `network` "
        "is of the recipe, `data` of the problem: here those of disorder. [Training](../training.md) explains.",
        "",
        "| key | meaning | default |",
        "|---|---|---|",
    ]
    return "\n".join([*rows, *_settings(Config, ""), *_settings(DataConfig, "data.")]) + "\n"


def _settings(of: Any, before: str) -> list[str]:
    meanings, rows = _attributes(str(of.__doc__)), []
    for name, field in of.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if hasattr(type(default), "model_fields"):
            rows += _settings(type(default), f"{before}{name}.")
        elif name not in ("data", "sections", "network"):
            shown = "" if field.is_required() else f"`{default}`"
            meaning = (field.description or meanings.get(name, "")).replace("|", "\\|")
            rows.append(f"| `{before}{name}` | {meaning} | {shown} |")
    return rows


def _attributes(text: str) -> dict[str, str]:
    """What a docstring says of each attribute; one line may name several."""
    found: dict[str, str] = {}
    parts = re.split(r"\n    (\w[\w, ]*)\n(?=        )", text.partition("Attributes\n")[2])
    for names, meaning in zip(parts[1::2], parts[2::2], strict=False):
        found |= {name.strip(): " ".join(meaning.split()) for name in names.split(",")}
    return found


def statuses() -> str:
    """Exit statuses and how an error reads, from the constants and the class behind them."""
    from dsfu import command_line, outputs
    from dsfu.errors import InputError
    from dsfu.model.commands import training

    table = {
        0: "done",
        command_line.UNEXPECTED: "something unexpected: a fault of ours, with a line to report; `--debug` shows where",
        command_line.BAD_INPUT: "bad input; nothing was changed",
        outputs.DATA_CONTRADICT: "done in part (`dsfu-pipeline`), or written and not to be believed (`dsfu-model`)",
        command_line.CUT_SHORT: "cut short, and can be gone on with: run the same command again",
        training.STOPPED: "a training that stopped with a checkpoint, as by Ctrl-C: run the same command again",
        command_line.INTERRUPTED: "interrupted by Ctrl-C or a signal",
    }
    example = InputError(
        "α for a crystal without a cell", where="crystal.h5", expected="a, b, c in Å and angles", remedy="--cell"
    )
    rows = ["# Exit statuses and errors", "", "| status | meaning |", "|---|---|"]
    rows += [f"| {number} | {meaning} |" for number, meaning in sorted(table.items())]
    rows += [
        "",
        "Errors go to stderr. Those of bad input say what is wrong and where, what was expected and what to do:",
    ]
    rows += [
        "",
        "```text",
        str(example),
        "```",
        "",
        "From Python they are `dsfu.errors.InputError`, with the same parts:",
    ]
    return "\n".join([*rows, "", "```text", str(InputError.__doc__).strip(), "```", ""])


def versions() -> str:
    """Which versions of its own formats this release writes and reads."""
    from dsfu.model import store
    from dsfu.model.measured.factorise import files as factors
    from dsfu.model.measured.readers import plane_files
    from dsfu.model.measured.volume import files as volumes

    table = {
        "store (root attribute `format_version`)": store.FORMAT_VERSION,
        "planes of `prepare` (`dsfu_format`)": plane_files.FORMAT,
        "factors of `factorise`": factors.FORMAT,
        "factors of `analyse`": volumes.FORMAT,
        "manifest (`version`)": 1,
    }
    rows = ["# Versions of formats", "", "| format | version |", "|---|---|"]
    rows += [f"| {name} | `{version}` |" for name, version in table.items()]
    policy = """
A file or store of another version is refused with a sentence that says both versions; nothing is converted in silence.
A version rises when a reader of the former one would misunderstand what is written. New arrays, columns and
attributes are no new version, so readers should ignore what they do not know. What a store was made with, its manifest
included, is in its root attributes and `settings.json`. Every kind of shard has a version of its science besides: if
that rises, `plan` says so and such shards are made again. Tests read stores that earlier commits wrote.
"""
    return "\n".join(rows) + "\n" + policy


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
