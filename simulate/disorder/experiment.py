"""The geometry of a rotation measurement: X-rays, crystal on its spindle, detector and what shades it.

Laboratory frame: z along the incident beam, x across it in the horizontal, y upwards; the sample is at the origin.
A detector's columns run along x and its rows along y. It stands normal to the line from the sample to its foot point,
which is the beam itself unless the arm is swung out.
"""

from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from math import hypot, radians, sin
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array, number_between
from dsfu.simulate.disorder.detectors import Detector

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

_TOLERANCE = 1e-6
"""How far unit vectors and rotation matrices may be from being so."""

_LEAST_AXIS_ANGLE_DEG = 5.0
"""Smallest angle between spindle and beam. A spindle along the beam brings nothing through the Ewald sphere."""


@dataclass(frozen=True, kw_only=True)
class DetectorPosition:
    """Where a detector stands.

    Parameters
    ----------
    two_theta_deg
        Angle by which its arm is swung about the vertical y, from z towards x.
    shift_x_m, shift_y_m
        How far the detector's middle lies from its foot point, along its rows and its columns, in m.
    """

    two_theta_deg: float = 0.0
    shift_x_m: float = 0.0
    shift_y_m: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "two_theta_deg", number_between("two_theta_deg", self.two_theta_deg, -170.0, 170.0))
        for name in ("shift_x_m", "shift_y_m"):
            object.__setattr__(self, name, number_between(name, getattr(self, name), -10.0, 10.0))


@dataclass(frozen=True, kw_only=True)
class BeamStop:
    """A disc on the beam, and the straight arm that holds it; both shade every detector position.

    Parameters
    ----------
    distance_m
        From the sample, in m.
    radius_m
        Of the disc, in m.
    arm_width_m
        Of the arm, in m; 0 for none. It starts at the beam and leaves the picture.
    arm_angle_deg
        The arm's direction, from x towards y.
    """

    distance_m: float
    radius_m: float
    arm_width_m: float = 0.0
    arm_angle_deg: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "distance_m", number_between("distance_m", self.distance_m, 0.0, 10.0, open_low=True))
        for name in ("radius_m", "arm_width_m"):
            object.__setattr__(self, name, number_between(name, getattr(self, name), 0.0, 1.0))
        angle = number_between("arm_angle_deg", self.arm_angle_deg, -360.0, 360.0)
        object.__setattr__(self, "arm_angle_deg", angle)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The geometry of a rotation measurement; nothing but plain numbers, so that equal ones compare equal.

    Parameters
    ----------
    detector
        The detector, at every position the same.
    distance_m
        From the sample to the detector's plane, in m.
    wavelength_angstrom
        Of the X-rays, in Å.
    positions
        Where the detector stands: the scan is made at each of them.
    beam_stop
        What shades the primary beam, if anything.
    rotation_axis
        The spindle: a unit vector in the laboratory frame, about which the crystal turns right-handedly.
    orientation
        Rotation matrix U (rows) from the crystal's Cartesian frame to the laboratory's at φ = 0. The spindle lies along
        Uᵀ · rotation_axis in the crystal.
    phi_start_deg, phi_range_deg
        First angle of the scan, and how far it goes; 360 for a full turn.
    """

    detector: Detector
    distance_m: float
    wavelength_angstrom: float
    positions: tuple[DetectorPosition, ...] = (DetectorPosition(),)
    beam_stop: BeamStop | None = None
    rotation_axis: Vector = (1.0, 0.0, 0.0)
    orientation: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    phi_start_deg: float = 0.0
    phi_range_deg: float = 360.0

    def __post_init__(self) -> None:
        _check_parts(self)
        for name, low, high in (("distance_m", 1e-3, 10.0), ("wavelength_angstrom", 0.01, 10.0)):
            object.__setattr__(self, name, number_between(name, getattr(self, name), low, high))
        object.__setattr__(self, "phi_start_deg", number_between("phi_start_deg", self.phi_start_deg, -360.0, 360.0))
        phi_range = number_between("phi_range_deg", self.phi_range_deg, 0.0, 360.0, open_low=True)
        object.__setattr__(self, "phi_range_deg", phi_range)
        object.__setattr__(self, "rotation_axis", _unit_vector("rotation_axis", self.rotation_axis))
        object.__setattr__(self, "orientation", _rotation_matrix("orientation", self.orientation))
        across = hypot(self.rotation_axis[0], self.rotation_axis[1])
        if across < sin(radians(_LEAST_AXIS_ANGLE_DEG)):
            raise ValueError(
                f"rotation_axis = {self.rotation_axis}: expected an axis at least {_LEAST_AXIS_ANGLE_DEG}° from the "
                "beam, which is along z"
            )

    @property
    def wave_number(self) -> float:
        """|k_in| = 2π/λ in 1/Å."""
        return 2 * np.pi / self.wavelength_angstrom

    def to_dict(self) -> dict[str, Any]:
        """All parameters as dictionaries, lists, texts and plain numbers, fit for JSON."""
        plain = asdict(self)
        plain["positions"] = list(plain["positions"])
        plain["rotation_axis"] = list(self.rotation_axis)
        plain["orientation"] = [list(row) for row in self.orientation]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The experiment of which `to_dict` made ``plain``."""
        given = _arguments("experiment", cls, plain)
        given["detector"] = Detector(**_arguments("detector", Detector, given.get("detector")))
        if "positions" in given:
            given["positions"] = tuple(
                DetectorPosition(**_arguments("positions[...]", DetectorPosition, position))
                for position in _sequence("positions", given["positions"])
            )
        if given.get("beam_stop") is not None:
            given["beam_stop"] = BeamStop(**_arguments("beam_stop", BeamStop, given["beam_stop"]))
        return cls(**given)


