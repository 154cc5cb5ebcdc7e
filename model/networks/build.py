"""From the name of a recipe to its network."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from dsfu.errors import InputError, near_miss
from dsfu.model.problem import Learner, learner_of


def build(recipe: str, options: Mapping[str, Any] | None = None, learner: Learner[Any] | None = None) -> nn.Module:
    """An untrained network of a recipe; ``options`` are the keyword arguments of what makes it."""
    given = dict(options or {})
    network = (learner or learner_of()).entry(recipe).load_network()
    known = inspect.signature(network).parameters
    for name in given:
        if name not in known:
            meant = near_miss(name, known)
            raise InputError(
                f"network.{name}: the recipe {recipe} has no such option",
                expected=", ".join(known) or "none",
                remedy=f"did you mean {meant!r}?" if meant else "",
            )
    try:
        return network(**given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"network options {given}: {error}", where=f"recipe {recipe}") from error


def options_of(recipe: str, given: Mapping[str, Any], learner: Learner[Any] | None = None) -> dict[str, Any]:
    """All options of a recipe's network, those that are not given too, so that later releases can build it again."""
    known = inspect.signature((learner or learner_of()).entry(recipe).load_network()).parameters
    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
