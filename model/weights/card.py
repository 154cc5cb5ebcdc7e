"""What is known of a file of weights: what it holds, how it was made, and how good it is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from dsfu.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Card:
    """Attributes
    ----------
    recipe, network
        Name of the recipe, and all options of its network.
    pixels
        Side of the planes that it was trained on.
    data
        What it was trained on: URL and SHA-256 of the manifest of the store, and settings of the data.
    metrics
        Numbers of its last validation, by name.
    versions
        Of what made it.
    date
        When it was written, UTC.
    steps, samples, hours
        Updates of the weights, planes seen, and time spent on it.
    dtype
        How the numbers are stored; set where they are written.
    notes
        For people.
    """

    recipe: str
    network: Mapping[str, Any]
    pixels: int = 256
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    steps: int = 0
    samples: int = 0
    hours: float = 0.0
    dtype: str = "float32"
    notes: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        try:
            values = json.loads(text)
        except ValueError as error:
            raise InputError(f"its card is no JSON: {error}", where=where) from error
        names = {each.name for each in fields(cls)}
        if not isinstance(values, dict) or not {"recipe", "network"} <= values.keys() <= names:
            raise InputError(
                "its card does not say what network this is",
                where=where,
                expected=f"a JSON object with {', '.join(sorted(names))}",
            )
        if not isinstance(values["recipe"], str) or not isinstance(values["network"], dict):
            raise InputError("its card does not name a recipe and options of its network", where=where)
        return cls(**values)
