"""JSON documents that know when they are damaged, by a checksum of themselves."""

import json
from collections.abc import Mapping
from typing import Any, Final

from dsfu.pipeline.store.files import Files, crc32c

MOST_BYTES: Final = 2**28
"""Of a document no more is read; the placement of a million shards has a quarter of it, all others are far smaller."""


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
        values = json.loads(data)["sealed"]
        # Comparing the whole text finds also what JSON does not mind, such as another spelling of a number.
        intact = seal(values) == data
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged("it is garbled") from error
    if not intact:
        raise Damaged("it does not match its own checksum")
    if not isinstance(values, dict):
        raise Damaged("it holds something else than names and values")
    return values


def read_sealed(files: Files, path: str) -> dict[str, Any]:
    """The values of a document of a store. Raises Damaged, or FileNotFoundError."""
    return unseal(files.read(path, at_most=MOST_BYTES))


def _text(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
