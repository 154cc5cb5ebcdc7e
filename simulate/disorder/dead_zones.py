"""Dead zones: which points of reciprocal space an experiment measures, from its geometry.

A crystal is turned about a spindle in front of a detector. A point Q is measured when some angle φ of the scan brings
it onto the Ewald sphere, |k_in + R(φ) U Q| = |k_in|, and the scattered beam k_out = k_in + R(φ) U Q then lands on a
live pixel. There are two such angles or none; none is the blind region, a cusp along the spindle.

Nothing is binned and no volume is made: every pixel of a plane is asked by itself, at its centre.
"""

from collections.abc import Sequence
from math import cos, radians, sin, sqrt

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.experiment import BeamStop, DetectorPosition, Experiment, orthogonal_matrix
from dsfu.simulate.disorder.planes import Plane


def live_pixels(plane: Plane, experiment: Experiment, *, equivalents: Sequence[npt.ArrayLike] = ()) -> BoolArray:
    """Which pixels of a plane the experiment measures.

    Parameters
    ----------
    plane
        Any plane of reciprocal space, in the crystal's Cartesian frame.
    experiment
        The geometry of the measurement.
    equivalents
        Symmetry operations besides the identity, as orthogonal (3, 3) matrices in the crystal's Cartesian frame; −1 for
        Friedel's law. A point is live if it or any of its equivalents is, as in data that were averaged over symmetry.

    Returns
    -------
    live
        (pixels, pixels), indexed [y, x], True where live.
    """
    operations = [np.eye(3)]
    operations += [orthogonal_matrix(f"equivalents[{i}]", operation) for i, operation in enumerate(equivalents)]
    to_spindle = _spindle_frame(experiment)
    beam_across, _, beam_along = (float(part) for part in to_spindle[:, 2])
    panels = np.stack([_panel(experiment, position) @ to_spindle.T for position in experiment.positions])
    shade = _shade(experiment.beam_stop)
    shade[:3] = shade[:3] @ to_spindle.T
    live = np.zeros((plane.pixels, plane.pixels), dtype=np.bool_)
    first = plane.centre + plane.offsets[0] * (plane.axis_x + plane.axis_y)
    for operation in operations:
        turn = to_spindle @ np.asarray(experiment.orientation) @ operation
        _mark_live(
            turn @ first,
            turn @ plane.axis_x * plane.step,
            turn @ plane.axis_y * plane.step,
            experiment.wave_number,
            beam_across,
            beam_along,
            _scan(experiment),
            panels,
            _middles(experiment),
            shade,
            experiment.detector.live_columns,
            experiment.detector.live_rows,
            live,
        )
    return live


def _spindle_frame(experiment: Experiment) -> FloatArray:
    """Matrix from the laboratory to the spindle's frame: rows across (the beam's side), their normal, the spindle."""
    spindle = np.asarray(experiment.rotation_axis) / np.linalg.norm(experiment.rotation_axis)
    across = np.array([0.0, 0.0, 1.0]) - spindle[2] * spindle
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(spindle, across), spindle])


def _panel(experiment: Experiment, position: DetectorPosition) -> FloatArray:
    """Rows c, r, n in the laboratory: a beam k hits (c·k/n·k, r·k/n·k) pixels from the foot point, if n·k > 0."""
    angle = radians(position.two_theta_deg)
    pixels = experiment.distance_m / experiment.detector.pixel_m
    return np.array([[pixels * cos(angle), 0.0, -pixels * sin(angle)], [0.0, pixels, 0.0], [sin(angle), 0, cos(angle)]])


def _middles(experiment: Experiment) -> FloatArray:
    """Column and row, counted from the detector's first corner, of the foot point at each position."""
    detector = experiment.detector
    middle = np.array([detector.columns, detector.rows]) / 2
    shifts = np.array([[position.shift_x_m, position.shift_y_m] for position in experiment.positions])
    return middle - shifts / detector.pixel_m


def _shade(beam_stop: BeamStop | None) -> FloatArray:
    """(4, 3): directions along and across the arm and along the beam; then the tangents of disc and half arm, and 0."""
    if beam_stop is None:
        return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    angle = radians(beam_stop.arm_angle_deg)
    return np.array(
        [
            [cos(angle), sin(angle), 0.0],
            [-sin(angle), cos(angle), 0.0],
            [0.0, 0.0, 1.0],
            [beam_stop.radius_m / beam_stop.distance_m, beam_stop.arm_width_m / 2 / beam_stop.distance_m, 0.0],
        ]
    )


def _scan(experiment: Experiment) -> FloatArray:
    """Range in turns, and the cosines and sines of the scan's first angle and the cosine of its range."""
    start, extent = radians(experiment.phi_start_deg), radians(experiment.phi_range_deg)
    return np.array([experiment.phi_range_deg / 360.0, cos(start), sin(start), cos(extent)])


