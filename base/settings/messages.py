"""What a model of settings has against values: file, line, key, value, what is allowed, and what was meant."""

import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from dsfu.errors import InputError, near_miss
from dsfu.settings.schema import Schema, item_schema, paths_of_key, schema_at
from dsfu.settings.section import Section
from dsfu.yaml.composer import FLOAT
from dsfu.yaml.document import Document, KeyPath, shown

_YES: Final = ("yes", "on", "y")
_NO: Final = ("no", "off", "n")
_LONGEST_NUMBER: Final = 40
_NAME: Final = "letters, digits and . _ -, a letter or digit first, at most 80 of them"


def path_of(details: ErrorDetails) -> KeyPath:
    """What an error is about. Checks of a whole section name the key in question."""
    at: KeyPath = details["ctx"]["at"] if details["type"] == "refused" else ()
    return (*details["loc"], *at)


def problem_of(details: ErrorDetails, document: Document, model: type[Section]) -> InputError:
    """One of pydantic's errors as one of ours."""
    path = path_of(details)
    match details["type"]:
        case "refused":
            return _refused(path, details, document)
        case "extra_forbidden":
            return _unknown_key(path, document, model)
        case "missing":
            return _missing(path, document, model)
        case _:
            value = details["input"]
            schema = schema_at(path, model) or {}
            return document.wrong_value(
                path, value, expected=allowed(schema) or details["msg"], remedy=_hint(value, schema)
            )


def meant_by(path: KeyPath, model: type[Section]) -> KeyPath | None:
    """Path of the key that was probably meant by an unknown one."""
    near = near_miss(str(path[-1]), (schema_at(path[:-1], model) or {}).get("properties", {}))
    return None if near is None else (*path[:-1], near)


def allowed(schema: Schema) -> str:
    """What a schema allows, in words."""
    text = _allowed(schema)
    return f"{text}, or null" if text and schema.get("nullable") else text


def _allowed(schema: Schema) -> str:
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if choices:
        return _listed([str(each) for each in choices])
    match schema.get("type"):
        case "boolean":
            return "true or false"
        case "integer":
            whole = "an even whole number" if schema.get("multipleOf") == 2 else "a whole number"
            return f"{whole}{_limits(schema)}"
        case "number":
            return f"a number{_limits(schema)}"
        case "string":
            return _NAME if "pattern" in schema else "text"
        case "array":
            return _allowed_list(schema)
        case "object":
            keys = schema.get("properties")
            return f"a section with keys such as {', '.join(keys)}" if keys else "a section"
    return ""


def _allowed_list(schema: Schema) -> str:
    fixed: list[Schema] = schema.get("prefixItems", [])
    if fixed and fixed[0].get("type") == "number":
        names = "[low, high]" if len(fixed) == 2 else "[a, b, c]"
        return f"{names}, each a number{_limits(fixed[0])}"
    if fixed:
        return "two names, such as [benzene, toluene]"
    item = item_schema(schema)
    least, most = schema.get("minItems", 0), schema.get("maxItems", "many")
    return f"a list of {least} to {most} items in brackets, each {allowed(item)}"


def _limits(schema: Schema) -> str:
    """`` from 1 to 5``, `` above 0 and below 1``"""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    first = f"from {low}" if low is not None else f"above {above}" if above is not None else ""
    last = f"up to {high}" if high is not None else f"below {below}" if below is not None else ""
    return "".join(f" {each}" for each in (first, "and" if first and last else "", last) if each)


def _hint(value: Any, schema: Schema) -> str:
    """What the writer probably meant by a value that is not allowed."""
    if value is None:
        return "nothing stands after the colon: give a value" + _or_default(schema)
    if isinstance(value, str):
        return _hint_for_text(value, schema)
    if schema.get("type") == "integer" and isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}"
    if schema.get("type") == "array" and not isinstance(value, Sequence | dict | bool):
        fixed = len(schema.get("prefixItems", ()))
        return f"for a single value, write [{', '.join([shown(value)] * (fixed or 1))}]" if fixed < 3 else ""
    if schema.get("type") == "string" and not isinstance(value, Sequence | dict):
        return f"put it in quotes, if it is meant: '{shown(value)}'"
    return ""


def _or_default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    default = "" if isinstance(schema["default"], dict) else f", which is {shown(schema['default'])}"
    return f", or remove the key for the default{default}"


def _hint_for_text(text: str, schema: Schema) -> str:
    kind = schema.get("type")
    if "pattern" in schema:
        return _hint_for_name(text)
    choices = schema.get("enum", [])
    near = near_miss(text, [each for each in choices if isinstance(each, str)])
    if near:
        return f"did you mean {near}?"
    if kind == "boolean" and text.lower() in (*_YES, *_NO, "true", "false"):
        return f"write {'true' if text.lower() in (*_YES, 'true') else 'false'}, without quotes"
    if kind in ("integer", "number") and len(text) <= _LONGEST_NUMBER:
        bare = text.strip().replace("_", "").replace(" ", "").replace("'", "")
        if FLOAT.fullmatch(bare):
            return f"write {bare}, without quotes or separators"
        if FLOAT.fullmatch(bare.replace(",", ".")):
            return f"write {bare.replace(',', '.')}, with a decimal point"
    return ""


def _hint_for_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text[:80]).strip("-._")
    return f"write {name}" if name else ""


def _refused(path: KeyPath, details: ErrorDetails, document: Document) -> InputError:
    context = details["ctx"]
    return document.problem(path, context["what"], expected=context["expected"], remedy=context["remedy"])


def _unknown_key(path: KeyPath, document: Document, model: type[Section]) -> InputError:
    key = str(path[-1])
    allowed_here = list((schema_at(path[:-1], model) or {}).get("properties", {}))
    near = meant_by(path, model)
    elsewhere = [] if near else paths_of_key(key, model)
    if near:
        remedy = f"did you mean {near[-1]}?"
    elif elsewhere:
        remedy = f"{key} belongs in {_listed([each or 'no section, at the left margin' for each in elsewhere])}"
    else:
        remedy = ""
    return document.problem(
        path, "unknown key", expected="" if near else f"one of {', '.join(allowed_here)}", remedy=remedy, of_key=True
    )


def _missing(path: KeyPath, document: Document, model: type[Section]) -> InputError:
    """A key that has no default, or an item of a list of a certain length."""
    if isinstance(path[-1], int):
        schema = schema_at(path[:-1], model) or {}
        return document.wrong_value(path[:-1], document.value_at(path[:-1]), expected=allowed(schema))
    schema = schema_at(path, model) or {}
    about = schema.get("description") or allowed(schema)
    expected = f"`{path[-1]}: {schema.get('const', '…')}`: {about.rstrip('.')}"
    return document.problem(path, "missing; it has no default", expected=expected, of_key=True)


def _listed(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
