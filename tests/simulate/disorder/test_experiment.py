import json
from typing import Any

import numpy as np
import pytest

from dsfu.simulate.disorder.detectors import EIGER_16M, PILATUS_2M
from dsfu.simulate.disorder.experiment import BeamStop, DetectorPosition, Experiment


def full_experiment() -> Experiment:
    return Experiment(
        detector=EIGER_16M,
        distance_m=0.21,
        wavelength_angstrom=0.7,
        positions=(DetectorPosition(shift_y_m=0.1), DetectorPosition(two_theta_deg=-20.0)),
        beam_stop=BeamStop(distance_m=0.05, radius_m=0.001, arm_width_m=0.0005, arm_angle_deg=30.0),
        rotation_axis=(0.6, 0.8, 0.0),
        orientation=((0.36, 0.48, -0.8), (-0.8, 0.6, 0.0), (0.48, 0.64, 0.6)),
        phi_start_deg=-30.0,
        phi_range_deg=200.0,
    )


@pytest.mark.parametrize(
    "experiment", [full_experiment(), Experiment(detector=PILATUS_2M, distance_m=0.2, wavelength_angstrom=0.7)]
)
def test_dictionaries_and_json_bring_back_the_same_experiment(experiment):
    assert Experiment.from_dict(experiment.to_dict()) == experiment
    assert Experiment.from_dict(json.loads(json.dumps(experiment.to_dict()))) == experiment
    assert hash(Experiment.from_dict(experiment.to_dict())) == hash(experiment)


def test_what_has_a_default_may_be_left_out_of_a_dictionary():
    plain = full_experiment().to_dict()
    few = Experiment.from_dict({name: plain[name] for name in ("detector", "distance_m", "wavelength_angstrom")})
    assert few == Experiment(detector=EIGER_16M, distance_m=0.21, wavelength_angstrom=0.7)


def test_arrays_and_lists_are_taken_and_kept_as_plain_numbers():
    arguments: dict[str, Any] = {
        "detector": PILATUS_2M,
        "distance_m": np.float64(0.2),
        "wavelength_angstrom": np.float32(0.5),
        "positions": [DetectorPosition()],
        "rotation_axis": np.array([0.0, 1.0, 0.0]),
        "orientation": np.eye(3),
    }
    experiment = Experiment(**arguments)
    assert experiment.orientation == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert all(type(x) is float for x in (*experiment.rotation_axis, experiment.distance_m))
    json.dumps(experiment.to_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distance_m": 0.0}, r"distance_m = 0.0: expected a number in"),
        ({"wavelength_angstrom": float("nan")}, r"wavelength_angstrom = nan"),
        ({"phi_range_deg": 0.0}, r"phi_range_deg = 0.0: expected a number in \(0.0, 360.0\]"),
        ({"phi_range_deg": 361.0}, r"phi_range_deg = 361.0"),
        ({"rotation_axis": (1.0, 1.0, 0.0)}, r"its length is 1.41421; expected a unit vector"),
        ({"rotation_axis": (0.0, 0.0, 1.0)}, r"expected an axis at least 5.0° from the beam"),
        ({"orientation": [[1, 0, 0], [0, 1, 0], [0, 0.1, 1]]}, r"expected orthonormal rows"),
        ({"orientation": (-np.eye(3)).tolist()}, r"expected a rotation without reflection"),
        ({"positions": []}, r"positions = \(\): expected one DetectorPosition or more"),
        ({"positions": "here"}, r"positions = 'here': expected a list"),
        ({"positions": [{"shift_m": 1.0}]}, r"positions\[...\] has unknown keys \['shift_m'\]"),
        ({"beam_stop": {"radius_m": 0.001}}, r"beam_stop has unknown keys \[\] and lacks \['distance_m'\]"),
        ({"detector": None}, r"detector = None: expected a dictionary"),
        ({"colour": "red"}, r"experiment has unknown keys \['colour'\]"),
    ],
)
def test_impossible_experiments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Experiment.from_dict(full_experiment().to_dict() | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detector": "pilatus_2m"}, r"detector = 'pilatus_2m': expected a Detector"),
        ({"beam_stop": 0.001}, r"beam_stop = 0.001: expected a BeamStop or None"),
        ({"positions": (0.1,)}, r"expected one DetectorPosition or more"),
    ],
)
def test_parts_of_the_wrong_kind_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**({"detector": PILATUS_2M, "distance_m": 0.2, "wavelength_angstrom": 0.7} | change))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DetectorPosition(two_theta_deg=171.0), "two_theta_deg = 171.0"),
        (lambda: DetectorPosition(shift_x_m=float("inf")), "shift_x_m = inf"),
        (lambda: BeamStop(distance_m=0.0, radius_m=0.001), "distance_m = 0.0"),
        (lambda: BeamStop(distance_m=0.05, radius_m=-0.001), "radius_m = -0.001"),
    ],
)
def test_impossible_parts_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
