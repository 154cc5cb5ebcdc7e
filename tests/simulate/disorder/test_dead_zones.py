import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dsfu.simulate.disorder.dead_zones import live_pixels
from dsfu.simulate.disorder.detectors import EIGER_16M, FLAT_PANEL, PILATUS3_6M, PILATUS_2M
from dsfu.simulate.disorder.experiment import BeamStop, DetectorPosition, Experiment
from dsfu.simulate.disorder.planes import AxisName, Plane, layer
from dsfu.simulate.disorder.random_masks import random_experiment
from dsfu.simulate.lattice import Cell
from tests.simulate.disorder.dead_zones_reference import in_scan, live_vectors, scattered_live, turn

WAVE_NUMBER = 2 * np.pi / 0.7
PLAIN = Experiment(detector=FLAT_PANEL, distance_m=0.25, wavelength_angstrom=0.7)


def orientation(seed: int):
    return tuple(tuple(row) for row in Rotation.random(random_state=seed).as_matrix().tolist())


def spindle_in_crystal(experiment: Experiment) -> np.ndarray:
    return np.asarray(np.asarray(experiment.orientation).T @ np.asarray(experiment.rotation_axis))


def plane_at(centre, normal_first, in_plane, q_max: float, pixels: int) -> Plane:
    axis_x = np.asarray(in_plane, dtype=float) / np.linalg.norm(in_plane)
    axis_y = np.cross(normal_first, axis_x)
    return Plane(centre, axis_x, axis_y / np.linalg.norm(axis_y), q_max, pixels)


def random_plane(seed: int, pixels: int = 64) -> Plane:
    rng = np.random.default_rng(seed)
    axes = Rotation.random(random_state=seed).as_matrix()
    return Plane(rng.normal(size=3), axes[0], axes[1], 7.0, pixels)


@settings(deadline=None)
@given(seed=st.integers(0, 2**64 - 1), plane_seed=st.integers(0, 2**31))
def test_the_numpy_twin_agrees(seed, plane_seed):
    experiment, plane = random_experiment(seed), random_plane(plane_seed)
    live = live_pixels(plane, experiment)
    assert (live != live_vectors(plane.q, experiment)).sum() <= 1  # one that rounding may put on either side of an edge


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.48, 0.6, 0.64), (0.6, 0.0, -0.8)])
@pytest.mark.parametrize("phi_range", [360.0, 270.0, 180.0, 61.0])
def test_the_numpy_twin_agrees_for_any_spindle_and_range(axis, phi_range):
    experiment = replace(
        PLAIN,
        detector=PILATUS_2M,
        positions=(DetectorPosition(shift_x_m=0.02), DetectorPosition(two_theta_deg=25.0, shift_y_m=-0.05)),
        beam_stop=BeamStop(distance_m=0.04, radius_m=0.001, arm_width_m=0.0006, arm_angle_deg=200.0),
        rotation_axis=axis,
        orientation=orientation(5),
        phi_start_deg=-77.0,
        phi_range_deg=phi_range,
    )
    shares = []
    axes: tuple[AxisName, ...] = ("a", "b", "c")
    for number, normal in enumerate(axes):
        plane = layer(Cell(4.0, 5.0, 6.0, 80.0, 95.0, 105.0), normal, number, 6.5)
        live = live_pixels(plane, experiment)
        assert (live != live_vectors(plane.q, experiment)).sum() <= 2
        shares.append(live.mean())
    assert 0.02 < np.mean(shares) < 0.95


def scanned(q: np.ndarray, experiment: Experiment, step_deg: float) -> np.ndarray:
    """Brute force: turn the crystal in small steps, and see which vectors pass the Ewald sphere onto a live pixel."""
    mounted = q @ np.asarray(experiment.orientation).T
    beam = np.array([0.0, 0.0, experiment.wave_number])

    def excess(angle: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(beam + turn(mounted, experiment, angle), axis=-1) - experiment.wave_number)

    live = np.zeros(q.shape[:-1], dtype=bool)
    steps = round(360 / step_deg)
    angles = np.radians(experiment.phi_start_deg + step_deg * np.arange(steps + 1))
    before = excess(np.broadcast_to(angles[0], live.shape))
    for i in range(steps):
        after = excess(np.broadcast_to(angles[i + 1], live.shape))
        crossing = np.signbit(before) != np.signbit(after)
        low, high = np.full(live.shape, angles[i]), np.full(live.shape, angles[i + 1])
        for _ in range(25):
            middle = (low + high) / 2
            same = np.signbit(excess(middle)) == np.signbit(before)
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        hits = scattered_live(turn(mounted, experiment, low), experiment)
        live |= crossing & hits & in_scan(low, experiment)
        before = after
    return live