def _check_parts(experiment: Experiment) -> None:
    if not isinstance(experiment.detector, Detector):
        raise ValueError(f"detector = {experiment.detector!r}: expected a Detector")
    if not (experiment.beam_stop is None or isinstance(experiment.beam_stop, BeamStop)):
        raise ValueError(f"beam_stop = {experiment.beam_stop!r}: expected a BeamStop or None")
    positions = tuple(_sequence("positions", experiment.positions))
    if not positions or not all(isinstance(position, DetectorPosition) for position in positions):
        raise ValueError(f"positions = {experiment.positions!r}: expected one DetectorPosition or more")
    object.__setattr__(experiment, "positions", positions)


def _unit_vector(name: str, value: npt.ArrayLike) -> Vector:
    vector = finite_array(name, value, (3,))
    length = float(np.linalg.norm(vector))
    if abs(length - 1) > _TOLERANCE:
        raise ValueError(f"{name} = {vector.tolist()}: its length is {length:.6g}; expected a unit vector")
    return cast(Vector, tuple(vector.tolist()))


def orthogonal_matrix(name: str, value: npt.ArrayLike) -> FloatArray:
    """Return ``value`` as a (3, 3) array, after checking that its rows are orthonormal."""
    matrix = finite_array(name, value, (3, 3))
    error = float(np.abs(matrix @ matrix.T - np.eye(3)).max())
    if error > _TOLERANCE:
        raise ValueError(f"{name} = {matrix.tolist()}: expected orthonormal rows; they are off by {error:.2g}")
    return matrix


def _rotation_matrix(name: str, value: npt.ArrayLike) -> Matrix:
    matrix = orthogonal_matrix(name, value)
    if np.linalg.det(matrix) < 0:
        raise ValueError(f"{name} = {matrix.tolist()}: its determinant is −1; expected a rotation without reflection")
    return cast(Matrix, tuple(tuple(row) for row in matrix.tolist()))


def _sequence(name: str, value: Any) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError(f"{name} = {value!r}: expected a list")
    return value


def _arguments(name: str, kind: type, plain: Any) -> dict[str, Any]:
    """``plain`` as arguments of a dataclass: no key missing that has no default, none unknown."""
    known = [field.name for field in fields(kind)]
    if not isinstance(plain, dict):
        raise ValueError(f"{name} = {plain!r}: expected a dictionary with the keys {known}")
    unknown = [key for key in plain if key not in known]
    missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in plain]
    if unknown or missing:
        raise ValueError(f"{name} has unknown keys {unknown} and lacks {missing}: expected keys out of {known}")
    return dict(plain)