@njit(nogil=True, cache=True)
def _mark_live(
    first: FloatArray,
    step_x: FloatArray,
    step_y: FloatArray,
    wave_number: float,
    beam_across: float,
    beam_along: float,
    scan: FloatArray,
    panels: FloatArray,
    middles: FloatArray,
    shade: FloatArray,
    live_columns: BoolArray,
    live_rows: BoolArray,
    out: BoolArray,
) -> None:
    """Set ``out[y, x]`` where Q = first + x·step_x + y·step_y (1/Å) is measured; leave it where it is not.

    All vectors are in the spindle's frame (across, sideways, along): the beam's direction is (beam_across, 0,
    beam_along), and turning leaves the component along the spindle alone. On the Ewald sphere 2 k_in·q + q² = 0 fixes
    the component across; the third follows from the length, with either sign. So the scattered beam needs no angle, and
    the angle is needed only to see whether a partial scan contains it.
    """
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if out[y, x]:
                continue
            across = first[0] + x * step_x[0] + y * step_y[0]
            sideways = first[1] + x * step_x[1] + y * step_y[1]
            along = first[2] + x * step_x[2] + y * step_y[2]
            radius_squared = across * across + sideways * sideways
            # |k_in + q| = |k_in| means k_in·q = −q² / 2, with k_in = k (beam_across, 0, beam_along).
            half_square = 0.5 * (radius_squared + along * along)
            turned_across = -(half_square / wave_number + beam_along * along) / beam_across
            rest = radius_squared - turned_across * turned_across
            if rest < 0.0:
                continue
            out_across = wave_number * beam_across + turned_across
            out_along = wave_number * beam_along + along
            # q meets the Ewald sphere twice in a turn: on either side of the plane of the beam and the spindle.
            for sign in (1.0, -1.0):
                turned_sideways = sign * sqrt(rest)
                # Cosine and sine of the turn, times the square of the distance from the spindle.
                cosine = across * turned_across + sideways * turned_sideways
                sine = across * turned_sideways - sideways * turned_across
                if not _in_scan(cosine, sine, radius_squared, scan):
                    continue
                if _shaded(out_across, turned_sideways, out_along, shade):
                    continue
                if _lands_live(out_across, turned_sideways, out_along, panels, middles, live_columns, live_rows):
                    out[y, x] = True
                    break


@njit(nogil=True, cache=True)
def _in_scan(cosine: float, sine: float, square: float, scan: FloatArray) -> bool:
    """Whether the scan contains the angle whose cosine and sine are given times ``square``; no inverse functions."""
    turns, cos_start, sin_start, cos_range = scan
    if turns >= 1.0:
        return True
    # The angle from the scan's start, by the theorems of addition.
    from_start_cosine = cosine * cos_start + sine * sin_start
    from_start_sine = sine * cos_start - cosine * sin_start
    # More than half a turn: all of the first half, and of the second, where the cosine rises, what comes before its
    # end.
    if turns > 0.5:
        return bool(from_start_sine >= 0.0 or from_start_cosine <= square * cos_range)
    return bool(from_start_sine >= 0.0 and from_start_cosine >= square * cos_range)


@njit(nogil=True, cache=True)
def _shaded(across: float, sideways: float, along: float, shade: FloatArray) -> bool:
    """Whether the beam stop or its arm takes a scattered beam."""
    # In axes of the stop: along its arm, across it, and forward. A place on the disc is the first two over the third;
    # both sides are multiplied by it instead.
    forward = shade[2, 0] * across + shade[2, 1] * sideways + shade[2, 2] * along
    if forward <= 0.0:
        return False
    on_arm = shade[0, 0] * across + shade[0, 1] * sideways + shade[0, 2] * along
    off_arm = shade[1, 0] * across + shade[1, 1] * sideways + shade[1, 2] * along
    disc, half_arm = shade[3, 0] * forward, shade[3, 1] * forward
    return bool(on_arm * on_arm + off_arm * off_arm < disc * disc or (on_arm > 0.0 and abs(off_arm) < half_arm))


@njit(nogil=True, cache=True)
def _lands_live(
    across: float,
    sideways: float,
    along: float,
    panels: FloatArray,
    middles: FloatArray,
    live_columns: BoolArray,
    live_rows: BoolArray,
) -> bool:
    """Whether a scattered beam hits a live pixel at any position of the detector."""
    for p in range(panels.shape[0]):
        panel = panels[p]
        forward = panel[2, 0] * across + panel[2, 1] * sideways + panel[2, 2] * along
        if forward <= 0.0:
            continue
        # The beam goes on until it meets the panel, at k / (n·k) in units of the distance.
        column = (panel[0, 0] * across + panel[0, 1] * sideways + panel[0, 2] * along) / forward + middles[p, 0]
        row = (panel[1, 0] * across + panel[1, 1] * sideways + panel[1, 2] * along) / forward + middles[p, 1]
        on_detector = 0.0 <= column < live_columns.shape[0] and 0.0 <= row < live_rows.shape[0]
        if on_detector and live_columns[int(column)] and live_rows[int(row)]:
            return True
    return False
