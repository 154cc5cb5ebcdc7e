"""Collections of shapes by name, with how many atoms each has: known from a table, without building any."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Final

from dsfu.simulate.particles.faults import FaultLimits, layered_atoms, layered_parameters
from dsfu.simulate.particles.shapes import Shape

EXTENDED_FAULTS: Final = FaultLimits(layers=(3, 8), hexagons=True)
"""1739 particles: up to eight layers, of rhombic and of hexagonal outline."""


@dataclass(frozen=True)
class ListedShape:
    """A shape, and how many atoms it has."""

    shape: Shape
    atoms: int


@cache
def collection(name: str) -> tuple[ListedShape, ...]:
    """All shapes of a collection, one of `COLLECTIONS`."""
    if name not in COLLECTIONS:
        raise ValueError(f"collection = {name!r}: expected one of {', '.join(COLLECTIONS)}")
    return COLLECTIONS[name]()


def _tabulated(published: bool) -> tuple[ListedShape, ...]:
    """Those of `dsfu.simulate.particles.shapes.catalogue`, which takes ten seconds to find them."""
    text = (files("dsfu.simulate.particles.tables") / "shapes.tsv").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines()[1:]:
        family, parameters, atoms, is_published = line.split("\t")
        if is_published == "1" or not published:
            found.append(ListedShape(Shape(family, tuple(map(int, parameters.split()))), int(atoms)))
    return tuple(found)


def _layered(limits: FaultLimits) -> tuple[ListedShape, ...]:
    return tuple(ListedShape(Shape("Faulted", each), layered_atoms(*each)) for each in layered_parameters(limits))


COLLECTIONS: Final[Mapping[str, Callable[[], tuple[ListedShape, ...]]]] = {
    "published": partial(_tabulated, True),
    "thousand": partial(_tabulated, False),
    "faults": partial(_layered, FaultLimits()),
    "extended_faults": partial(_layered, EXTENDED_FAULTS),
}
"""The 197 published shapes up to 200 atoms; 809 of them up to 1000; 709 layered particles; and 1739."""
