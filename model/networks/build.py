"""From the name of a recipe to its network."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from dsfu.errors import InputError, near_miss
from dsfu.model.problems.disorder.networks.dsfu import Dsfu
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.networks.pix2pix import Pix2Pix

NETWORKS: Final[Mapping[str, Callable[..., Factoriser]]] = {"dsfu": Dsfu, "pix2pix": Pix2Pix}


def build(recipe: str, options: Mapping[str, Any] | None = None) -> Factoriser:
    """An untrained network of a recipe; ``options`` are the keyword arguments of its class."""
    given = dict(options or {})
    if recipe not in NETWORKS:
        meant = near_miss(recipe, NETWORKS)
        raise InputError(
            f"recipe = {recipe!r}",
            expected=" or ".join(NETWORKS),
            remedy=f"did you mean {meant!r}?" if meant else "",
        )
    network = NETWORKS[recipe]
    known = inspect.signature(network).parameters
    for name in given:
        if name not in known:
            meant = near_miss(name, known)
            raise InputError(
                f"network.{name}: the recipe {recipe} has no such option",
                expected=", ".join(known),
                remedy=f"did you mean {meant!r}?" if meant else "",
            )
    try:
        return network(**given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"network options {given}: {error}", where=f"recipe {recipe}") from error
