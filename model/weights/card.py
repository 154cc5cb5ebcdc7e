"""What is known of a file of weights: what it holds, how it was made, and how good it is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from dsfu.errors import InputError
from dsfu.model.store import OLDEST_PROBLEM


@dataclass(frozen=True, kw_only=True)
class Card:
    """Attributes
    ----------
    recipe, network
        Name of the recipe, and all options of its network.
    problem
        What it has learnt; weights that name none are of the oldest problem.
    more
        What the problem adds, such as the size of its inputs. In the file it stands beside the others.
    data
        What it was trained on: URL and SHA-256 of the manifest of the store, and settings of the data.
    metrics
        Numbers of its last validation, by name.
    versions
        Of what made it.
    date
        When it was written, UTC.
    steps, samples, hours
        Updates of the weights, samples seen, and time spent on it.
    dtype
        How the numbers are stored; set where they are written.
    notes
        For people.
    """

    recipe: str
    network: Mapping[str, Any]
    problem: str = OLDEST_PROBLEM
    more: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    steps: int = 0
    samples: int = 0
    hours: float = 0.0
    dtype: str = "float32"
    notes: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are written."""
        values = asdict(self)
        return {**values.pop("more"), **values}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        try:
            values = json.loads(text)
        except ValueError as error:
            raise InputError(f"its card is no JSON: {error}", where=where) from error
        names = {each.name for each in fields(cls)} - {"more"}
        if not isinstance(values, dict) or not {"recipe", "network"} <= values.keys():
            raise InputError(
                "its card does not say what network this is",
                where=where,
                expected=f"a JSON object with {', '.join(sorted(names))}",
            )
        if not isinstance(values["recipe"], str) or not isinstance(values["network"], dict):
            raise InputError("its card does not name a recipe and options of its network", where=where)
        more = {name: values.pop(name) for name in values.keys() - names}
        return cls(**values, more=more)
