"""Random masks: what a random experiment leaves of a random plane, the same on every machine for the same seed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import cos, isfinite, pi, radians, sin, sqrt
from operator import index
from typing import Any, Final

import numpy as np

from dsfu.simulate.arrays import BoolArray
from dsfu.simulate.checks import number_between
from dsfu.simulate.disorder.dead_zones import live_pixels
from dsfu.simulate.disorder.detectors import PRESETS
from dsfu.simulate.disorder.experiment import BeamStop, DetectorPosition, Experiment, Matrix, Vector
from dsfu.simulate.disorder.fields import PIXELS
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell

Seed = int | Sequence[int]
"""One or two whole numbers from 0 to 2⁶⁴ − 1, such as (a manifest's seed, the number of a mask); s alone is (s, 0)."""

_MOST_ATTEMPTS: Final = 2000
"""Draws without a mask of the right share of live pixels after which the settings, not luck, are to blame."""

_STOP_DISTANCE_M: Final = 0.05
"""Where the beam stop is put; only its shadow matters."""

_INVERSION: Final = -np.eye(3)


def _check_ends(name: str, ends: Any, *, whole: bool = False) -> None:
    wanted = "whole numbers" if whole else "numbers"
    if not (isinstance(ends, Sequence) and len(ends) == 2 and all(isinstance(end, int | float) for end in ends)):
        raise ValueError(f"{name} = {ends!r}: expected a pair of {wanted}, the lower first")
    if not all(isfinite(end) and (not whole or isinstance(end, int)) for end in ends) or ends[0] > ends[1]:
        raise ValueError(f"{name} = {ends!r}: expected a pair of {wanted}, the lower first")


@dataclass(frozen=True, kw_only=True)
class RandomSettings:
    """What random experiments and planes are drawn from; pairs are the ends of uniform distributions.

    Parameters
    ----------
    detectors
        Names out of `dsfu.simulate.disorder.detectors.PRESETS`, each as likely as often it is named.
    edge_pixels
        Pixels thrown away at the edges of every module.
    distance_m, wavelength_angstrom
        As in `Experiment`.
    off_centre_m
        How far the detector's middle may be from the beam along x and along y, in m.
    share_of_two_positions
        Share of experiments with a second detector position, half of them with the arm swung out by ``swing_deg``, half
        with the detector lifted by ``lift_m``, to either side.
    spindle_error_deg
        How far the spindle may be from x or from y.
    share_of_full_turns
        Share of experiments that turn the crystal by 360°; the others turn it by ``phi_range_deg``.
    share_of_friedel_averages
        Share of data sets averaged over Q and −Q.
    shadow_radius, shadow_half_arm
        Radius of the beam stop and half the width of its arm, as tangents of the angles they cover.
    cell_angstrom
        Edges of the orthogonal cell that the plane belongs to, in Å.
    layers
        Lowest and highest layer; the axis that they are normal to is random too.
    q_max
        Half the side of the plane, in 1/Å.
    live_share
        Least and greatest share of live pixels; a draw outside is thrown away.
    """

    detectors: tuple[str, ...] = (
        *(("pilatus_2m",) * 5),
        *(("pilatus3_6m",) * 5),
        *(("eiger_16m",) * 2),
        "flat_panel",
    )
    edge_pixels: tuple[int, int] = (1, 3)
    distance_m: tuple[float, float] = (0.2, 0.3)
    wavelength_angstrom: tuple[float, float] = (0.62, 0.72)
    off_centre_m: float = 0.03
    share_of_two_positions: float = 0.7
    swing_deg: tuple[float, float] = (15.0, 35.0)
    lift_m: tuple[float, float] = (0.05, 0.15)
    spindle_error_deg: float = 1.0
    share_of_full_turns: float = 0.4
    phi_range_deg: tuple[float, float] = (120.0, 300.0)
    share_of_friedel_averages: float = 0.1
    shadow_radius: tuple[float, float] = (0.01, 0.03)
    shadow_half_arm: tuple[float, float] = (0.004, 0.01)
    cell_angstrom: tuple[float, float] = (3.0, 12.0)
    layers: tuple[int, int] = (0, 3)
    q_max: tuple[float, float] = (6.0, 8.0)
    live_share: tuple[float, float] = (0.45, 0.95)

    def __post_init__(self) -> None:
        object.__setattr__(self, "detectors", tuple(self.detectors))
        unknown = [name for name in self.detectors if name not in PRESETS]
        if unknown or not self.detectors:
            raise ValueError(f"detectors = {self.detectors}: unknown {unknown}; expected names out of {list(PRESETS)}")
        for name in ("share_of_two_positions", "share_of_full_turns", "share_of_friedel_averages"):
            number_between(name, getattr(self, name), 0.0, 1.0)
        number_between("off_centre_m", self.off_centre_m, 0.0, 10.0)
        number_between("spindle_error_deg", self.spindle_error_deg, 0.0, 45.0)
        for name in ("edge_pixels", "layers"):
            _check_ends(name, getattr(self, name), whole=True)
        for name in ("distance_m", "wavelength_angstrom", "swing_deg", "lift_m", "phi_range_deg", "shadow_radius"):
            _check_ends(name, getattr(self, name))
        for name in ("shadow_half_arm", "cell_angstrom", "q_max", "live_share"):
            _check_ends(name, getattr(self, name))


DEFAULT_SETTINGS: Final = RandomSettings()


def random_experiment(seed: Seed, *, settings: RandomSettings = DEFAULT_SETTINGS) -> Experiment:
    """An experiment drawn from ``settings``, the same whenever and wherever the seed is the same."""
    return _draw_experiment(_Draws(seed), settings)


def random_mask(
    seed: Seed, *, settings: RandomSettings = DEFAULT_SETTINGS, pixels: int = PIXELS
) -> tuple[BoolArray, dict[str, Any]]:
    """What a random experiment leaves of a random plane.

    Returns
    -------
    live
        (pixels, pixels), indexed [y, x], True where live.
    description
        Everything it was made from, fit for JSON; `described_mask` makes the mask again.
    """
    draws = _Draws(seed)
    low, high = settings.live_share
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        description: dict[str, Any] = {
            "experiment": _draw_experiment(draws, settings).to_dict(),
            "friedel_average": draws.share() < settings.share_of_friedel_averages,
            "plane": _draw_plane(draws, settings) | {"pixels": pixels},
        }
        live = described_mask(description)
        live_share = float(live.mean())
        if low <= live_share <= high:
            return live, description | {"seed": list(draws.seed), "attempts": attempt, "live_share": live_share}
    raise ValueError(
        f"settings = {asdict(settings)}: none of {_MOST_ATTEMPTS} draws with seed {seed} left a share of live pixels "
        f"in [{low}, {high}]; expected settings that often do"
    )


def described_mask(description: dict[str, Any]) -> BoolArray:
    """The mask that a description of `random_mask` stands for."""
    place = description["plane"]
    plane = layer(Cell(*place["cell"]), place["axis"], place["layer"], place["q_max"], place["pixels"])
    equivalents = (_INVERSION,) if description["friedel_average"] else ()
    return live_pixels(plane, Experiment.from_dict(description["experiment"]), equivalents=equivalents)


class _Draws:
    """Uniform numbers from a counter-based generator, and from its plain doubles only: those no release will change."""

    def __init__(self, seed: Seed) -> None:
        try:
            words = [index(word) for word in (seed if isinstance(seed, Sequence) else [seed])]
        except TypeError:
            words = []
        if len(words) not in (1, 2) or not all(0 <= word < 2**64 for word in words):
            raise ValueError(f"seed = {seed!r}: expected one or two whole numbers from 0 to 2**64 - 1")
        self.seed = (words[0], words[1] if len(words) == 2 else 0)
        self._generator = np.random.Generator(np.random.Philox(key=self.seed[0] + (self.seed[1] << 64)))

    def share(self) -> float:
        return float(self._generator.random())

    def between(self, ends: tuple[float, float]) -> float:
        return ends[0] + (ends[1] - ends[0]) * self.share()

    def within(self, limit: float) -> float:
        return self.between((-limit, limit))

    def whole(self, ends: tuple[int, int]) -> int:
        return ends[0] + int(self.share() * (ends[1] + 1 - ends[0]))

    def sign(self) -> float:
        return 1.0 if self.share() < 0.5 else -1.0


def _draw_experiment(draws: _Draws, settings: RandomSettings) -> Experiment:
    detector = PRESETS[settings.detectors[draws.whole((0, len(settings.detectors) - 1))]]
    if detector.modules_x * detector.modules_y > 1:
        detector = replace(detector, edge_pixels=draws.whole(settings.edge_pixels))
    full_turn = draws.share() < settings.share_of_full_turns
    return Experiment(
        detector=detector,
        distance_m=draws.between(settings.distance_m),
        wavelength_angstrom=draws.between(settings.wavelength_angstrom),
        positions=_draw_positions(draws, settings),
        beam_stop=_draw_beam_stop(draws, settings),
        rotation_axis=_draw_spindle(draws, settings),
        orientation=_draw_orientation(draws),
        phi_range_deg=360.0 if full_turn else draws.between(settings.phi_range_deg),
    )


def _draw_positions(draws: _Draws, settings: RandomSettings) -> tuple[DetectorPosition, ...]:
    first = DetectorPosition(
        shift_x_m=draws.within(settings.off_centre_m), shift_y_m=draws.within(settings.off_centre_m)
    )
    if draws.share() >= settings.share_of_two_positions:
        return (first,)
    if draws.share() < 0.5:
        return first, replace(first, two_theta_deg=draws.sign() * draws.between(settings.swing_deg))
    return first, replace(first, shift_y_m=first.shift_y_m + draws.sign() * draws.between(settings.lift_m))


def _draw_beam_stop(draws: _Draws, settings: RandomSettings) -> BeamStop:
    return BeamStop(
        distance_m=_STOP_DISTANCE_M,
        radius_m=_STOP_DISTANCE_M * draws.between(settings.shadow_radius),
        arm_width_m=2 * _STOP_DISTANCE_M * draws.between(settings.shadow_half_arm),
        arm_angle_deg=draws.between((0.0, 360.0)),
    )


def _draw_spindle(draws: _Draws, settings: RandomSettings) -> Vector:
    """Near x or near y: detectors are mounted square to the spindle, so that gaps run along and across it."""
    error = radians(settings.spindle_error_deg)
    main, other, along_beam = 1.0, draws.within(error), draws.within(error)
    length = sqrt(main + other * other + along_beam * along_beam)
    main, other, along_beam = main / length, other / length, along_beam / length
    return (main, other, along_beam) if draws.share() < 0.5 else (other, main, along_beam)


def _draw_orientation(draws: _Draws) -> Matrix:
    """A uniformly random rotation, from a unit quaternion (Shoemake, Graphics Gems III, 1992, p. 124)."""
    # Two independent turns, and what share of the squared length of 1 belongs to either: uniform on the sphere of unit
    # quaternions.
    split, first, second = draws.share(), 2 * pi * draws.share(), 2 * pi * draws.share()
    near, far = sqrt(1 - split), sqrt(split)
    x, y, z, w = near * sin(first), near * cos(first), far * sin(second), far * cos(second)
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )


def _draw_plane(draws: _Draws, settings: RandomSettings) -> dict[str, Any]:
    return {
        "cell": [draws.between(settings.cell_angstrom) for _ in range(3)],
        "axis": "abc"[draws.whole((0, 2))],
        "layer": draws.whole(settings.layers),
        "q_max": draws.between(settings.q_max),
    }
