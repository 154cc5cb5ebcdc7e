"""Configurations from YAML and ``key=value``, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from dsfu.errors import InputError, near_miss
from dsfu.files import write_whole
from dsfu.model.problems.disorder.training.data_config import NAMED_AUGMENTATIONS
from dsfu.model.training.config import DEFAULTS, Config
from dsfu.yaml.reader import read_yaml_file, read_yaml_value

Settings = TypeVar("Settings")


def load_config(recipe: str | None = None, file: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Put a configuration together. What comes later counts more: the recipe's defaults, a file, overrides.

    Parameters
    ----------
    recipe
        Its name; if there is none, the file's or the overrides', or else "dsfu".
    file
        YAML, such as the ``config.yaml`` of an earlier run; it need not say everything.
    overrides
        Such as ``optimiser.learning_rate=1e-4``; values are YAML, too.
    """
    given: dict[str, Any] = {}
    if file is not None:
        given = _merged(given, _spelt_out(read_yaml_file(file)))
    for override in overrides:
        given = _merged(given, _spelt_out(_parsed(override)))
    if recipe is not None:
        given["recipe"] = recipe
    return config_of(_merged(_defaults(given), given))


def config_of(values: Mapping[str, Any]) -> Config:
    """A configuration from nested mappings; what they leave out is as by default."""
    return _settings(Config, values, "")


def values_of(config: Config) -> dict[str, Any]:
    """Nested mappings of plain values, for YAML and checkpoints."""
    plain: dict[str, Any] = _plain(asdict(config))
    return plain


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


def _spelt_out(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with the section that ``data.augment`` names, so that what comes later can change a part of it."""
    data = given.get("data")
    if not isinstance(data, Mapping) or not isinstance(name := data.get("augment"), str):
        return given
    if name not in NAMED_AUGMENTATIONS:
        meant = near_miss(name, NAMED_AUGMENTATIONS)
        raise InputError(
            f"it is {name!r}",
            where="data.augment",
            expected=f"{' or '.join(NAMED_AUGMENTATIONS)}, or a section with settings",
            remedy=f"did you mean {meant!r}?" if meant else "",
        )
    return {**given, "data": {**data, "augment": _plain(asdict(NAMED_AUGMENTATIONS[name]))}}


def _defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the recipe; its limit does not count if another one is given."""
    defaults = dict(DEFAULTS.get(str(given.get("recipe", "dsfu")), {}))
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


def _settings(kind: type[Settings], values: Any, where: str) -> Settings:
    if not isinstance(values, Mapping):
        raise InputError(f"it is {values!r}", where=where, expected="a section with settings")
    kinds = get_type_hints(kind)
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    arguments = {}
    for name, value in values.items():
        path = f"{where}.{name}" if where else str(name)
        if name not in names:
            meant = near_miss(str(name), names)
            raise InputError(
                f"{path}: there is no such setting",
                expected=", ".join(names),
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
