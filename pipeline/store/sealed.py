"""JSON documents that know when they are damaged, by a checksum of themselves."""

import json
from collections.abc import Mapping
from typing import Any

from dsfu.pipeline.store.files import crc32c


class Damaged(ValueError):
    """A sealed document is not as it was written."""


def seal(values: Mapping[str, Any]) -> bytes:
    """Plain values as JSON, in one line, with a checksum."""
    return _text({"checksum": crc32c(_text(values)), "sealed": values}) + b"\n"


def unseal(data: bytes) -> dict[str, Any]:
    """The values; raises Damaged if any bit differs from what `seal` made."""
    if not data:
        raise Damaged("it is empty")
    if not data.endswith(b"}\n"):
        raise Damaged("it is truncated")
    try:
        document = json.loads(data)
        values, checksum = document["sealed"], document["checksum"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged("it is garbled") from error
    # Comparing the whole text finds also what JSON does not mind, such as another spelling of a number.
    if checksum != crc32c(_text(values)) or seal(values) != data:
        raise Damaged("it does not match its own checksum")
    return dict(values)


def _text(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