@pytest.mark.parametrize(
    "experiment",
    [
        replace(PLAIN, detector=PILATUS_2M, orientation=orientation(1)),
        replace(
            PLAIN,
            detector=PILATUS_2M,
            distance_m=0.2,
            orientation=orientation(2),
            rotation_axis=(0.28, 0.96, 0.0),
            positions=(DetectorPosition(shift_y_m=0.04), DetectorPosition(two_theta_deg=-30.0)),
            phi_start_deg=20.0,
            phi_range_deg=130.0,
        ),
        replace(
            PLAIN,
            detector=EIGER_16M,
            orientation=orientation(3),
            rotation_axis=(0.8, 0.0, 0.6),
            beam_stop=BeamStop(distance_m=0.05, radius_m=0.003, arm_width_m=0.004, arm_angle_deg=100.0),
            phi_range_deg=250.0,
        ),
    ],
)
def test_brute_force_over_the_angle_agrees(experiment):
    plane = layer(Cell(5.0, 6.0, 7.0), "b", 1, 6.0, 40)
    live, brute = live_pixels(plane, experiment), scanned(plane.q, experiment, 2.0)
    # A step of 2° can miss a vector that only grazes the sphere: two crossings within one step.
    assert not (brute & ~live).any()
    assert (live & ~brute).sum() <= 0.005 * live.size
    assert 0.1 < live.mean() < 0.9


def test_a_panel_and_a_full_turn_measure_what_the_formulas_say():
    """The spindle along x, the crystal's too: Q is measured if it is not in the cusp and its rays hit the panel."""
    half = FLAT_PANEL.size_m[0] / 2
    for plane in (
        plane_at((0.5, 0.0, 0.0), (1, 0, 0), (0, 1, 0), 9.0, 128),
        plane_at((0.0, 0.0, 0.0), (0, 0, 1), (1, 0, 0), 9.0, 128),
    ):
        along, square = plane.q[..., 0], (plane.q**2).sum(axis=-1)
        forward = WAVE_NUMBER - square / (2 * WAVE_NUMBER)  # k_out along the beam: k cos 2θ
        sideways = np.sqrt(np.maximum(WAVE_NUMBER**2 - forward**2 - along**2, 0))
        out_of_cusp = square**2 / (4 * WAVE_NUMBER**2) <= square - along**2
        on_panel = np.maximum(np.abs(along), sideways) < half / PLAIN.distance_m * forward
        np.testing.assert_array_equal(live_pixels(plane, PLAIN), out_of_cusp & on_panel)


def test_coverage_ends_at_the_corner_and_is_whole_to_the_edge():
    half = FLAT_PANEL.size_m[0] / 2
    to_edge = 2 * WAVE_NUMBER * np.sin(np.arctan(half / 0.25) / 2)
    to_corner = 2 * WAVE_NUMBER * np.sin(np.arctan(np.sqrt(2) * half / 0.25) / 2)
    farthest = 0.0
    for along in np.linspace(0.0, 5.5, 12):
        plane = plane_at((along, 0.0, 0.0), (1, 0, 0), (0, 1, 0), 9.0, 256)
        length, live = np.linalg.norm(plane.q, axis=-1), live_pixels(plane, PLAIN)
        cusp_ends = np.sqrt(length**2 - length**4 / (4 * WAVE_NUMBER**2)) >= along
        assert live[(length < to_edge) & cusp_ends].all()
        farthest = max(farthest, length[live].max())
    assert to_corner - 0.25 < farthest <= to_corner


def test_nothing_beyond_the_limiting_sphere_or_on_the_spindle_is_live():
    surround = replace(
        PLAIN, distance_m=0.05, positions=tuple(DetectorPosition(two_theta_deg=angle) for angle in range(-170, 171, 20))
    )
    plane = plane_at((0.0, 0.0, 0.0), (0, 1, 0), (1, 0, 0), 20.0, 128)
    live, length = live_pixels(plane, surround), np.linalg.norm(plane.q, axis=-1)
    assert not live[length > 2 * WAVE_NUMBER].any()
    assert live[length > 0.95 * 2 * WAVE_NUMBER].any()
    on_spindle = (np.abs(plane.q[..., 2]) < 1e-9) & (length > 0.01)
    assert on_spindle.sum() == 127
    assert not live[on_spindle].any()


