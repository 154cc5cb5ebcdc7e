"""Factors of planes made for the tests: smooth functions of hkl, so that every pixel's value is known."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.factorise.factors import Check, CrystalFactors, PlaneFactors, Verdict
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.lattice import Cell

HEXAGONAL = Cell(7.0, 7.0, 5.0, 90, 90, 120)
TRICLINIC = Cell(6.0, 7.0, 8.0, 80, 95, 110)
GOOD = Check(name="misfit", value=0.004, limit=0.01, passed=True, meaning="the product does not fit")
BAD = Check(name="asymmetry that grows with Q", value=0.3, limit=0.05, passed=False, meaning="atoms are displaced")


def order(hkl: FloatArray) -> FloatArray:
    """I_SRO with two Warren–Cowley parameters."""
    h, k, li = np.moveaxis(hkl, -1, 0)
    return np.asarray(1 + 0.5 * np.cos(2 * np.pi * (h + k)) - 0.4 * np.cos(2 * np.pi * (h - li)))


def smooth(q: FloatArray) -> FloatArray:
    """I_FF of an atom that moves."""
    return np.asarray(50 * np.exp(-0.05 * np.square(q).sum(axis=-1)))


def plane_factors(
    plane: Plane,
    cell: Cell | None,
    *,
    name: str = "hk1",
    uncertain: bool = True,
    sro: Callable[[FloatArray], FloatArray] = order,
) -> PlaneFactors:
    """One plane with a beam stop and a gap, no noise."""
    lattice = cell or HEXAGONAL
    y, x = np.mgrid[: plane.pixels, : plane.pixels] - plane.pixels // 2
    live = (np.hypot(x, y) > plane.pixels / 12) & (np.abs(x - plane.pixels // 5) > 1)
    form_factor = smooth(plane.q).astype(np.float32)
    found = sro(plane.hkl(lattice)).astype(np.float32)
    sigma = np.full_like(found, 0.01) if uncertain else None
    return PlaneFactors(
        measured=MeasuredPlane(
            intensity=np.where(live, form_factor * found, 0).astype(np.float32),
            live=live,
            plane=plane,
            cell=cell,
            name=f"{name} of crystal.h5",
            source="crystal.h5",
            history=(Step(name="cut", parameters={"plane": name}),),
        ),
        form_factor=form_factor,
        sro=found,
        background=0.0,
        sigma_form_factor=None if sigma is None else 50 * sigma,
        sigma_sro=sigma,
        from_data=live & (found > 0.15),
        misfit=0.01,
    )


def factors_of(*planes: PlaneFactors, checks: tuple[Check, ...] = (GOOD,), **others: Any) -> CrystalFactors:
    settings = {"cutoff": 6}
    step = Step(name="factorise", parameters={"method": "solver", **settings})
    return CrystalFactors(
        planes=planes, method="solver", verdict=Verdict(checks=checks), settings=settings, history=(step,), **others
    )


def hexagonal_layer(pixels: int = 64, index: float = 1.0, q_max: float = 3.0) -> Plane:
    return layer(HEXAGONAL, "c", index, q_max, pixels)
