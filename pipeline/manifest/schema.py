"""The JSON Schema of manifests, for editors."""

from dsfu.pipeline.manifest.model import Manifest
from dsfu.settings.schema import Schema, for_editors


def manifest_json_schema(model: type[Manifest]) -> Schema:
    """JSON Schema of a manifest of one problem.

    It knows keys, types, ranges and descriptions, but not how keys depend on others.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dsfu data manifest",
        **for_editors(model.model_json_schema()),
    }
