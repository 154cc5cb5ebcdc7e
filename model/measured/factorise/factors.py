"""What factorising gives: the two factors of every plane, how well they are known, and whether to believe them."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import RealArray, Step
from dsfu.model.measured.solver.noise import stated_variance, variance_of
from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

Method = Literal["hybrid", "solver", "network"]
METHODS: tuple[Method, ...] = get_args(Method)

AGREES = "The data agree with binary substitutional disorder on one site."


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneFactors:
    """The factors of one plane, (y, x). Observed ≈ form_factor · sro + background.

    Attributes
    ----------
    measured
        The plane that was factorised.
    form_factor
        I_FF in the data's unit.
    sro
        I_SRO, not negative.
    background
        What was found to be constant on the plane, in the data's unit.
    sigma_form_factor, sigma_sro
        Standard uncertainties; None where the method has none.
    from_data
        True where the form factor follows from data; elsewhere it is a prior's or a network's guess.
    misfit
        Root mean square of observed − model over live pixels, relative to that of what was observed.
    """

    measured: MeasuredPlane
    form_factor: Float32Array
    sro: Float32Array
    background: float
    sigma_form_factor: Float32Array | None
    sigma_sro: Float32Array | None
    from_data: BoolArray
    misfit: float

    def __post_init__(self) -> None:
        for name in ("form_factor", "sro", "sigma_form_factor", "sigma_sro", "from_data"):
            values = getattr(self, name)
            if values is not None and values.shape != self.measured.live.shape:
                raise ValueError(
                    f"{name}: shape {values.shape}; expected {self.measured.live.shape}, the plane's pixels"
                )

    @property
    def name(self) -> str:
        return self.measured.name

    @property
    def live(self) -> BoolArray:
        return self.measured.live

    @property
    def plane(self) -> Plane:
        return self.measured.plane

    @property
    def cell(self) -> Cell | None:
        return self.measured.cell

    @property
    def model(self) -> RealArray:
        """What the factors say should have been observed."""
        return self.form_factor * self.sro + np.float32(self.background)

    @property
    def difference(self) -> RealArray:
        """Observed − model; 0 where dead."""
        return np.where(self.live, self.measured.intensity - self.model, 0)

    @property
    def noise_variance(self) -> FloatArray:
        """(y, x), in the data's unit: as the data state it, otherwise estimated from what the factors leave."""
        stated = stated_variance(self.measured.sigma, self.live)
        if stated is not None:
            return stated
        model = np.maximum(self.form_factor * self.sro.astype(np.float64), 0)
        observed = self.measured.intensity.astype(np.float64) - self.background
        return variance_of(np.where(self.live, observed - model, 0), model, self.live, self.measured.grain)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that should be so if the data are what the method assumes.

    Attributes
    ----------
    name
        What was looked at, for people.
    value
        What was found.
    limit
        Above it the check fails.
    passed
        Whether it holds.
    meaning
        What it means if it does not.
    """

    name: str
    value: float
    limit: float
    passed: bool
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the data can be taken for two factors at all: binary substitutional disorder on one site.

    Attributes
    ----------
    tells
        Whether the checks find what breaks the assumptions; a network's do not.
    too_little
        Why there are too few data to judge; empty if there are enough.
    """

    checks: tuple[Check, ...]
    tells: bool = True
    too_little: str = ""

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def judgement(self) -> Literal["agrees", "contradicts", "not judged"]:
        """In a word."""
        if not self.passed:
            return "contradicts"
        return "agrees" if self.checks and self.tells and not self.too_little else "not judged"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        failed = [check.meaning for check in self.checks if not check.passed]
        if not failed and not self.tells:
            return (
                "Whether the data are of the right kind, a network cannot tell: its answers fit nearly anything. "
                "The solver can, given the cell."
            )
        if not failed and self.too_little:
            return f"Not judged: {self.too_little}."
        if not failed:
            return AGREES
        return "The data do not agree with the assumptions: " + "; ".join(failed) + "."


@dataclass(frozen=True, kw_only=True, eq=False)
class CrystalFactors:
    """The planes of one crystal, factorised.

    Attributes
    ----------
    alpha_vectors
        (n, 3) indices u, v, w of lattice vectors, one of each ±v, the origin first. On a single plane vectors with the
        same projection cannot be told apart; then they stand for Σ α_v cos φ_v, relative to that of the origin.
    alpha, alpha_covariance
        The solver's own Warren–Cowley parameters and their covariance; None from a network.
    alpha_sines
        On a single plane that is neither a whole nor a half layer, the same sums with sines.
    axis_scales
        By what the lattice had to be stretched along x and y of each plane to fit, (planes, 2); 1 if it was held.
    """

    planes: tuple[PlaneFactors, ...]
    method: Method
    verdict: Verdict
    alpha_vectors: IntArray | None = None
    alpha: FloatArray | None = None
    alpha_sines: FloatArray | None = None
    alpha_covariance: FloatArray | None = None
    axis_scales: FloatArray | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    history: tuple[Step, ...] = ()

    @property
    def stretched(self) -> bool:
        """Whether the lattice was stretched."""
        return self.axis_scales is not None and bool((self.axis_scales != 1).any())
