"""What the data are: names, shapes, units and conventions shared by everything that writes or reads them.

Light, so that the training stage can use it without numba, ase or dask.

Conventions
-----------
- Lengths in Å, scattering vectors Q in 1/Å with the 2π included, angles in degrees.
- Cartesian frame of a cell: a along x, b in the xy plane, c completing a right-handed set; in a cell with unique axis b
  (every cell of the species library) b is then along y.
- A plane is an array indexed ``[y, x]``; pixel ``(pixels // 2, pixels // 2)`` is its centre.
- ``alpha[u + 5, v + 5, w + 5]`` is the Warren–Cowley parameter of the lattice vector ``u a + v b + w c``.
"""

from typing import Final

from dsfu.simulate.fields import Field

SHELL_CUTOFF: Final = 5
"""Largest index |u|, |v|, |w| of a lattice vector that has a Warren–Cowley parameter."""

ALPHA_SHAPE: Final = (2 * SHELL_CUTOFF + 1,) * 3
"""Shape of a set of Warren–Cowley parameters: 1331 vectors, that is 665 pairs ±v and the origin."""

PIXELS: Final = 256
"""Pixels along each side of a plane, unless the plane says otherwise."""


PLANE_FIELDS: Final = (
    Field(
        name="form_factor",
        dtype="uint16",
        dims=("sample", "y", "x"),
        kept_as="array",
        units="1",
        long_name="√(I_FF / form_factor_scale) · 65535: molecular form factor difference",
    ),
    Field(
        name="sro",
        dtype="uint16",
        dims=("sample", "y", "x"),
        kept_as="array",
        units="1",
        long_name="√(I_SRO / sro_scale) · 65535: chemical short-range order",
    ),
)
"""What is stored for every pixel. I_D is the product of the two and is not stored."""

SAMPLE_FIELDS: Final = (
    Field(
        name="form_factor_scale",
        dtype="float32",
        dims=("sample",),
        units="electrons^2",
        long_name="maximum of I_FF on the plane, per unit cell",
    ),
    Field(name="sro_scale", dtype="float32", dims=("sample",), units="1", long_name="maximum of I_SRO on the plane"),
    Field(
        name="clipped_fraction",
        dtype="float32",
        dims=("sample",),
        units="1",
        long_name="share of the pixels at which the truncated series of I_SRO was negative and set to zero",
    ),
    Field(name="fraction_a", dtype="float64", dims=("sample",), units="1", long_name="mole fraction of species A"),
    Field(
        name="cell",
        dtype="float64",
        dims=("sample", "cell_constant"),
        shape=(6,),
        units="angstrom, degree",
        long_name="a, b, c, alpha, beta, gamma of the mixed crystal",
    ),
    Field(
        name="plane_axis",
        dtype="int8",
        dims=("sample",),
        units="1",
        long_name="direct lattice vector normal to the plane: 0 a, 1 b, 2 c",
    ),
    Field(
        name="plane_offset",
        dtype="float64",
        dims=("sample",),
        units="reciprocal lattice units",
        long_name="the index (h, k or l) that is constant on the plane",
    ),
    Field(name="q_max", dtype="float64", dims=("sample",), units="1/angstrom", long_name="half the side of the plane"),
    Field(
        name="centre",
        dtype="float64",
        dims=("sample", "xyz"),
        shape=(3,),
        units="1/angstrom",
        long_name="scattering vector at pixel (pixels // 2, pixels // 2)",
    ),
    Field(
        name="axis_x",
        dtype="float64",
        dims=("sample", "xyz"),
        shape=(3,),
        units="1",
        long_name="direction in which x grows",
    ),
    Field(
        name="axis_y",
        dtype="float64",
        dims=("sample", "xyz"),
        shape=(3,),
        units="1",
        long_name="direction in which y grows",
    ),
)
"""What a shard records of each of its planes."""

STORE_FIELDS: Final = (
    Field(
        name="pair", dtype="int32", dims=("sample",), units="1", long_name="number of the molecule pair in its split"
    ),
    Field(name="species_a", dtype="int32", dims=("sample",), units="1", long_name="index of species A in /species"),
    Field(name="species_b", dtype="int32", dims=("sample",), units="1", long_name="index of species B in /species"),
    Field(name="sro_set", dtype="int32", dims=("sample",), units="1", long_name="index of the set in /sro_sets"),
    Field(
        name="mask", dtype="int32", dims=("sample",), units="1", long_name="index of the mask in /masks, -1 for none"
    ),
    Field(name="kept", dtype="bool", dims=("sample",), units="1", long_name="whether the plane is unique, to be used"),
    Field(
        name="duplicate_of",
        dtype="int32",
        dims=("sample",),
        units="1",
        long_name="sample that a plane which is not kept repeats, -1 for none",
    ),
    Field(
        name="duplicate_distance",
        dtype="float32",
        dims=("sample",),
        units="1",
        long_name="distance to the sample that it repeats, NaN for none",
    ),
)
"""What closing the store adds to each plane."""

DECISION_FIELDS: Final = (
    Field(
        name="candidate_of",
        dtype="int32",
        dims=("sample",),
        units="1",
        long_name="sample kept before that is nearest by the lower bound, if that is below the threshold; -1 for none",
    ),
    Field(
        name="candidate_distance",
        dtype="float32",
        dims=("sample",),
        units="1",
        long_name="lower bound of the distance to it, NaN for none",
    ),
)
"""What closing adds where the metric is wasserstein: what the lower bound said before the distance itself decided."""
