"""Make the dictionary of shapes that ships: ``python -m dsfu.model.problems.particles.making_table``. Some minutes.

Up to 200 atoms: all shapes of the published data set, and particles with stacking faults. Larger: compact shapes of up
to some 6000 atoms (5 nm of gold), because measured particles are compact; rods and flat plates are left out. Among them
are spheres with one twin plane or fault: without them, such particles look like far larger decahedra. Round ones of
FCC, BCC and HCP, cubes of FCC and rhombic dodecahedra of BCC come last: `catalogue` has none of them beyond some 2 nm.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import sqrt
from typing import Any, Final

import numpy as np

from dsfu.model.problems.particles.shape_table import TABLE_FILE, binned_distances
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.distances import pair_distances
from dsfu.simulate.particles.faults import (
    FaultLimits,
    cut_twin_parameters,
    hexagonal_parameters,
    layered_parameters,
    twinned_parameters,
)
from dsfu.simulate.particles.shapes import Limits, Shape, catalogue

_COMPACT: Final = 2.6
"""Largest over smallest principal moment of a shape that counts as compact. Chosen, not calibrated."""

_MOST_ATOMS: Final = {"SC": 1500, "BCC": 2500, "FCC": 6000, "HCP": 2500, "Decahedron": 5000, "Octahedron": 6000}

_FEW: Final = 100

_RADII: Final = np.arange(2.5, 9.6, 0.25)
"""In units of b: to the nearest face."""

_ROUND, _CUBE, _RHOMBIC = (1.0, 1.0, 1.0), (1.0, sqrt(2), sqrt(3)), (sqrt(2), 1.0, sqrt(1.5))
_FORMS: Final[Mapping[str, tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]]] = {
    "FCC": ((sqrt(1 / 2), 1 / 2, sqrt(2 / 3)), (_ROUND, _CUBE)),
    "BCC": ((1 / 2, sqrt(1 / 2), sqrt(1 / 12)), (_ROUND, _RHOMBIC)),
}
"""From a layer to the next along {100}, {110} and {111} in units of b, and how far from the middle faces are, over the
distance of the nearest."""


def shapes_of_the_table() -> Iterator[Shape]:
    """All shapes, those of the published data set first."""
    published = catalogue()
    yield from published
    known = {(shape.family, *shape.parameters) for shape in published}
    larger = Limits(most_atoms=6000, layers=13, cells=14, shells=10, decahedron=8, length=20, cut_octahedra=True)
    for shape in catalogue(larger):
        if (shape.family, *shape.parameters) in known or shape.atoms > _MOST_ATOMS.get(shape.family, 6000):
            continue
        if compactness(shape.positions) < _COMPACT:
            yield shape
    for parameters in layered_parameters(FaultLimits(layers=(3, 7), hexagons=True)):
        yield Shape("Faulted", parameters)
    for parameters in twinned_parameters():
        yield Shape("Faulted", parameters)
    yield from round_shapes()
    yield from cut_twins()


def cut_twins() -> Iterator[Shape]:
    """Twinned octahedra, cut ones and whole, of more than `_FEW` atoms: without them such particles look like FCC."""
    shapes = (Shape("Faulted", parameters) for parameters in cut_twin_parameters())
    yield from {shape.atoms: shape for shape in shapes if shape.atoms > _FEW}.values()


def round_shapes() -> Iterator[Shape]:
    """Shapes of more than `_FEW` atoms whose layers along {100}, {110} and {111} end at chosen distances."""
    made = [Shape("Faulted", parameters) for parameters in hexagonal_parameters()]
    for family, (spacings, forms) in _FORMS.items():
        for radius, form in product(_RADII, forms):
            layers = tuple(round(radius * form[i] / spacings[i]) for i in range(3))
            made.append(Shape(family, layers))
    seen = set()
    for shape in made:
        spread = shape.positions.std(axis=0)
        key = (shape.family, shape.atoms, *np.round(spread, 4))  # other layers may end at the same atoms
        if _FEW < shape.atoms <= 6000 and key not in seen:
            seen.add(key)
            yield shape


def compactness(positions: FloatArray) -> float:
    """Largest over smallest principal moment."""
    moments = np.linalg.eigvalsh(np.cov(positions.T))
    return float(moments[-1] / max(moments[0], 1e-9))


def main() -> None:
    """Write the table."""
    np.savez_compressed(TABLE_FILE, **rows_of(shapes_of_the_table()))


def rows_of(shapes: Iterable[Shape]) -> dict[str, Any]:
    """The arrays of the file."""
    names, steps, offsets, counts, lengths, atoms, extent = [], [], [], [], [], [], []
    for shape in shapes:
        distances = pair_distances(shape.positions)
        bins, places, multiplicities = binned_distances(distances)
        names.append(" ".join(map(str, (shape.family, *shape.parameters))))
        steps.append(np.diff(bins, prepend=0).astype(np.uint16))
        offsets.append(np.clip(np.round(places * 256), 0, 255).astype(np.uint8))
        counts.append(multiplicities.astype(np.uint32))
        lengths.append(len(bins))
        atoms.append(shape.atoms)
        extent.append(distances.max())
    return {
        "names": np.array(names),
        "steps": np.concatenate(steps),
        "offsets": np.concatenate(offsets),
        "multiplicities": np.concatenate(counts),
        "lengths": np.array(lengths, np.uint32),
        "atoms": np.array(atoms, np.uint32),
        "extent": np.array(extent, np.float32),
    }


if __name__ == "__main__":
    main()
