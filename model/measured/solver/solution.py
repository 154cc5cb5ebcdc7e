"""What the solver found."""

from dataclasses import dataclass

from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """How well model and data agree on the live pixels of one plane, or of all.

    Attributes
    ----------
    relative
        √(Σ (model − data)² / Σ data²).
    structured
        Root mean square difference of √I, relative to the plane's maximum, that neighbouring pixels share. Noise, which
        they do not share, does not count.
    certain
        The same less two standard errors: what is there for certain.
    reduced_chi_square
        Mean of ((model − data) / σ)², with the data's σ; NaN where it is unknown.
    """

    relative: float
    structured: float
    certain: float
    reduced_chi_square: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneSolution:
    """Both factors on one plane, (y, x) each. Data = form_factor · sro + background.

    Attributes
    ----------
    form_factor
        I_FF in the data's unit, not negative.
    sro
        I_SRO, not negative. From one plane alone its scale is a convention: its mean over one period is 1.
    intensity
        The model of the data, background included.
    sigma_form_factor, sigma_sro
        Standard uncertainties; None unless asked for.
    background
        In the data's unit.
    scale
        The intensity, in the data's unit, that was taken for 1 in the fit.
    misfit
        On this plane.
    determined
        True where the data fix I_FF: live, and I_SRO not near zero.
    stretch
        By how much lattice vectors were stretched along x and y: (0, 0) is not at all.
    """

    form_factor: Float32Array
    sro: Float32Array
    intensity: Float32Array
    sigma_form_factor: Float32Array | None
    sigma_sro: Float32Array | None
    background: float
    scale: float
    misfit: Misfit
    determined: BoolArray
    stretch: tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """The factors of all planes of one crystal, and the short-range order behind them.

    Attributes
    ----------
    planes
        In the order of the data.
    alpha_vectors
        (n, 3): lattice vectors [u, v, w], one of each ±, the origin first. From one plane: one for every point that
        lattice vectors project on.
    alpha_values
        (n,): α of each vector; from one plane the sum Σ α_v cos φ_v over all vectors that project there, relative to
        that of the origin.
    alpha_sines
        (n,): from a plane that is no integer or half-integer layer, the same with the sine; otherwise zeros.
    alpha_covariance
        (n, n) of alpha_values; None unless asked for.
    alpha
        (11, 11, 11) as in `dsfu.simulate.disorder.fields`, from several planes; None from one.
    axis_scales
        Factors (planes, 2) by which lattice vectors were stretched along x and y of each plane.
    iterations
        Evaluations of the model.
    widened
        How often the prior of the Patterson function had to be widened.
    converged
        Whether the structured misfit came below the threshold.
    """

    planes: tuple[PlaneSolution, ...]
    alpha_vectors: IntArray
    alpha_values: FloatArray
    alpha_sines: FloatArray
    alpha_covariance: FloatArray | None
    alpha: FloatArray | None
    misfit: Misfit
    axis_scales: FloatArray
    iterations: int
    seconds: float
    widened: int
    converged: bool
