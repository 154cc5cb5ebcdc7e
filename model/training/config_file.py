"""Configurations from YAML and ``key=value``, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, create_model

from dsfu.errors import InputError, near_miss
from dsfu.files import write_whole
from dsfu.model.problem import Learner, learner_of
from dsfu.model.training.config import Config
from dsfu.settings.checking import checked
from dsfu.yaml.document import Document
from dsfu.yaml.reader import read_yaml_document, read_yaml_value


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
    documents = [read_yaml_document(file)] if file is not None else []
    documents += [_parsed(override) for override in overrides]
    documents += [Document(source="--recipe", value={"recipe": recipe}, has_lines=False)] if recipe is not None else []
    return _config(documents, learner, with_defaults=True)


def config_of(values: Mapping[str, Any], learner: Learner[Any] | None = None) -> Config:
    """A configuration from nested mappings; what they leave out is as by default."""
    value: dict[str, Any] = _with_tuples(values)
    return _config([Document(source="settings", value=value, has_lines=False)], learner or learner_of())


def values_of(config: Config) -> dict[str, Any]:
    """Nested mappings of plain values, for YAML and checkpoints."""
    plain: dict[str, Any] = _plain(config.model_dump())
    return plain


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


def _config(documents: Sequence[Document], learner: Learner[Any], *, with_defaults: bool = False) -> Config:
    """What documents say together, of which later ones count more; over the recipe's defaults, if they are wanted."""
    documents = [_spelt_out(document, learner) for document in documents]
    given: dict[str, Any] = {}
    for document in documents:
        given = _merged(given, document.value)
    given.setdefault("recipe", learner.default_recipe)
    if with_defaults:
        defaults = _defaults(given, learner)
        given = _merged(defaults, given)
    if isinstance(network := given.get("network"), Mapping):
        given["network"] = _plain(network)  # free-form: as files have it
    own = Document(source=f"recipe {given['recipe']}", value=given, has_lines=False)
    problems = [problem for document in documents for problem in document.problems]
    return checked(_model(learner), given, [own, *documents], problems)


@cache
def _model(learner: Learner[Any]) -> type[Config]:
    """What the configuration of a training of a problem may say."""
    sections = {name: (kind, kind()) for name, entry in learner.recipes.items() if (kind := entry.settings) is not None}
    recipe = (Literal[tuple(learner.recipes)], Field(description="Network and losses."))
    made: type[Config] = create_model(  # type: ignore[call-overload]
        "Config",
        __base__=Config,
        recipe=recipe,
        data=(learner.data, learner.data()),
        **sections,
    )
    return made


def _parsed(override: str) -> Document:
    name, equals, text = override.partition("=")
    if not (equals and name):
        raise InputError(f"{override!r} sets nothing", expected="key=value, such as optimiser.learning_rate=1e-4")
    value: Any = _with_tuples(read_yaml_value(text, name))
    for part in reversed(name.strip().split(".")):
        value = {part: value}
    return Document(source="command line", value=value, has_lines=False)


def _spelt_out(document: Document, learner: Learner[Any]) -> Document:
    """The same in today's names, and with sections for words that stand for one, so that a part can be changed."""
    given = current_names(document.value, learner)
    for name, named in learner.named_data.items():
        data = given.get("data")
        if not isinstance(data, Mapping) or not isinstance(word := data.get(name), str):
            continue
        if word not in named:
            meant = near_miss(word, named)
            raise document.wrong_value(
                ("data", name),
                word,
                expected=f"{' or '.join(named)}, or a section with settings",
                remedy=f"did you mean {meant}?" if meant else "",
            )
        given = {**given, "data": {**data, name: dict(named[word])}}
    return replace(document, value=dict(given))


def _defaults(given: Mapping[str, Any], learner: Learner[Any]) -> dict[str, Any]:
    """Those of the recipe; its limit does not count if another one is given."""
    if given["recipe"] not in learner.recipes:
        return {}  # the model will say so
    defaults = dict(learner.recipes[given["recipe"]].defaults)
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


def _with_tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _with_tuples(each) for name, each in value.items()}
    return tuple(_with_tuples(each) for each in value) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