def lands(experiment: Experiment, point) -> bool:
    """Whether a beam scattered towards ``point`` (m, laboratory) without turning the crystal is measured."""
    direction = np.asarray(point, dtype=float) / np.linalg.norm(point)
    q = WAVE_NUMBER * (direction - [0.0, 0.0, 1.0])
    still = replace(experiment, phi_start_deg=-0.01, phi_range_deg=0.02)
    return bool(live_pixels(plane_at(q, (0, 0, 1), (1, 0, 0), 1e-6, 2), still)[1, 1])


def test_a_small_detector_catches_beams_where_it_stands_only():
    small = replace(FLAT_PANEL, module_columns=40, module_rows=20)  # 8 × 4 mm
    swung = DetectorPosition(two_theta_deg=30.0, shift_x_m=0.01, shift_y_m=0.03)
    experiment = replace(PLAIN, detector=small, positions=(swung,))
    foot = 0.25 * np.array([0.5, 0.0, np.sqrt(0.75)])
    along_rows, along_columns = np.array([np.sqrt(0.75), 0.0, -0.5]), np.array([0.0, 1.0, 0.0])
    middle = foot + 0.01 * along_rows + 0.03 * along_columns
    assert lands(experiment, middle)
    for sign in (1, -1):
        assert lands(experiment, middle + sign * 0.0039 * along_rows)
        assert not lands(experiment, middle + sign * 0.0041 * along_rows)
        assert lands(experiment, middle + sign * 0.0019 * along_columns)
        assert not lands(experiment, middle + sign * 0.0021 * along_columns)
    assert not lands(experiment, middle * [-1, 1, 1])
    assert not lands(experiment, middle * [1, -1, 1])


def test_an_arm_shades_its_own_side_only():
    arm = BeamStop(distance_m=0.05, radius_m=0.001, arm_width_m=0.001, arm_angle_deg=90.0)
    experiment = replace(PLAIN, beam_stop=arm)
    assert not lands(experiment, (0.0, 0.02, 0.05))
    assert not lands(experiment, (0.0004, 0.02, 0.05))
    assert lands(experiment, (0.0006, 0.02, 0.05))
    assert lands(experiment, (0.0, -0.02, 0.05))
    assert not lands(experiment, (0.0, -0.0009, 0.05))
    assert lands(experiment, (0.0, -0.0011, 0.05))


def test_a_beam_stop_kills_small_q_and_nothing_else():
    stop = BeamStop(distance_m=0.05, radius_m=0.002)
    plane = plane_at((0.0, 0.0, 0.0), (1, 0, 0), (0, 1, 0), 1.0, 128)
    length = np.linalg.norm(plane.q, axis=-1)
    limit = 2 * WAVE_NUMBER * np.sin(np.arctan(0.002 / 0.05) / 2)
    np.testing.assert_array_equal(live_pixels(plane, replace(PLAIN, beam_stop=stop)), length >= limit)
    assert live_pixels(plane, PLAIN).all()


def test_an_arm_along_the_spindle_is_dead_in_a_full_turn_and_one_across_it_is_not():
    plane = layer(Cell(5.0, 6.0, 7.0), "c", 0, 4.0)
    shares = [
        live_pixels(
            plane,
            replace(PLAIN, beam_stop=BeamStop(distance_m=0.05, radius_m=0, arm_width_m=1e-3, arm_angle_deg=angle)),
        ).mean()
        for angle in (0.0, 90.0)
    ]
    without = live_pixels(plane, PLAIN).mean()
    assert shares[0] < without - 0.001
    assert without - 0.001 < shares[1] <= without


@settings(deadline=None)
@given(seed=st.integers(0, 1000), turn_deg=st.floats(-180, 180))
def test_a_full_turn_measures_a_body_of_revolution(seed, turn_deg):
    experiment = replace(random_experiment(seed), phi_range_deg=360.0)
    plane = random_plane(seed)
    rotation = Rotation.from_rotvec(np.radians(turn_deg) * spindle_in_crystal(experiment)).as_matrix()
    turned = Plane(rotation @ plane.centre, rotation @ plane.axis_x, rotation @ plane.axis_y, plane.q_max, plane.pixels)
    assert (live_pixels(plane, experiment) != live_pixels(turned, experiment)).sum() <= 1


@settings(deadline=None)
@given(seed=st.integers(0, 1000), turn_deg=st.floats(-180, 180))
def test_starting_later_is_turning_the_crystal(seed, turn_deg):
    experiment = replace(random_experiment(seed), phi_range_deg=100.0, phi_start_deg=0.0)
    turned = Rotation.from_rotvec(np.radians(turn_deg) * np.asarray(experiment.rotation_axis)).as_matrix()
    mounted = replace(experiment, orientation=(turned @ np.asarray(experiment.orientation)).tolist())
    plane = random_plane(seed)
    later = live_pixels(plane, replace(experiment, phi_start_deg=turn_deg))
    assert (later != live_pixels(plane, mounted)).sum() <= 1


