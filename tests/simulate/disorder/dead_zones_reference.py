"""The slow twin of `dsfu.simulate.disorder.dead_zones`: the same question answered in plain NumPy, and by another road.

It stays in the laboratory frame, solves A cos φ + B sin φ = C for the angles φ themselves, turns every vector
by them, and looks pixels up in a picture of the whole detector.
"""

import numpy as np

from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.detectors import Detector
from dsfu.simulate.disorder.experiment import DetectorPosition, Experiment

_BEAM = np.array([0.0, 0.0, 1.0])


def live_vectors(q: FloatArray, experiment: Experiment) -> BoolArray:
    """Which scattering vectors (..., 3), 1/Å, the experiment measures: (...)."""
    mounted = q @ np.asarray(experiment.orientation).T
    live = np.zeros(q.shape[:-1], dtype=np.bool_)
    for angle in spindle_angles(mounted, experiment):
        live |= scattered_live(turn(mounted, experiment, angle), experiment) & in_scan(angle, experiment)
    return live


def spindle_angles(mounted: FloatArray, experiment: Experiment) -> tuple[FloatArray, FloatArray]:
    """The two angles φ (radians; NaN where there is none) that bring ``mounted`` vectors onto the Ewald sphere.

    With Q_∥ along the spindle e and Q_⊥ across it, R(φ) Q = Q_∥ + cos φ Q_⊥ + sin φ e × Q, so that
    2 k·R(φ)Q + Q² = 0 reads A cos φ + B sin φ = C with A = k·Q_⊥, B = k·(e × Q), C = −Q²/2 − k·Q_∥.
    """
    spindle = np.asarray(experiment.rotation_axis)
    beam = experiment.wave_number * _BEAM
    along = (mounted @ spindle)[..., np.newaxis] * spindle
    a = (mounted - along) @ beam
    b = np.cross(spindle, mounted) @ beam
    c = -0.5 * (mounted**2).sum(axis=-1) - along @ beam
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.arccos(c / np.hypot(a, b))
    middle = np.arctan2(b, a)
    return middle + half, middle - half


def turn(mounted: FloatArray, experiment: Experiment, angle: FloatArray) -> FloatArray:
    """R(φ) applied to each vector."""
    spindle = np.asarray(experiment.rotation_axis)
    along = (mounted @ spindle)[..., np.newaxis] * spindle
    cosine, sine = np.cos(angle)[..., np.newaxis], np.sin(angle)[..., np.newaxis]
    return np.asarray(along + cosine * (mounted - along) + sine * np.cross(spindle, mounted))


def in_scan(angle: FloatArray, experiment: Experiment) -> BoolArray:
    """Whether the scan contains angles in radians."""
    from_start = np.mod(np.degrees(angle) - experiment.phi_start_deg, 360.0)
    return np.asarray(from_start <= experiment.phi_range_deg)


def scattered_live(turned: FloatArray, experiment: Experiment) -> BoolArray:
    """Whether k_in + ``turned`` meets a live pixel at any position; not whether it is on the Ewald sphere."""
    scattered = turned + experiment.wave_number * _BEAM
    picture = live_picture(experiment.detector)
    hits = [_hits(scattered, experiment, position, picture) for position in experiment.positions]
    return np.asarray(np.any(hits, axis=0) & ~_shaded(scattered, experiment))


def live_picture(detector: Detector) -> BoolArray:
    """The detector's live pixels, [row, column], module by module."""
    picture = np.zeros((detector.rows, detector.columns), dtype=np.bool_)
    edge = detector.edge_pixels
    for i in range(detector.modules_y):
        top = i * (detector.module_rows + detector.gap_rows)
        for j in range(detector.modules_x):
            left = j * (detector.module_columns + detector.gap_columns)
            rows = slice(top + edge, top + detector.module_rows - edge)
            picture[rows, left + edge : left + detector.module_columns - edge] = True
    return picture


def _hits(scattered: FloatArray, experiment: Experiment, position: DetectorPosition, picture: BoolArray) -> BoolArray:
    angle = np.radians(position.two_theta_deg)
    normal = np.array([np.sin(angle), 0.0, np.cos(angle)])
    rightwards = np.array([np.cos(angle), 0.0, -np.sin(angle)])
    forward = scattered @ normal
    with np.errstate(invalid="ignore", divide="ignore"):
        point = experiment.distance_m * scattered / forward[..., np.newaxis]
    detector = experiment.detector
    width, height = detector.size_m
    column = np.floor((point @ rightwards - position.shift_x_m + width / 2) / detector.pixel_m)
    row = np.floor((point[..., 1] - position.shift_y_m + height / 2) / detector.pixel_m)
    inside = (forward > 0) & (column >= 0) & (column < detector.columns) & (row >= 0) & (row < detector.rows)
    hits = np.zeros(inside.shape, dtype=np.bool_)
    hits[inside] = picture[row[inside].astype(int), column[inside].astype(int)]
    return hits


def _shaded(scattered: FloatArray, experiment: Experiment) -> BoolArray:
    stop = experiment.beam_stop
    if stop is None:
        return np.zeros(scattered.shape[:-1], dtype=np.bool_)
    with np.errstate(invalid="ignore", divide="ignore"):
        point = stop.distance_m * scattered[..., :2] / scattered[..., 2:]
    arm = np.exp(-1j * np.radians(stop.arm_angle_deg)) * (point[..., 0] + 1j * point[..., 1])
    disc = np.abs(arm) < stop.radius_m
    return np.asarray((scattered[..., 2] > 0) & (disc | ((arm.real > 0) & (np.abs(arm.imag) < stop.arm_width_m / 2))))
