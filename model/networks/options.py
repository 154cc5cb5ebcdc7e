"""All options of a recipe's network, those that were not given too, so that it can be built again by later releases."""

import inspect
from collections.abc import Mapping
from typing import Any

from dsfu.model.networks.build import NETWORKS


def options_of(recipe: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a recipe's network, with the defaults of those that are not given; plain values."""
    known = inspect.signature(NETWORKS[recipe]).parameters
    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
