"""Loops that try cells: how well the lines of a structure agree with a measured powder pattern."""

import math

import numpy as np
from numba import njit

from dsfu.simulate.arrays import FloatArray, IntArray


@njit(nogil=True, cache=True)
def _score(
    coefficients: FloatArray,
    weights: FloatArray,
    metric: FloatArray,
    wavelength: float,
    start: float,
    step: float,
    observed: FloatArray,
    bins: FloatArray,
    touched: IntArray,
) -> float:
    """Cosine of two patterns of square roots: lines of weights at 1/d² = coefficients · metric against bins of 2θ."""
    points = observed.shape[0]
    count = 0
    for i in range(coefficients.shape[0]):
        value = 0.0
        for j in range(metric.shape[0]):
            value += coefficients[i, j] * metric[j]
        if value <= 0:
            continue
        # Bragg: sin θ = λ / 2d.
        sine = 0.5 * wavelength * math.sqrt(value)
        if sine >= 0.9998:
            continue
        theta = math.asin(sine)
        place = (2 * theta * 180 / math.pi - start) / step
        cell = int(place + 0.5)
        if place < -0.5 or cell >= points:
            continue
        cosine = math.cos(2 * theta)
        # Lorentz and polarisation factors of powders: (1 + cos² 2θ) / (sin² θ cos θ).
        lp = (1 + cosine * cosine) / (sine * sine * math.cos(theta))
        if bins[cell] == 0.0:
            touched[count] = cell
            count += 1
        bins[cell] += weights[i] * lp
    # Only bins that a line fell into are read and cleared: most of the pattern is empty.
    dot = norm = 0.0
    for n in range(count):
        cell = touched[n]
        amplitude = math.sqrt(bins[cell])
        dot += amplitude * observed[cell]
        norm += bins[cell]
        bins[cell] = 0.0
    if norm == 0.0:
        return 0.0
    return dot / math.sqrt(norm)


@njit(nogil=True, cache=True)
def cosines_of_metrics(
    coefficients: FloatArray,
    weights: FloatArray,
    metrics: FloatArray,
    wavelength: float,
    start: float,
    step: float,
    observed: FloatArray,
    out: FloatArray,
) -> None:
    """Agreement of one set of lines with a measured pattern, for many cells.

    coefficients: (lines, p), so that 1/d² = coefficients · metric; weights: |F|² times multiplicity, without Lorentz
    factor. observed: roots of net intensity in bins of 2θ from start by step (degrees), blurred, of norm 1 before that.
    """
    bins = np.zeros(observed.shape[0])
    touched = np.empty(coefficients.shape[0], np.int64)
    for i in range(metrics.shape[0]):
        out[i] = _score(coefficients, weights, metrics[i], wavelength, start, step, observed, bins, touched)


@njit(nogil=True, cache=True)
def climb(
    coefficients: FloatArray,
    weights: FloatArray,
    metric: FloatArray,
    wavelength: float,
    start: float,
    step: float,
    observed: FloatArray,
    first: float,
    rounds: int,
) -> float:
    """Improve one cell by steps along its parameters and all of them together, halved when nothing helps.

    A sixteenth of the first step is the last: lines fall into bins, and smaller ones change nothing.
    """
    bins = np.zeros(observed.shape[0])
    touched = np.empty(coefficients.shape[0], np.int64)
    best = _score(coefficients, weights, metric, wavelength, start, step, observed, bins, touched)
    size = metric.shape[0]
    trial = metric.copy()
    length = first
    for _ in range(rounds):
        better = False
        for j in range(size + 1):
            for sign in (-1.0, 1.0):
                trial[:] = metric
                if j == size:
                    trial *= 1 + sign * length
                else:
                    # Off the diagonal 0 is a value like others: steps there are in units of the diagonal.
                    scale = abs(metric[j]) if j < 3 else math.sqrt(abs(metric[0] * metric[1]))
                    trial[j] += sign * length * scale
                found = _score(coefficients, weights, trial, wavelength, start, step, observed, bins, touched)
                if found > best + 1e-9:
                    best = found
                    metric[:] = trial
                    better = True
        if not better:
            length *= 0.5
        if length < first / 16:
            break
    return float(best)
