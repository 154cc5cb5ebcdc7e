"""Form factors of the elements on a fine grid of s = sin θ / λ, as the kernels of patterns and densities take them."""

from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.form_factors import it92

STEP: Final = 5e-4
"""Spacing of the tables in 1/Å. Linear interpolation errs by less than 2e-6 of f (measured over all elements)."""

_MOTT_BETHE: Final = 41.78214
"""Å² electrons: factor of the Mott-Bethe formula, as the published table is meant to be used."""

Source = Literal["it92", "published"]
"""``it92``: International Tables C, table 6.1.1.4. ``published``: what pymatgen's XRDCalculator uses."""


@lru_cache(maxsize=256)
def form_factor_table(number: int, s_max: float, source: Source = "it92") -> FloatArray:
    """f at s = 0, STEP, 2 STEP … to just beyond s_max, in electrons."""
    s_squared = (np.arange(int(s_max / STEP) + 3) * STEP) ** 2
    if source == "published":
        name = gemmi.Element(number).name
        table = _published()
        if name not in table:
            raise ValueError(f"{name} has no form factor in the published table")
        a, b = table[name].reshape(-1, 2).T
        return np.asarray(number - _MOTT_BETHE * s_squared * (a * np.exp(-b * s_squared[:, None])).sum(axis=1))
    a, b, c = it92(number)
    return np.asarray((a * np.exp(-b * s_squared[:, None])).sum(axis=1) + c)


@lru_cache(maxsize=256)
def valence_table(number: int, s_max: float) -> FloatArray:
    """f of the valence electrons alone: the widest Gaussians of IT92, as many electrons as the element has outside.

    A substitute for a pseudo density, not a calculation of one: how many electrons count is `valence_electrons`, where
    they are is what the widest Gaussians say.
    """
    s_squared = (np.arange(int(s_max / STEP) + 3) * STEP) ** 2
    a, b, _ = it92(number)
    left, total = float(valence_electrons(number)), np.zeros(len(s_squared))
    for k in np.argsort(-b):
        part = min(max(a[k], 0.0), left)
        total += part * np.exp(-b[k] * s_squared)
        left -= part
    # What the Gaussians lack is put into the narrowest, so that the valence electrons are all there.
    return np.asarray(total + left * np.exp(-b.min() * s_squared))


def valence_electrons(number: int) -> int:
    """Electrons outside the noble-gas core and outside filled d and f shells; lanthanides and actinides count 3."""
    core = max((each for each in (0, 2, 10, 18, 36, 54, 86) if each < number), default=0)
    outside = number - core
    if core in (54, 86) and outside > 3:
        return 3 if outside <= 17 else outside - 14 - (10 if outside > 26 else 0)
    return outside - 10 if core in (18, 36) and outside > 12 else outside


@lru_cache(maxsize=1)
def _published() -> dict[str, FloatArray]:
    text = (files("dsfu.simulate.densities.tables") / "published_form_factors.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {name: np.array(values.split(), np.float64) for name, values in rows}


def dispersion(numbers: npt.ArrayLike, wavelength: float) -> tuple[FloatArray, FloatArray]:
    """f′ and f″ in electrons (Cromer and Liberman, from gemmi) of elements at a wavelength in Å."""
    energy = 12398.4198 / wavelength
    real, imaginary = [], []
    for number in np.atleast_1d(np.asarray(numbers, np.int64)):
        fp, fpp = gemmi.cromer_liberman(z=int(number), energy=energy) if number > 2 else (0.0, 0.0)
        real.append(fp)
        imaginary.append(fpp)
    return np.array(real), np.array(imaginary)
