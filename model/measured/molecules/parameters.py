"""What can be refined against I_FF, and how the numbers lie in one vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from torch import Tensor

from dsfu.errors import InputError, near_miss
from dsfu.model.measured.molecules.torsion import Torsion
from dsfu.simulate.arrays import BoolArray, FloatArray

Kind = Literal["scale", "background", "dw", "torsions", "rotation-a", "rotation-b", "translation"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MOVING: Final[tuple[Kind, ...]] = ("torsions", "rotation-a", "rotation-b", "translation")
"""Those that move atoms."""

_ROTATION: Final = "rotation"
"""Short for both species."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One number of the model."""

    name: str
    kind: Kind
    unit: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The parameters of a model in their order."""

    parameters: tuple[Parameter, ...]

    def where(self, kind: Kind) -> slice:
        """Which of them are of one kind: they follow one another."""
        numbers = [i for i, parameter in enumerate(self.parameters) if parameter.kind == kind]
        return slice(numbers[0], numbers[-1] + 1) if numbers else slice(0, 0)

    def free(self, kinds: frozenset[Kind]) -> BoolArray:
        """Which of them are of some kinds."""
        return np.array([parameter.kind in kinds for parameter in self.parameters])

    def start(self) -> FloatArray:
        """Scale 1, everything else 0: the structures as in their files."""
        return np.array([1.0 if parameter.kind == "scale" else 0.0 for parameter in self.parameters])

    def part(self, values: Tensor, kind: Kind) -> Tensor:
        """The values of one kind."""
        return values[self.where(kind)]


def layout_of(plane_names: Sequence[str], torsions: Sequence[Torsion]) -> Layout:
    """Scale and background of each plane, one D_w, the torsions, rotations of A and of B, translation of B."""
    several = len(plane_names) > 1
    suffixes = [f" {i}" if several else "" for i, _ in enumerate(plane_names, 1)]
    rows: list[tuple[str, Kind, str]] = [
        (f"scale{suffix}", "scale", "unit of I_FF / electrons^2") for suffix in suffixes
    ]
    rows += [(f"background{suffix}", "background", "unit of I_FF") for suffix in suffixes]
    rows += [("dw", "dw", "angstrom^2")]
    rows += [(torsion.name, "torsions", "degree") for torsion in torsions]
    rows += [(f"rotation A {axis}", "rotation-a", "degree") for axis in "xyz"]
    rows += [(f"rotation B {axis}", "rotation-b", "degree") for axis in "xyz"]
    rows += [(f"translation B {axis}", "translation", "angstrom") for axis in "xyz"]
    return Layout(parameters=tuple(Parameter(name=name, kind=kind, unit=unit) for name, kind, unit in rows))


def kinds_of(text: str) -> frozenset[Kind]:
    """The kinds that a text lists, separated by commas; the scale is always among them."""
    words = [word.strip().lower().replace("_", "-") for word in text.split(",") if word.strip()]
    kinds: set[Kind] = {"scale"}
    for word in words:
        matching: list[Kind] = [kind for kind in KINDS if kind == word or (word == _ROTATION and kind.startswith(word))]
        if not matching:
            near = near_miss(word, (*KINDS, _ROTATION))
            raise InputError(
                f"{word!r} cannot be refined",
                where="--refine",
                expected=", ".join((*KINDS, _ROTATION)),
                remedy=f"did you mean {near}?" if near else "",
            )
        kinds.update(matching)
    return frozenset(kinds)