@settings(deadline=None)
@given(seed=st.integers(0, 1000), split=st.floats(1, 359))
def test_two_partial_scans_make_the_full_one(seed, split):
    experiment = replace(random_experiment(seed), phi_start_deg=0.0, phi_range_deg=360.0)
    plane = random_plane(seed)
    first = live_pixels(plane, replace(experiment, phi_range_deg=split))
    second = live_pixels(plane, replace(experiment, phi_start_deg=split, phi_range_deg=360 - split))
    np.testing.assert_array_equal(first | second, live_pixels(plane, experiment))


def test_two_positions_measure_what_either_does():
    positions = DetectorPosition(shift_y_m=0.03), DetectorPosition(two_theta_deg=30.0)
    both = replace(PLAIN, detector=PILATUS_2M, orientation=orientation(4), phi_range_deg=150.0, positions=positions)
    plane = layer(Cell(5.0, 6.0, 7.0), "a", 1, 7.0)
    single = [live_pixels(plane, replace(both, positions=(position,))) for position in positions]
    np.testing.assert_array_equal(live_pixels(plane, both), single[0] | single[1])
    assert all((~one & other).mean() > 0.05 for one, other in (single, single[::-1]))


def test_equivalents_fill_in_what_their_images_measure():
    experiment = replace(PLAIN, detector=PILATUS3_6M, orientation=orientation(6), phi_range_deg=60.0)
    plane = layer(Cell(5.0, 6.0, 7.0), "b", 2, 7.0)
    twofold = np.diag([-1.0, 1.0, -1.0])
    images = [
        live_pixels(Plane(m @ plane.centre, m @ plane.axis_x, m @ plane.axis_y, 7.0), experiment)
        for m in (np.eye(3), -np.eye(3), twofold)
    ]
    averaged = live_pixels(plane, experiment, equivalents=(-np.eye(3), twofold))
    np.testing.assert_array_equal(averaged, np.any(images, axis=0))
    assert averaged.mean() > images[0].mean() + 0.05
    # The twofold axis passes the plane's centre: what was averaged over it is symmetric there.
    half = live_pixels(plane, experiment, equivalents=(twofold,))
    np.testing.assert_array_equal(half[1:, 1:], half[1:, 1:][::-1, ::-1])


@pytest.mark.parametrize(
    ("operation", "message"),
    [(np.ones((3, 3)), "equivalents[0]"), (np.eye(2), "equivalents[0] has shape (2, 2): expected (3, 3)")],
)
def test_equivalents_that_are_no_symmetry_are_refused(operation, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        live_pixels(layer(Cell(5.0, 6.0, 7.0), "b", 2, 7.0), PLAIN, equivalents=[operation])


def dead_runs_on_rays(live: np.ndarray) -> np.ndarray:
    """Lengths of the runs of dead pixels between live ones, on 36 rays from the centre, a pixel's width at a time."""
    runs = []
    for angle in np.radians(np.arange(5, 365, 10)):
        steps = np.arange(128)
        y, x = np.rint(128 + steps * np.sin(angle)).astype(int), np.rint(128 + steps * np.cos(angle)).astype(int)
        between = np.diff(np.flatnonzero(live[y, x])) - 1
        runs += between[between > 0].tolist()
    return np.array(runs)


@pytest.mark.parametrize("edge_pixels", [1, 2, 3])
def test_gaps_show_as_rings_one_or_two_pixels_wide(edge_pixels):
    """The spindle normal to the plane, and the detector off the middle, so that gaps of its two sides do not meet.

    A gap of 17 + 2 edges of 172 µm at 0.25 m is about 0.12 1/Å wide, 2.2 of these pixels.
    """
    experiment = replace(
        PLAIN,
        detector=replace(PILATUS_2M, edge_pixels=edge_pixels),
        positions=(DetectorPosition(shift_y_m=0.05),),
        phi_range_deg=180.0,
    )
    plane = plane_at((0.0, 0.0, 0.0), (1, 0, 0), (0, 1, 0), 7.0, 256)
    runs = dead_runs_on_rays(live_pixels(plane, experiment))
    assert len(runs) > 100
    assert (runs <= 3).mean() > 0.95  # longer ones are where the scan begins and ends
    assert (runs <= 2).mean() > 0.55
    without = replace(experiment, detector=replace(experiment.detector, gap_rows=0, edge_pixels=0))
    assert len(dead_runs_on_rays(live_pixels(plane, without))) < 10
