"""The fit of a whole pattern: cell, zero, widths, displacement, and positions that symmetry leaves free."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import least_squares, nnls

from dsfu.model.problems.densities.metrics import cell_of, coefficients, metric_of
from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.structure_types import StructureType

_REACH: Final = 12.0
"""FWHM to which peaks are followed in fits: 97 % of a Lorentzian's area."""

_POINTS: Final = 3000
"""Points of the pattern that a fit looks at. Chosen: some ten per peak on usual ranges."""

DOUBLETS: Final = {
    1.54056: 1.544398, 0.70930: 0.713590, 1.78897: 1.792850, 1.93604: 1.939980, 2.28970: 2.293606, 0.55941: 0.563798
}  # fmt: skip
"""Å: K-alpha-2 by K-alpha-1, of Cu, Mo, Co, Fe, Cr and Ag (International Tables C, table 4.2.2.4)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """A decorated type fitted to a pattern.

    Attributes
    ----------
    kind
        With the cell and the positions of the fit.
    r
        Σ|net − calculated| / Σ net, over the range fitted.
    zero
        Shift of angles in degrees.
    fwhm
        In degrees, at the middle of the range.
    b_iso
        Å², of all atoms.
    texture
        March's r and its axis; 1: none.
    two_theta, net, calculated
        Curves of the fit.
    """

    kind: StructureType
    r: float
    zero: float
    fwhm: float
    b_iso: float
    texture: float
    texture_axis: tuple[int, int, int] | None
    parameters: int
    two_theta: FloatArray
    net: FloatArray
    calculated: FloatArray


def wavelengths_of(wavelength: float) -> tuple[tuple[float, float], ...]:
    """Lines of the source and their weights: a doublet where the wavelength is that of its first or its mean."""
    for first, second in DOUBLETS.items():
        mean = (2 * first + second) / 3
        if abs(wavelength - first) < 2e-4 or abs(wavelength - mean) < 4e-4:
            return ((first, 2 / 3), (second, 1 / 3))
    return ((wavelength, 1.0),)


class PatternModel:
    """What a decorated type gives as a pattern, as a function of all that is fitted."""

    def __init__(
        self, kind: StructureType, cell: FloatArray, signal: Signal, source: tuple[tuple[float, float], ...]
    ) -> None:
        from dsfu.simulate.densities.pattern import reflections

        self.kind, self.source, self.system = kind, source, kind.system
        self.reference = np.asarray(cell, np.float64)
        self.metric = metric_of(self.reference, self.system)
        stride = max(1, round(len(signal.net) / _POINTS))
        points = len(signal.net) // stride * stride
        self.two_theta = signal.two_theta[:points].reshape(-1, stride).mean(axis=1)
        self.net = signal.net[:points].reshape(-1, stride).mean(axis=1)
        sigma = signal.sigma[:points].reshape(-1, stride).mean(axis=1)
        # Counting noise alone would let the strongest peak's shape decide: model errors are some 3 % of the height.
        model_error = (0.03 * np.maximum(self.net, 0)) ** 2 + (2e-3 * self.net.max()) ** 2
        self.weight = 1 / np.sqrt(sigma**2 / stride + model_error)
        self.main = source[0][0]
        s_max = min(np.sin(np.radians(min(self.two_theta[-1] / 2 + 1, 89))) / self.main, 1.5)
        self.s_max = float(s_max)
        self._reflections = reflections
        found = reflections(kind.crystal(self.reference), self.s_max, wavelength=self.main)
        table = np.round(coefficients(found.hkl, self.system), 6)
        self.table, self.which = np.unique(table, axis=0, return_inverse=True)
        self.which = self.which.ravel()
        self.hkl: IntArray = found.hkl
        self.cached: tuple[bytes, FloatArray] = (b"", np.empty(0))

    def squares(self, free: FloatArray) -> FloatArray:
        """|F|² of all reflections without displacement."""
        key = np.ascontiguousarray(free).tobytes()
        if self.cached[0] != key or not len(self.cached[1]):
            found = self._reflections(self.kind.crystal(self.reference, free), self.s_max, wavelength=self.main)
            self.cached = (key, found.square)
        return self.cached[1]

    def pattern(
        self, metric: FloatArray, zero: float, shape: FloatArray, b_iso: float, free: FloatArray,
        texture: float = 1.0, axis: tuple[int, int, int] | None = None,
    ) -> FloatArray:  # fmt: skip
        """The pattern without scale. shape: constant and tan θ parts of the width in degrees, and mixing."""
        from dsfu.simulate.densities.kernels import pseudo_voigts
        from dsfu.simulate.densities.pattern import lorentz_polarisation
        from dsfu.simulate.densities.profiles import march_dollase

        squares = self.squares(free)
        if axis is not None and texture != 1:
            squares = squares * march_dollase(self.kind.crystal(self.reference), self.hkl, axis, texture)
        summed = np.bincount(self.which, squares, minlength=len(self.table))
        with np.errstate(invalid="ignore"):
            s = 0.5 * np.sqrt(np.maximum(self.table @ metric, 1e-9))
        summed = summed * np.exp(-2 * b_iso * s**2)
        out = np.zeros(len(self.two_theta))
        for wavelength, share in self.source:
            sine = wavelength * s
            inside = (sine < 0.998) & (summed > 0)
            theta = np.arcsin(sine[inside])
            areas = share * summed[inside] * lorentz_polarisation(theta)
            strong = areas > 1e-5 * areas.max() if len(areas) else np.zeros(0, bool)
            theta, areas = theta[strong], areas[strong]
            widths = np.hypot(shape[0] / np.cos(theta), shape[1] * np.tan(theta))
            mixing = np.full(len(theta), np.clip(shape[2], 0, 1))
            pseudo_voigts(self.two_theta, np.degrees(2 * theta) + zero, areas, widths, mixing, _REACH, out)
        return out

    def scaled(self, pattern: FloatArray) -> FloatArray:
        """Pattern times its best scale, with a level and a slope of what the background left: all by least squares."""
        span = np.linspace(-1, 1, len(pattern))
        columns = np.stack([pattern, np.ones_like(span), -np.ones_like(span), span, -span], axis=1)
        norms = np.maximum(np.linalg.norm(columns * self.weight[:, None], axis=0), 1e-300)
        try:
            amounts, _ = nnls(columns * self.weight[:, None] / norms, self.net * self.weight)
        except RuntimeError:
            return np.zeros_like(pattern)
        return np.asarray(columns @ (amounts / norms))


def fit(
    kind: StructureType, cell: FloatArray, signal: Signal, source: tuple[tuple[float, float], ...], *, positions: bool,
    texture_axes: tuple[tuple[int, int, int], ...] = (),
) -> Fit:  # fmt: skip
    """Fit one decorated type, from a cell that is nearly right: first the cell, then positions, then texture."""
    model = PatternModel(kind, cell, signal, source)
    size, free = len(model.metric), np.zeros(kind.free)
    start = np.concatenate([np.ones(size), [0.0, signal.fwhm, 0.3 * signal.fwhm, 0.5, 1.0]])
    low = np.concatenate([np.full(size, 0.95), [-0.4, 0.15 * signal.fwhm, 0.0, 0.0, -1.0]])
    high = np.concatenate([np.full(size, 1.05), [0.4, 3 * signal.fwhm, 4 * signal.fwhm, 1.0, 8.0]])

    def split(values: FloatArray) -> tuple[FloatArray, float, FloatArray, float]:
        metric = model.metric.copy()
        diagonal = min(size, 3)
        metric[:diagonal] *= values[:diagonal]
        scale = float(np.abs(model.metric[:diagonal]).mean())
        metric[diagonal:] += (values[diagonal:size] - 1) * scale
        if model.system == "rhombohedral":
            metric = model.metric * values[0] + np.array([0, (values[1] - 1) * scale])
        return metric, float(values[size]), values[size + 1 : size + 4], float(values[size + 4])

    def residual(values: FloatArray) -> FloatArray:
        moved = values[size + 5 :] if positions else free
        pattern = model.pattern(*split(values), moved)
        return np.asarray((model.scaled(pattern) - model.net) * model.weight)

    def without_positions(values: FloatArray) -> FloatArray:
        return np.asarray((model.scaled(model.pattern(*split(values), free)) - model.net) * model.weight)

    # Broad peaks first: they reach over to a cell that is a little wrong.
    for wide, steps in ((2.2, 6), (1.0, 10)):
        floor = low.copy()
        floor[size + 1] = 0.7 * wide * signal.fwhm if wide > 1 else low[size + 1]
        start[size + 1] = wide * signal.fwhm
        found = least_squares(
            without_positions, np.clip(start, floor + 1e-9, high - 1e-9), bounds=(floor, high), loss="soft_l1",
            max_nfev=steps,
        )  # fmt: skip
        start = np.clip(found.x, low + 1e-9, high - 1e-9)
    values, parameters = start, size + 6
    if positions and kind.free:
        start = np.concatenate([start, np.zeros(kind.free)])
        room = np.full(kind.free, 0.09)
        found = least_squares(
            residual, start, bounds=(np.concatenate([low, -room]), np.concatenate([high, room])),
            loss="soft_l1", max_nfev=14,
            x_scale=np.concatenate([np.full(size, 1e-3), [0.05, 0.05, 0.05, 0.3, 1], room / 5]),
        )  # fmt: skip
        values, parameters = found.x, parameters + kind.free
        free = values[size + 5 :]
    metric, zero, shape, b_iso = split(values)
    texture, axis = 1.0, None
    calculated = model.scaled(model.pattern(metric, zero, shape, b_iso, free))
    r = _r_factor(model, calculated)
    for trial in texture_axes:
        for amount in (0.55, 0.7, 0.85, 1.2, 1.5):
            other = model.scaled(model.pattern(metric, zero, shape, b_iso, free, amount, trial))
            if _r_factor(model, other) < 0.9 * r:
                r, texture, axis, calculated = _r_factor(model, other), amount, trial, other
    final = cell_of(metric, model.system)
    moved = kind.moved(final if final is not None else cell, free)
    middle = np.radians((model.two_theta[0] + model.two_theta[-1]) / 4)
    return Fit(
        kind=moved, r=r, zero=zero, fwhm=float(np.hypot(shape[0] / np.cos(middle), shape[1] * np.tan(middle))),
        b_iso=b_iso, texture=texture, texture_axis=axis, parameters=parameters + (axis is not None),
        two_theta=model.two_theta, net=model.net, calculated=calculated,
    )  # fmt: skip


def _r_factor(model: PatternModel, calculated: FloatArray) -> float:
    """Σ|net − calculated| / Σ|net|; noise alone counts too, so weak patterns have large ones."""
    return float(np.abs(model.net - calculated).sum() / max(np.abs(model.net).sum(), 1e-12))
