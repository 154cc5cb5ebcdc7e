"""What is done to a reconstruction before planes are cut from it, as people ask for it on a command line."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from dsfu.errors import InputError, did_you_mean
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.prepare.averaging import averaged_over_symmetry
from dsfu.model.measured.prepare.background import without_flat_background, without_radial_background
from dsfu.model.measured.prepare.bragg import without_bragg_peaks
from dsfu.model.measured.prepare.cleaning import NOISE_WINDOW, without_hot_pixels, without_invalid, without_negative
from dsfu.model.measured.prepare.filling import LARGEST_HOLE, MARGIN
from dsfu.model.measured.prepare.karen import without_outliers

Treatment = Callable[[Reconstruction], Reconstruction]

_BRAGG: Final = "none, punch:RADIUS (in reciprocal lattice units; punch:0.05A in 1/Å), or karen:WIDTH:FACTOR"
_BACKGROUND: Final = "none, flat:VALUE, flat:5% (a percentile), or radial:5%"


@dataclass(frozen=True, kw_only=True)
class CleaningRecipe:
    """How to clean, in the order in which it is done.

    Attributes
    ----------
    hot_pixels
        Factor of `without_hot_pixels`; 0 for not at all.
    bragg
        "none", "punch", "punch:0.15", "punch:0.1,0.1,0.2" (h, k, l), "punch:0.05A" (1/Å), "karen", "karen:7:3".
    reflections
        Where there are peaks to be punched: a centring or a space group.
    fill
        Fill what Bragg removal took out, instead of leaving it dead.
    background
        "none", "flat:12.5", "flat:5%", "radial", "radial:5%".
    laue
        Laue class, plane group or space group; empty for no averaging.
    clip_negative
        Set negative values to zero.
    """

    hot_pixels: float = 8.0
    bragg: str = "none"
    reflections: str = "P"
    fill: bool = False
    background: str = "none"
    laue: str = ""
    clip_negative: bool = False

    def treatments(self) -> list[Treatment]:
        """What to do, one after the other. What makes no sense is refused here, before any data are looked at."""
        wanted: list[Treatment | None] = [
            without_invalid,
            partial(without_hot_pixels, factor=self.hot_pixels) if self.hot_pixels else None,
            _bragg_removal(self.bragg, self.reflections, self.fill),
            _background_removal(self.background),
            partial(averaged_over_symmetry, symmetry=self.laue) if self.laue else None,
            without_negative if self.clip_negative else None,
        ]
        return [each for each in wanted if each is not None]

    @property
    def needs_the_whole(self) -> bool:
        """Whether what becomes of a voxel depends on voxels far away: on equivalents, or on others of its |Q|."""
        return bool(self.laue) or self.background.strip().lower().startswith("radial") or "%" in self.background

    @property
    def surroundings(self) -> int:
        """Voxels around a voxel on which it depends what becomes of that, if it does not depend on all."""
        kind, *arguments = self.bragg.strip().lower().split(":")
        width = int(_number(arguments[0] if arguments else "7", self.bragg, _BRAGG)) if kind == "karen" else 0
        return max(NOISE_WINDOW, width, LARGEST_HOLE + MARGIN if self.fill else 0)

    def apply(self, reconstruction: Reconstruction) -> Reconstruction:
        """The reconstruction, cleaned."""
        for treatment in self.treatments():
            reconstruction = treatment(reconstruction)
        return reconstruction


def _bragg_removal(text: str, reflections: str, fill: bool) -> Treatment | None:
    kind, *arguments = text.strip().lower().split(":")
    if kind == "none" and not arguments:
        return None
    if kind == "punch" and len(arguments) <= 1:
        given = arguments[0] if arguments else "0.15"
        per_angstrom = given.endswith(("a", "å"))
        radius = [_number(each, text, _BRAGG) for each in given.rstrip("aå").split(",")]
        return partial(
            without_bragg_peaks,
            radius=radius[0] if len(radius) == 1 else radius,
            per_angstrom=per_angstrom,
            conditions=reflections,
            fill=fill,
        )
    if kind == "karen" and len(arguments) <= 2:
        width, factor = [*arguments, *("7", "3")[len(arguments) :]]
        return partial(
            without_outliers, width=int(_number(width, text, _BRAGG)), factor=_number(factor, text, _BRAGG), fill=fill
        )
    raise _unknown("--bragg", text, kind, ("none", "punch", "karen"), _BRAGG)


def _background_removal(text: str) -> Treatment | None:
    kind, *arguments = text.strip().lower().split(":")
    given = arguments[0] if arguments else "5%"
    if kind == "none" and not arguments:
        return None
    if kind == "flat" and len(arguments) == 1:
        level = _number(given.rstrip("%"), text, _BACKGROUND)
        return partial(without_flat_background, level=level, of="percentile" if given.endswith("%") else "intensity")
    if kind == "radial" and len(arguments) <= 1:
        return partial(without_radial_background, percentile=_number(given.rstrip("%"), text, _BACKGROUND))
    raise _unknown("--background", text, kind, ("none", "flat", "radial"), _BACKGROUND)


def _number(word: str, text: str, expected: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise InputError(f"{word!r} is no number", where=text, expected=expected) from None


def _unknown(option: str, text: str, kind: str, kinds: tuple[str, ...], expected: str) -> InputError:
    question = "" if kind in kinds else did_you_mean(kind, kinds)
    return InputError(f"{text!r} is not understood{question}", where=option, expected=expected)


def told(step: Step, voxels: int) -> str:
    """What a step did, in a line for people; ``voxels`` is how many there are in all."""
    found = step.parameters
    share = f"{found.get('voxels', 0)} voxels ({100 * found.get('voxels', 0) / voxels:.2g} %)"
    filled = f", {found['filled']} of them filled again" if found.get("fill") else ""
    if step.name == "averaged over symmetry":
        interpolated = "; the grid is not symmetric, so equivalents were interpolated" if found["interpolated"] else ""
        return f"averaged over {found['symmetry']}: R_int = {100 * found['r_int']:.2f} %{interpolated}"
    if step.name == "without flat background":
        return f"subtracted a flat background of {found['subtracted']:.5g}"
    if step.name == "without radial background":
        levels = found["subtracted"]
        return f"subtracted a background of {max(levels):.4g} to {min(levels):.4g}, by |Q|"
    if step.name == "without negative":
        return f"set negative values to zero: {share}"
    names = {"without invalid": "values that are no numbers"}
    return f"took out {names.get(step.name, step.name.removeprefix('without '))}: {share}{filled}"
