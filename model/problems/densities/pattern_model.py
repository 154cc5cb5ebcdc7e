"""What a decorated structure type gives as a powder pattern, with derivatives by all that a fit moves."""

from typing import Final

import numpy as np

from dsfu.model.problems.densities.fit_target import fit_target
from dsfu.model.problems.densities.metrics import coefficients, metric_of
from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.structure_types import StructureType

_REACH: Final = 12.0
"""FWHM to which the strongest peaks are followed: 97 % of a Lorentzian's area."""

_TAIL: Final = 1e-4
"""Share of the highest peak below which a tail is not followed further."""

_NUDGE: Final = 1e-4
"""Fractions of the cell by which free positions move for derivatives of |F|²."""

SHAPE: Final = 6
"""Values of a fit between those of the cell and those of positions: zero, two of widths, mixing, asymmetry, B."""

Source = tuple[tuple[float, float], ...]
"""Wavelengths in Å and their shares."""


class PatternModel:
    """The pattern of a type, without scale, as a function of cell, zero, widths, displacement and free positions.

    Values of a fit, in this order: factors of the metric's parameters, zero shift, constant and tan θ parts of the
    width (all in degrees), Lorentzian share, asymmetry in degrees, B in Å², shifts of free positions. Scale and a
    smooth curve that the background left are solved for. ``coarse``: of how many of its points one is made.
    """

    def __init__(
        self, kind: StructureType, cell: FloatArray, signal: Signal, source: Source, *, coarse: int = 1
    ) -> None:  # fmt: skip
        from dsfu.simulate.densities.pattern import reflections

        self.kind, self.source, self.system = kind, source, kind.system
        self.reference = np.asarray(cell, np.float64)
        self.metric = metric_of(self.reference, self.system)
        self.moves = _moves(self.metric, self.system)
        self.target = fit_target(signal, coarse)
        self.two_theta = self.target.two_theta
        self.main = source[0][0]
        s_max = min(np.sin(np.radians(min(self.two_theta[-1] / 2 + 1, 89))) / self.main, 1.5)
        self.s_max = float(s_max)
        self._reflections = reflections
        found = reflections(kind.crystal(self.reference), self.s_max, wavelength=self.main)
        table = np.round(coefficients(found.hkl, self.system), 6)
        self.table, which = np.unique(table, axis=0, return_inverse=True)
        self.which: IntArray = which.ravel()
        self.hkl: IntArray = found.hkl
        self._cached: dict[bytes, FloatArray] = {}
        self._texture: FloatArray = np.ones(len(found.hkl))

    @property
    def size(self) -> int:
        """Parameters of the metric."""
        return len(self.metric)

    def metric_at(self, values: FloatArray) -> FloatArray:
        """The reciprocal metric that the first values stand for."""
        return np.asarray(self.metric + self.moves @ (values[: self.size] - 1))

    def orient(self, axis: tuple[int, int, int], amount: float) -> None:
        """Crystallites lie along an axis from here on, by March's r; 1: they lie at random."""
        from dsfu.simulate.densities.profiles import march_dollase

        self._texture = march_dollase(self.kind.crystal(self.reference), self.hkl, axis, amount)

    def squares(self, free: FloatArray) -> FloatArray:
        """|F|² of all reflections without displacement, with the texture."""
        key = np.ascontiguousarray(free).tobytes()
        if key not in self._cached:
            if len(self._cached) > 100:
                self._cached.clear()
            crystal = self.kind.crystal(self.reference, free if len(free) else None)
            self._cached[key] = self._reflections(crystal, self.s_max, wavelength=self.main).square
        return self._cached[key] * self._texture

    def pattern(self, values: FloatArray) -> FloatArray:
        """The pattern without scale."""
        from dsfu.simulate.densities.profile_slopes import peaks_within

        out = np.zeros(len(self.two_theta))
        squares = self.squares(values[self.size + SHAPE :])
        for peaks in self._peaks(values, self._summed(squares)):
            peaks_within(
                self.two_theta, peaks.centres, peaks.areas, peaks.widths, values[self.size + 3], peaks.reaches,
                peaks.skews, out,
            )  # fmt: skip
        return out

    def pattern_and_slopes(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The pattern without scale (points,) and its derivatives by the values (points, values).

        How Lorentz factor and width change with the cell is left out: it is small beside the shift of the peaks.
        """
        from dsfu.simulate.densities.profile_slopes import pseudo_voigts_and_slopes

        out, slopes = np.zeros(len(self.two_theta)), np.zeros((len(self.two_theta), len(values)))
        free = values[self.size + SHAPE :]
        summed = self._summed(self.squares(free))
        by_free = np.empty((len(summed), len(free)))
        for j in range(len(free)):
            nudged = free.copy()
            nudged[j] += _NUDGE
            by_free[:, j] = (self._summed(self.squares(nudged)) - summed) / _NUDGE
        for peaks in self._peaks(values, summed):
            # 2θ in degrees by the metric: sin² θ = λ² / 4 · coefficients · metric.
            rate = np.degrees(0.25 * peaks.wavelength / (peaks.s * np.cos(peaks.theta)))
            centre_slopes = np.empty((len(peaks.s), self.size + 1))
            centre_slopes[:, :-1] = rate[:, None] * (self.table[peaks.chosen] @ self.moves)
            centre_slopes[:, -1] = 1
            constant, tangent = values[self.size + 1], values[self.size + 2]
            # w² = (constant / cos θ)² + (tangent · tan θ)².
            width_slopes = np.stack(
                [constant / np.cos(peaks.theta) ** 2, tangent * np.tan(peaks.theta) ** 2], axis=1
            ) / peaks.even[:, None]  # fmt: skip
            area_slopes = np.empty((len(peaks.s), 1 + len(free)))
            area_slopes[:, 0] = -2 * peaks.s**2 * peaks.areas
            area_slopes[:, 1:] = peaks.factor[:, None] * by_free[peaks.chosen]
            pseudo_voigts_and_slopes(
                self.two_theta, peaks.centres, peaks.areas, peaks.widths, values[self.size + 3], peaks.reaches,
                peaks.skews, peaks.skew_slopes, centre_slopes, width_slopes, area_slopes, out, slopes,
            )  # fmt: skip
        return out, slopes

    def _summed(self, squares: FloatArray) -> FloatArray:
        """|F|² of all reflections that share a line."""
        return np.bincount(self.which, squares, minlength=len(self.table)).astype(np.float64)

    def _peaks(self, values: FloatArray, summed: FloatArray) -> "list[_Peaks]":
        metric = self.metric_at(values)
        zero, constant, tangent, _, asymmetry, b_iso = values[self.size : self.size + SHAPE]
        s = 0.5 * np.sqrt(np.maximum(self.table @ metric, 1e-9))
        return [
            found
            for wavelength, share in self.source
            if (found := _Peaks(s, summed, wavelength, share, zero, (constant, tangent, asymmetry), b_iso)).areas.size
        ]

    def residual(self, values: FloatArray) -> FloatArray:
        """Weighted differences with the best scale and smooth curve."""
        bare = self.target.without(self.pattern(values) * self.target.weight)
        return np.asarray(self.target.scale(bare) * bare - self.target.wanted)

    def jacobian(self, values: FloatArray) -> FloatArray:
        """Derivatives of `residual`: what scale and smooth curve take up is projected out (Kaufman 1975)."""
        pattern, slopes = self.pattern_and_slopes(values)
        target = self.target
        bare = target.without(pattern * target.weight)
        weighted = target.without(slopes * (target.scale(bare) * target.weight)[:, None])
        unit = bare / max(float(np.linalg.norm(bare)), 1e-300)
        return np.asarray(weighted - np.outer(unit, unit @ weighted))


class _Peaks:
    """Lines of one wavelength that are worth drawing."""

    def __init__(
        self, s: FloatArray, summed: FloatArray, wavelength: float, share: float, zero: float,
        shape: tuple[float, float, float], b_iso: float,
    ) -> None:  # fmt: skip
        from dsfu.simulate.densities.pattern import lorentz_polarisation

        self.wavelength = wavelength
        inside = np.flatnonzero((wavelength * s < 0.998) & (summed > 0))
        theta = np.arcsin(wavelength * s[inside])
        factor = share * np.exp(-2 * b_iso * s[inside] ** 2) * lorentz_polarisation(theta)
        areas = factor * summed[inside]
        strong = areas > 1e-5 * areas.max(initial=0.0)
        self.chosen: IntArray = inside[strong]
        self.s, self.theta, self.areas, self.factor = s[self.chosen], theta[strong], areas[strong], factor[strong]
        self.centres = np.degrees(2 * self.theta) + zero
        self.widths = np.hypot(shape[0] / np.cos(self.theta), shape[1] * np.tan(self.theta))
        # Axial divergence draws out the left half in proportion to cot 2θ.
        lean = 0.5 / np.tan(np.clip(2 * self.theta, 1e-3, 0.5 * np.pi))
        self.even, self.widths = self.widths, self.widths + shape[2] * lean
        self.skews = shape[2] * lean / self.widths
        self.skew_slopes = np.stack([lean * self.even / self.widths**2, lean], axis=1)
        heights = self.areas / self.widths
        # A Lorentzian falls to 1/(4 u²) of its height at u FWHM.
        self.reaches = np.clip(np.sqrt(heights / (4 * _TAIL * heights.max(initial=1e-300))), 2.0, _REACH)


def _moves(metric: FloatArray, system: str) -> FloatArray:
    """Changes of the metric by the factors of a fit: (metric, factors)."""
    size, diagonal = len(metric), min(len(metric), 3)
    scale = float(np.abs(metric[:diagonal]).mean())
    moves = np.diag([*metric[:diagonal], *[scale] * (size - diagonal)])
    if system == "rhombohedral":
        moves = np.array([[metric[0], 0], [metric[1], scale]])
    return np.asarray(moves)
