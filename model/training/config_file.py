"""Configurations from YAML and ``key=value``, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from dsfu.errors import InputError, near_miss
from dsfu.files import write_whole
from dsfu.model.problem import Learner, learner_of
from dsfu.model.training.config import Config
from dsfu.yaml.reader import read_yaml_file, read_yaml_value

Settings = TypeVar("Settings")


def load_config(
    recipe: str | None = None,
    file: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    learner: Learner[Any] | None = None,
) -> Config:
    """Put a configuration together. What comes later counts more: the recipe's defaults, a file, overrides.

    Parameters
    ----------
    recipe
        Its name; if there is none, the file's or the overrides', or else the first of the problem.
    file
        YAML, such as the ``config.yaml`` of an earlier run; it need not say everything.
    overrides
        Such as ``optimiser.learning_rate=1e-4``; values are YAML, too.
    learner
        Of the problem that is to be learnt; of the oldest, if there is none.
    """
    learner = learner or learner_of()
    given: dict[str, Any] = {}
    if file is not None:
        given = _merged(given, _spelt_out(read_yaml_file(file), learner))
    for override in overrides:
        given = _merged(given, _spelt_out(_parsed(override), learner))
    if recipe is not None:
        given["recipe"] = recipe
    given.setdefault("recipe", learner.default_recipe)
    return config_of(_merged(_defaults(given, learner), given), learner)


def config_of(values: Mapping[str, Any], learner: Learner[Any] | None = None) -> Config:
    """A configuration from nested mappings; what they leave out is as by default."""
    learner = learner or learner_of()
    given = dict(current_names(values, learner))
    learner.entry(str(given.get("recipe", learner.default_recipe)))
    sections: dict[str, Any] = {
        name: _settings(entry.settings, given.pop(name, {}), name)
        for name, entry in learner.recipes.items()
        if entry.settings is not None
    }
    data: Any = _settings(learner.data, given.pop("data", {}), "data")
    given = {"recipe": learner.default_recipe, **given}
    return _settings(Config, given, "", {"sections": sections, "data": data}, list(sections))


def values_of(config: Config) -> dict[str, Any]:
    """Nested mappings of plain values, for YAML and checkpoints."""
    plain: dict[str, Any] = _plain(asdict(config))
    return {**plain.pop("sections"), **plain}


def current_names(values: Mapping[str, Any], learner: Learner[Any]) -> Mapping[str, Any]:
    """The same with the names that settings have now, for those that had others in earlier releases."""
    for older, current in learner.older_settings.items():
        section, _, name = older.partition(".")
        inside = values.get(section)
        if isinstance(inside, Mapping) and name in inside:
            renamed = {(current.partition(".")[2] if each == name else each): value for each, value in inside.items()}
            values = {**values, section: renamed}
    return values


def save_config(config: Config, path: Path) -> None:
    text = yaml.safe_dump(values_of(config), sort_keys=False, allow_unicode=True)
    write_whole(path, lambda file: file.write(text.encode()))


def differences(one: Mapping[str, Any], other: Mapping[str, Any], where: str = "") -> list[str]:
    """Dotted names of the values in which two configurations differ."""
    found: list[str] = []
    for name in {**one, **other}:
        path, values = f"{where}{name}", (one.get(name), other.get(name))
        if isinstance(values[0], Mapping) and isinstance(values[1], Mapping):
            found += differences(values[0], values[1], f"{path}.")
        elif values[0] != values[1]:
            found.append(path)
    return found


def _parsed(override: str) -> Mapping[str, Any]:
    name, equals, text = override.partition("=")
    if not (equals and name):
        raise InputError(f"{override!r} sets nothing", expected="key=value, such as optimiser.learning_rate=1e-4")
    value = read_yaml_value(text, name)
    for part in reversed(name.strip().split(".")):
        value = {part: value}
    return dict(value)


def _spelt_out(given: Mapping[str, Any], learner: Learner[Any]) -> Mapping[str, Any]:
    """The same in today's names, and with sections for words that stand for one, so that a part can be changed."""
    given = current_names(given, learner)
    for name, named in learner.named_data.items():
        data = given.get("data")
        if not isinstance(data, Mapping) or not isinstance(word := data.get(name), str):
            continue
        if word not in named:
            meant = near_miss(word, named)
            raise InputError(
                f"it is {word!r}",
                where=f"data.{name}",
                expected=f"{' or '.join(named)}, or a section with settings",
                remedy=f"did you mean {meant!r}?" if meant else "",
            )
        given = {**given, "data": {**data, name: _plain(dict(named[word]))}}
    return given


def _defaults(given: Mapping[str, Any], learner: Learner[Any]) -> dict[str, Any]:
    """Those of the recipe; its limit does not count if another one is given."""
    defaults = dict(learner.entry(str(given["recipe"])).defaults)
    limits = given.get("limits")
    if isinstance(limits, Mapping) and any(limits.get(name) for name in ("epochs", "steps", "minutes")):
        defaults.pop("limits", None)
    return defaults


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        known = merged.get(name)
        is_section = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(known, value) if is_section else value  # type: ignore[arg-type]
    return merged


def _settings(
    kind: type[Settings], values: Any, where: str, ready: Mapping[str, Any] | None = None, sections: Sequence[str] = ()
) -> Settings:
    """A dataclass from a section. ``ready``: fields that are made already; ``sections``: names of others."""
    if not isinstance(values, Mapping):
        raise InputError(f"it is {values!r}", where=where, expected="a section with settings")
    kinds = get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.name not in (ready or {})]  # type: ignore[arg-type]
    arguments = dict(ready or {})
    for name, value in values.items():
        path = f"{where}.{name}" if where else str(name)
        if name not in names:
            meant = near_miss(str(name), [*names, *sections])
            raise InputError(
                f"{path}: there is no such setting",
                expected=", ".join([*names, *sections, *(["data"] if ready else [])]),
                remedy=f"did you mean {meant!r}?" if meant else "",
            )
        arguments[name] = _value(kinds[name], value, path)
    return kind(**arguments)


def _value(kind: Any, value: Any, path: str) -> Any:
    if is_dataclass(kind):
        return _settings(kind, value, path)  # type: ignore[arg-type]
    if kind is float and isinstance(value, str):
        try:
            return float(value)  # YAML takes 1e-4 for a text
        except ValueError:
            return value
    if isinstance(value, list):
        return tuple(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
