"""The JSON Schema of settings, for editors, and for the messages that say what is allowed at a key."""

from functools import cache
from typing import Any

from dsfu.settings.section import Section
from dsfu.yaml.document import KeyPath

Schema = dict[str, Any]


def schema_at(path: KeyPath, model: type[Section]) -> Schema | None:
    """Schema of what may stand at a path, references resolved; None where nothing may.

    Where null may stand too, the schema has ``"nullable": True``.
    """
    top = _schema(model)
    schema = _resolved(top, top)
    for part in path:
        below = schema.get("properties", {}).get(part) if isinstance(part, str) else _item(schema, part)
        if not below:
            return None
        schema = _resolved(below, top)
    return schema


def item_schema(schema: Schema, number: int = 0) -> Schema:
    """Schema of an item of a list, such as `schema_at` gives."""
    return _resolved(_item(schema, number), schema)


def _item(schema: Schema, number: int) -> Schema:
    items: list[Schema] = schema.get("prefixItems", [])
    found: Schema = items[number] if number < len(items) else schema.get("items", {})
    return found


def paths_of_key(key: str, model: type[Section]) -> list[str]:
    """Dotted paths of the sections in which a key may stand, the top being an empty one."""
    top = _schema(model)
    return _sections_with(key, _resolved(top, top), (), top)


@cache
def _schema(model: type[Section]) -> Schema:
    return model.model_json_schema()


def for_editors(value: Any) -> Any:
    """The same without titles that repeat the key, and in words that mean the same in every draft from the seventh on.

    Editors know the older drafts better. What differs is tuples; all of ours have items of one kind.
    """
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key != "title" or not isinstance(each, str)}
        if "prefixItems" in kept:
            kept["items"], *others = kept.pop("prefixItems")
            assert all(each == kept["items"] for each in others), "a tuple with items of several kinds"
        return {key: for_editors(each) for key, each in kept.items()}
    return [for_editors(each) for each in value] if isinstance(value, list) else value


def _resolved(schema: Schema, top: Schema) -> Schema:
    """What a schema refers to, with its own keys on top, and without the alternative null."""
    if "anyOf" in schema:
        others = [each for each in schema["anyOf"] if each != {"type": "null"}]
        outer = {key: each for key, each in schema.items() if key != "anyOf"}
        return {**_resolved(others[0], top), **outer, "nullable": len(others) < len(schema["anyOf"])}
    if "$ref" in schema:
        target = top["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        return {**_resolved(target, top), **{key: each for key, each in schema.items() if key != "$ref"}}
    return {**schema, "$defs": top["$defs"]} if "$defs" in top else schema


def _sections_with(key: str, schema: Schema, path: tuple[str, ...], top: Schema) -> list[str]:
    properties: dict[str, Schema] = schema.get("properties", {})
    found = [".".join(path)] if key in properties else []
    for name, each in properties.items():
        found += _sections_with(key, _resolved(each, top), (*path, name), top)
    return found
